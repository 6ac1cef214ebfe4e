/** Reports of each kind by the API, with the real process Worker behind it: what each token may list and read, and days that go on over a cursor. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ContractClient, contractClient, eachItem } from "../../shared/contract/client.ts";
import type { Inputs, Outputs } from "../../shared/contract/operations.ts";
import type { TokenScope } from "../../shared/tokens.ts";
import { sampleReport } from "../support/sample-report.ts";
import { type Pipeline, startPipeline } from "./pipeline.ts";

const PERIOD = { from: "2026-01-01", to: "2026-01-31" };
const DOMAIN = "acme.example";
/** Who asks, by account ("" = all) and scope; what one sees does not depend on the scope. */
const SEEING: readonly [string, TokenScope][] = [
  ["acme", "read"],
  ["acme", "operate"],
  ["", "read"],
  ["", "operate"],
];

function tlsReport(id: string, day: string, failed: number): string {
  return JSON.stringify({
    "organization-name": "Mail Example",
    "date-range": { "start-datetime": `${day}T00:00:00Z`, "end-datetime": `${day}T23:59:59Z` },
    "contact-info": "tls@mail.example",
    "report-id": id,
    policies: [
      {
        policy: { "policy-type": "sts", "policy-domain": DOMAIN, "mx-host": ["mx1.acme.example"] },
        summary: { "total-successful-session-count": 90, "total-failure-session-count": failed },
        ...(failed > 0 && {
          "failure-details": [
            { "result-type": "certificate-expired", "sending-mta-ip": "192.0.2.9", "failed-session-count": failed },
          ],
        }),
      },
    ],
  });
}

function failureMail(to: string, messageId: string): string {
  return [
    "From: reports@mail.example",
    `To: ${to}`,
    "Subject: FW: Test",
    `Message-ID: <${messageId}@mail.example>`,
    "MIME-Version: 1.0",
    "Content-Type: multipart/report; report-type=feedback-report; boundary=b",
    "",
    "--b",
    "Content-Type: text/plain",
    "",
    "An authentication failure report.",
    "--b",
    "Content-Type: message/feedback-report",
    "",
    "Feedback-Type: auth-failure",
    "User-Agent: Test/1",
    "Version: 1",
    "Auth-Failure: dmarc",
    "Identity-Alignment: none",
    "Delivery-Result: reject",
    "Source-IP: 192.0.2.7",
    `Reported-Domain: ${DOMAIN}`,
    `Original-Mail-From: <someone@bounce.${DOMAIN}>`,
    "Arrival-Date: Tue, 20 Jan 2026 10:00:00 +0000",
    "Reporting-MTA: dns; mx.mail.example",
    "--b",
    "Content-Type: text/rfc822-headers",
    "",
    `From: someone@${DOMAIN}`,
    "Subject: personal",
    "--b--",
    "",
  ].join("\r\n");
}

let pipeline: Pipeline;
const clients = new Map<string, ContractClient>();

beforeAll(async () => {
  pipeline = await startPipeline();
  const seconds = (day: string): number => Date.parse(`${day}T00:00:00Z`) / 1000;
  const aggregate = (reportId: string, day: string): string =>
    sampleReport({ reportId, period: [seconds(day), seconds(day) + 86_399] });
  for (const account of ["acme", "other"]) {
    await pipeline.ask(`/registry/rua@${account}.example`, "PUT", { account });
  }
  await pipeline.deliver("rua@acme.example", {
    "tls-1.json": tlsReport("tls-1", "2026-01-10", 3),
    "tls-2.json": tlsReport("tls-2", "2026-01-11", 0),
    "a-1.xml": aggregate("a-1", "2026-01-10"),
    "a-2.xml": aggregate("a-2", "2026-01-11"),
    "a-3.xml": aggregate("a-3", "2026-01-12"),
  });
  await pipeline.deliver("rua@other.example", {
    "tls-3.json": tlsReport("tls-3", "2026-01-10", 0),
    "a-4.xml": aggregate("a-4", "2026-01-13"),
  });
  const mail = { from: "reports@mail.example", to: "rua@acme.example" };
  await pipeline.deliverMail({ ...mail, raw: failureMail(mail.to, "f1") });
  await pipeline.settled({ accepted: 8 });
  for (const [account, scope] of [...SEEING, ["other", "read"], ["other", "operate"]] as const) {
    const name = `${account} ${scope}`;
    const { secret } = await pipeline.ask<{ secret: string }>("/tokens", "POST", { account, name, scope });
    clients.set(name, contractClient({ url: pipeline.origin, token: secret, fetch: (url, init) => fetch(url, init) }));
  }
}, 240_000);

afterAll(() => pipeline.close());

function as(account: string, scope: TokenScope): ContractClient {
  const client = clients.get(`${account} ${scope}`);
  if (client === undefined) throw new Error(`There is no token of '${account}' to ${scope}.`);
  return client;
}

type Asked = Omit<Inputs["listReports"], "domain">;

async function listed(client: ContractClient, asked: Asked): Promise<Outputs["listReports"]["items"]> {
  const input = { domain: DOMAIN, ...PERIOD, ...asked };
  const found = await Array.fromAsync(eachItem(client, "listReports", input));
  return found.map((one) => {
    if (!one.ok) throw new Error(one.error.message);
    return one.value;
  });
}

