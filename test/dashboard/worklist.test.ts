/** The page Worklist, its API and what each person sees of it, over a ledger in workerd's D1. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WorkItem } from "../../shared/watch/work.ts";
import { runCommand } from "../cli/run-command.ts";
import { putWork } from "../support/work-fill.ts";
import { API_TOKEN, apiOf, type Dashboard, pageOf, startDashboard } from "./harness.ts";

let dashboard: Dashboard;

const service = (domain: string, messages: number): WorkItem => {
  const link = `/domains/${domain}/sources/sendgrid.net`;
  return { code: "service", subject: "Twilio SendGrid", messages, refused: 0, weight: messages, link };
};

beforeAll(async () => {
  dashboard = await startDashboard({ vars: { API_TOKEN } });
  for (const account of ["acme", "globex"]) {
    await dashboard.ledger
      .prepare("INSERT INTO accounts (account, shard, created_seconds) VALUES (?1, 0, 1)")
      .bind(account)
      .all();
  }
  const acme = Array.from({ length: 40 }, (_, n) => {
    const domain = `a${n}.example`;
    return { account: "acme", domain, items: [service(domain, n + 1)] };
  });
  const publish: WorkItem = {
    code: "publish",
    subject: "p=quarantine; t=y",
    messages: 0,
    refused: 0,
    weight: 1,
    link: "/domains/b.example",
  };
  await putWork(dashboard.ledger, [
    ...acme,
    { account: "globex", domain: "b.example", items: [publish, service("b.example", 5000)] },
  ]);
  await dashboard.ledger
    .prepare(
      `INSERT INTO registered_domains (account, domain, rua, added_seconds, state, checked_seconds, setup)
        VALUES ('acme', 'new.example', 'x@rua.example', 1, 'recordNotFound', 1, '{}')`,
    )
    .bind()
    .all();
});

afterAll(() => dashboard.close());

const page = (path: string): Promise<string> => pageOf(dashboard, path);

const api = () => apiOf(dashboard);

describe("the Worklist page", () => {
  it("has a line per cause with its text, its domains, and a link to all of them", async () => {
    const text = await page("/worklist");
    expect(text).toContain("Twilio SendGrid without DKIM");
    expect(text).toContain('41<span class="hidden-label"> domains</span>');
    expect(text).toContain('href="/domains/b.example/sources/sendgrid.net"');
    expect(text).toContain("and 31 more");
    expect(text).toContain("Added, but no DMARC record");
    expect(text).toContain('href="/domains/new.example/setup?account=acme"');
    expect(text).toContain('<a href="/worklist" aria-current="page">');
  });

  it("lists the domains of a line page by page, and all of them in files", async () => {
    const path = "/worklist?code=service&subject=Twilio+SendGrid";
    const text = await page(path);
    expect(text).toContain("1 to 25 of 41 rows");
    expect(await page(`${path}&domains.page=2`)).toContain("26 to 41 of 41 rows");
    expect(text).toContain('aria-label="Page 2 of 2"');
    const rows: { domain: string; messages: number }[] = JSON.parse(await page(`${path}&export=json&table=domains`));
    expect(rows).toHaveLength(41);
    expect(rows[0]).toMatchObject({ domain: "b.example", messages: 5000 });
    expect(await page("/worklist?code=service&subject=nobody")).toContain("No domain has this any more");
  });

  it("has all lines in a file", async () => {
    const rows: { title: string }[] = JSON.parse(await page("/worklist?export=json&table=work"));
    expect(rows.map(({ title }) => title)).toEqual([
      "Twilio SendGrid without DKIM",
      "Ready for p=quarantine; t=y",
      "Added, but no DMARC record",
    ]);
  });
});

describe("the worklist of the API", () => {
  it("matches the page, and an account sees only its own lines", async () => {
    const all = await api().ask("worklist", {});
    if (!all.ok) throw new Error(all.error.message);
    expect(all.value.items[0]).toMatchObject({ code: "service", domains: 41, messages: 5820, weight: 5820 });
    const { stdout } = await runCommand(["worklist"], { DMARC_URL: dashboard.url, DMARC_TOKEN: API_TOKEN });
    expect(stdout).toContain("Twilio SendGrid without DKIM: 41 domains, 5,820 failing a week\n");
    const one = await api().ask("worklist", { account: "globex" });
    expect(one).toMatchObject({
      ok: true,
      value: { items: [{ domains: 1, link: "/domains/b.example/sources/sendgrid.net" }, {}] },
    });
    const domains = await api().ask("worklistDomains", { code: "service", subject: "Twilio SendGrid", offset: 40 });
    expect(domains).toMatchObject({ ok: true, value: { matching: 41, items: [{ domain: "a0.example" }] } });
    expect(await api().ask("worklistDomains", { code: "publish", account: "acme" })).toMatchObject({
      ok: true,
      value: { items: [], matching: 0 },
    });
  });
});
