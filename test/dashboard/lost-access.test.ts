/** A person whose access ends, or changes, while their pages are open: each request is judged anew, and each refusal is a page. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { addAccount } from "../../shared/ledger/accounts.ts";
import { change } from "../../shared/ledger/database.ts";
import { putPerson, removePerson } from "../../shared/ledger/people.ts";
import type { PersonEntry } from "../../shared/people.ts";
import { changeRoutes, fillPath, pageRoutes } from "../../workers/dashboard/routes.ts";
import { aggregateReport, commitSamples, sampleRecord } from "../support/ledger-fill.ts";
import { type Dashboard, ORIGIN, startDashboard } from "./harness.ts";

const EMAIL = "operator@acme.example";
const DAY = 20_000;
const UID = "1".repeat(32);
const NAMES = {
  domain: "acme.example",
  source: "192.0.2.1",
  address: "192.0.2.1",
  account: "acme",
  day: new Date(DAY * 86_400_000).toISOString().slice(0, 10),
  uid: UID,
  id: "20260101-aaaaaaaaaaaaaaaaaaaaaaaa",
};
const HTML = { accept: "text/html" };

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await startDashboard({ accessEmail: EMAIL });
  const records = [sampleRecord("acme.example", { count: 41 })];
  const report = aggregateReport("acme.example", { day: DAY, records });
  const sample = { account: "acme", uid: UID, report, records, receivedSeconds: DAY * 86_400 };
  await commitSamples(dashboard.ledger, [sample], { nowSeconds: DAY * 86_400 });
  for (const account of ["acme", "other"]) await change(dashboard.ledger, [addAccount({ account, shard: 0 }, 1)]);
});
afterAll(() => dashboard.close());
beforeEach(() => become({ role: "operator", accounts: [] }));

/** From now on the person is this, or nobody. */
async function become(entry: PersonEntry | undefined): Promise<void> {
  const { ledger } = dashboard;
  const changes =
    entry === undefined ? removePerson(EMAIL) : putPerson({ email: EMAIL, entry }, { by: "", nowSeconds: 1 });
  await change(ledger, changes);
}

function open(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return dashboard.ask(path, { headers: { ...HTML, ...headers } }, null);
}

/** Sends a form as the page that was opened before has it. */
function send(path: string): Promise<Response> {
  const headers = { ...HTML, origin: ORIGIN, "content-type": "application/x-www-form-urlencoded" };
  const body = "account=acme&action=remove&confirmed=yes&decision=mine&domains=acme.example&kind=reprocess&id=1";
  return dashboard.ask(path, { method: "POST", headers, body }, null);
}

/** How often something was changed by anybody. */
async function auditEntries(): Promise<number> {
  const { results } = await dashboard.ledger.prepare("SELECT 1 FROM audit_log").bind().all();
  return results.length;
}

it("is refused every page and every form by a page with a sentence, once they are nobody", async () => {
  expect((await open("/operations/dead-letters")).status).toBe(200);
  await become(undefined);
  const before = await auditEntries();
  const asked = [
    ...pageRoutes().map(([path]) => ({ path, ask: open })),
    ...changeRoutes().map(([path]) => ({ path, ask: send })),
  ];
  for (const { path, ask } of asked) {
    const answer = await ask(fillPath(path, NAMES));
    const text = await answer.text();
    expect([answer.status, answer.headers.get("content-type")], path).toEqual([403, "text/html; charset=UTF-8"]);
    expect(text, path).toContain("No access");
    expect(text, path).toContain(`dmarc identity add ${EMAIL}`);
    expect(text, path).not.toContain(">41<");
  }
  expect(await auditEntries()).toBe(before);
  const api = await dashboard.ask("/api/v1/domains", {}, null);
  const said = `${EMAIL} has no access. An operator can give it with: dmarc identity add ${EMAIL}`;
  expect([api.status, await api.json()]).toMatchObject([
    403,
    { code: "forbidden", detail: expect.stringContaining(said) },
  ]);
});

it("is refused the forms of a role that was taken away, and goes on seeing what the new one sees", async () => {
  expect((await open("/channels")).status).toBe(200);
  await become({ role: "viewer", accounts: ["acme"] });
  for (const [path, { role }] of changeRoutes().filter(([, { role }]) => role !== "viewer")) {
    const answer = await send(fillPath(path, NAMES));
    expect(answer.status, path).toBe(403);
    expect(await answer.text(), path).toContain(`This page is for ${role}s`);
  }
  const removal = await send("/domains/acme.example/setup");
  expect([removal.status, await removal.text()]).toEqual([403, expect.stringContaining("administrators")]);
  expect(await (await open("/")).text()).toContain("acme.example");
});

it("finds nothing of an account that they lost while they keep another one", async () => {
  await become({ role: "administrator", accounts: ["other"] });
  for (const path of ["/domains/:domain", "/reports/:account/:domain/:day/:uid", "/accounts/:account"] as const) {
    const answer = await open(fillPath(path, NAMES));
    expect([200, 404], path).toContain(answer.status);
    expect(await answer.text(), path).not.toContain(">41<");
  }
  for (const [path] of changeRoutes()) {
    const { status } = await send(fillPath(path, NAMES));
    expect([403, 404, 422], path).toContain(status);
  }
});

it("views as an account no longer when they are an operator no longer, nor sees more by it", async () => {
  const cookie = { cookie: "view_as=acme" };
  const link = 'href="/domains/acme.example';
  expect(await (await open("/?from=2024-10-01&to=2024-10-31", cookie)).text()).toContain(link);
  await become({ role: "viewer", accounts: ["other"] });
  const page = await open("/?from=2024-10-01&to=2024-10-31", cookie);
  expect(page.status).toBe(200);
  expect(await page.text()).not.toContain(link);
});

it("gets answers when the account that they view as has gone", async () => {
  for (const [path] of pageRoutes()) {
    const { status } = await open(fillPath(path, NAMES), { cookie: "view_as=gone" });
    expect([200, 403, 404], path).toContain(status);
  }
});