describe.each(SEEING)("a token of '%s' to %s", (account, scope) => {
  it("lists TLS reports with their filters, page by page, and reads each", async () => {
    const client = as(account, scope);
    const own = { kind: "tls", account: "acme" } as const;
    const ids = async (asked: Asked) =>
      (await listed(client, asked)).map((one) => (one.kind === "failure" ? "" : one.reportId)).sort();
    expect(await ids(own)).toEqual(["tls-1", "tls-2"]);
    expect(await ids({ ...own, limit: 1 })).toEqual(["tls-1", "tls-2"]);
    expect(await ids({ ...own, outcome: "fail" })).toEqual(["tls-1"]);
    expect(await ids({ ...own, outcome: "pass" })).toEqual(["tls-2"]);
    expect(await ids({ ...own, text: "TLS-2" })).toEqual(["tls-2"]);
    expect(await ids({ ...own, reporter: "Nobody" })).toEqual([]);
    expect(await ids({ kind: "tls" })).toEqual(account === "" ? ["tls-1", "tls-2", "tls-3"] : ["tls-1", "tls-2"]);
    const [first] = await listed(client, { ...own, outcome: "fail" });
    expect(first).toMatchObject({ kind: "tls", account: "acme", day: "2026-01-10", successful: 90, failed: 3 });
    if (first === undefined) throw new Error("no report");
    const { domain, day, uid } = first;
    const report = await client.ask("getReport", { account: "acme", domain, day, uid });
    expect(report).toMatchObject({
      ok: true,
      value: {
        kind: "tls",
        reporter: "Mail Example",
        total: 93,
        passed: 90,
        policy: "sts",
        takenBack: null,
        details: { kind: "tls", policies: [{ policyType: "sts", failedSessionCount: 3, failureDetails: 1 }] },
      },
    });
    const records = await client.ask("readRecords", { account: "acme", domain, day, uid });
    expect(records).toMatchObject({ ok: true, value: { kind: "tls" } });
  });

  it("lists failure reports, and reads each", async () => {
    const client = as(account, scope);
    const [found, ...more] = await listed(client, { kind: "failure" });
    expect(more).toEqual([]);
    if (found?.kind !== "failure") throw new Error("no failure report");
    expect(found).toMatchObject({
      account: "acme",
      reporter: "mx.mail.example",
      sourceIp: "192.0.2.7",
      authFailure: "dmarc",
      deliveryResult: "reject",
      incidents: 1,
      arrivalSeconds: Date.parse("2026-01-20T10:00:00Z") / 1000,
    });
    const { domain, day, uid } = found;
    expect(await client.ask("getReport", { account: "acme", domain, day, uid })).toMatchObject({
      ok: true,
      value: { kind: "failure", total: 1, details: { sourceIp: "192.0.2.7", mailFromDomain: `bounce.${DOMAIN}` } },
    });
    expect(await listed(client, { kind: "failure", outcome: "pass" })).toEqual([]);
  });

  it("reads days of each kind over a cursor, each row once and in order", async () => {
    const client = as(account, scope);
    const expected: Record<Inputs["domainDays"]["kind"], string[]> = {
      aggregate: ["2026-01-10", "2026-01-11", "2026-01-12", ...(account === "" ? ["2026-01-13"] : [])],
      tls: ["2026-01-10", "2026-01-11"],
      failure: ["2026-01-20"],
    };
    for (const kind of ["aggregate", "tls", "failure"] as const) {
      const whole = await client.ask("domainDays", { kind, ...PERIOD });
      if (!whole.ok) throw new Error(whole.error.message);
      expect(whole.value.items.map(({ day }) => day)).toEqual(expected[kind]);
      expect(whole.value.cursor).toBeUndefined();
      const single = await Array.fromAsync(eachItem(client, "domainDays", { kind, ...PERIOD, limit: 1 }));
      expect(single).toEqual(whole.value.items.map((value) => ({ ok: true, value })));
      const begun = await client.ask("domainDays", { kind, ...PERIOD, limit: 1 });
      expect(begun.ok && begun.value.isComplete).toBe(expected[kind].length === 1);
    }
  });
});

describe.each(["read", "operate"] as const)("a token of another account to %s", (scope) => {
  it("learns nothing of these reports", async () => {
    const client = as("other", scope);
    expect(await listed(client, { kind: "failure" })).toEqual([]);
    expect((await listed(client, { kind: "tls" })).map(({ account }) => account)).toEqual(["other"]);
    const forbidden = { ok: false, error: { code: "forbidden" } };
    expect(await client.ask("listReports", { domain: DOMAIN, account: "acme", kind: "tls" })).toMatchObject(forbidden);
    const [theirs] = await listed(as("acme", "read"), { kind: "failure" });
    if (theirs === undefined) throw new Error("no report");
    const { domain, day, uid } = theirs;
    expect(await client.ask("getReport", { account: "acme", domain, day, uid })).toMatchObject(forbidden);
    expect(await client.ask("getReport", { account: "other", domain, day, uid })).toMatchObject({
      ok: false,
      error: { code: "not_found" },
    });
    expect(await client.ask("readRecords", { account: "acme", domain, day, uid })).toMatchObject(forbidden);
    const days = await client.ask("domainDays", { kind: "aggregate", ...PERIOD });
    expect(days.ok && days.value.items.map(({ day: one }) => one)).toEqual(["2026-01-13"]);
  });
});

it("an operator's answer goes on where the cursor says, and not in another list", async () => {
  const client = as("", "read");
  const begun = await client.ask("domainDays", { kind: "tls", ...PERIOD, limit: 1 });
  if (!begun.ok) throw new Error(begun.error.message);
  const other = await client.ask("listReports", { domain: DOMAIN, kind: "tls", ...PERIOD, cursor: begun.value.cursor });
  expect(other).toMatchObject({
    ok: false,
    error: { code: "bad_request", message: expect.stringContaining("cursor") },
  });
});
