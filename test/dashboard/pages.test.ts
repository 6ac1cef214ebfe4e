/** Pages over a ledger in workerd's D1: figures, periods of a year, what is not known, single reports, files. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noteRefusedMail } from "../../shared/ledger/refused-mail.ts";
import { FREE_PLAN_LIMITS } from "../../shared/limits.ts";
import { fillPath, pageRoutes } from "../../workers/dashboard/routes.ts";
import { aggregateReport, commitSamples, type Sample, sampleRecord } from "../support/ledger-fill.ts";
import { TODAY } from "../support/today.ts";
import { API_TOKEN, type Dashboard, startDashboard } from "./harness.ts";

const nowSeconds = Math.floor(Date.now() / 1000);
const iso = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);

let dashboard: Dashboard;

function sample(uid: string, day: number, count: number, changes: Partial<Sample> = {}): Sample {
  const records = [
    sampleRecord("acme.example", { count }),
    sampleRecord("acme.example", {
      count: 1,
      sourceIp: "203.0.113.9",
      dkim: "fail",
      disposition: "reject",
      dkimResults: [],
      reasons: [{ type: "forwarded", rawType: "", comment: "" }],
    }),
  ];
  return {
    account: "acme",
    uid: uid.repeat(32),
    report: aggregateReport("acme.example", { day, records }),
    records,
    receivedSeconds: (day + 1) * 86_400,
    ...changes,
  };
}

beforeAll(async () => {
  dashboard = await startDashboard({ vars: { API_TOKEN } });
  const samples = [sample("1", TODAY - 1, 100), sample("2", TODAY - 40, 20), sample("3", TODAY - 300, 7)];
  for (const one of samples) await commitSamples(dashboard.ledger, [one], { nowSeconds });
  const empty = aggregateReport("acme.example", { day: TODAY - 2, records: [], reporter: "Nothing Seen" });
  await commitSamples(dashboard.ledger, [sample("4", TODAY - 2, 0, { report: empty, records: [] })], { nowSeconds });
  // The oldest day is final: its sums are kept, its details are gone.
  await dashboard.ledger.prepare(`UPDATE domain_days SET is_final = 1 WHERE day = ${TODAY - 300}`).all();
  await dashboard.ledger.prepare(`DELETE FROM reports WHERE day = ${TODAY - 300}`).all();
});

afterAll(() => dashboard.close());

async function text(path: string): Promise<string> {
  const answer = await dashboard.ask(path, { headers: { accept: "text/html" } });
  expect(answer.status, path).toBe(200);
  return answer.text();
}

async function rows(path: string): Promise<Record<string, string | number>[]> {
  return JSON.parse(await text(path));
}

describe("a domain without reports", () => {
  it("has no record with a stranger's address, and leads to its own for TLS reports", async () => {
    const page = await text("/domains/new.example/tls");
    expect(page).not.toContain("mailto:");
    expect(page).toContain('<a href="/domains/new.example/setup">The set-up</a> has it');
  });

  it("is led to what is missing, and to reports that couldn't be read", async () => {
    const page = await text("/domains/new.example");
    expect(page).toContain('<a href="/domains/new.example/setup">Its set-up</a> says whether they are on their way.');
    expect(page).toContain('<a href="/">All domains</a> counts those that couldn&#39;t be read.');
  });
});

describe("each page", () => {
  const day = iso(TODAY - 1);
  const named = {
    ...{ account: "acme", domain: "acme.example", address: "192.0.2.1", source: "acme.example" },
    ...{ day, uid: "1".repeat(32), id: `${day.replaceAll("-", "")}-a` },
  };

  it.each(pageRoutes().map(([path]) => path))(
    "of three databases takes no more queries than the free plan has: %s",
    async (path) => {
      const { headers, status } = await dashboard.ask(fillPath(path, named), { headers: { accept: "text/html" } });
      const [, statements] = /(\d+) statements/.exec(headers.get("server-timing") ?? "") ?? [];
      expect(status).toBeLessThan(500);
      // An operator's page asks each database.
      expect(3 * Number(statements)).toBeLessThanOrEqual(FREE_PLAN_LIMITS.maxQueriesPerInvocation);
    },
  );
});

describe("periods", () => {
  it("of a year include days kept only as sums, and say what is unknown about them", async () => {
    const page = await text("/domains/acme.example?days=365");
    expect(page).toContain("12 months");
    expect(page).toContain("130");
    expect(page).toContain(`Up to <span class="nowrap">${iso(TODAY - 300)}</span> only daily totals`);
    expect(page).toContain(`The first report is for <span class="nowrap">${iso(TODAY - 300)}</span>`);
    const days = await rows("/domains/acme.example?days=365&export=json&table=days");
    expect(days).toHaveLength(301);
    expect(days.find(({ day }) => day === iso(TODAY - 300))).toMatchObject({ messages: 8, passed: 7, failed: 1 });
    const sources = await rows("/domains/acme.example/sources?days=365&export=json&table=sources");
    expect(sources.map(({ messages }) => messages)).toEqual([120, 2]);
  });

  it("do not mention limits they do not reach, and go back ten years", async () => {
    expect(await text("/domains/acme.example?days=30")).not.toContain("only daily totals");
    expect(await text(`/domains/acme.example?from=${iso(TODAY - 3000)}&to=${iso(TODAY)}`)).toContain(
      "there is no data before that",
    );
    const before = await text(`/domains/acme.example?from=${iso(TODAY - 900)}&to=${iso(TODAY - 800)}`);
    expect(before).toContain("there is no data before that");
  });

  it("lead to the newest report where none is about the period, and else do not", async () => {
    const range = `from=${iso(TODAY - 900)}&to=${iso(TODAY - 800)}`;
    const newest = `?from=${iso(TODAY - 30)}&amp;to=${iso(TODAY - 1)}`;
    for (const path of ["/domains/acme.example", "/domains/acme.example/sources", "/domains/acme.example/reports"]) {
      const page = await text(`${path}?${range}`);
      expect(page, path).toContain("No report is about this period");
      expect(page, path).toContain(newest);
      expect(await text(path), path).not.toContain("No report is about this period");
    }
  });

  it("are not chosen on pages about today's DNS", async () => {
    for (const path of ["/domains/acme.example/records", "/domains/acme.example/inbound"])
      expect(await text(path), path).not.toContain('aria-label="Period"');
  });
});

describe("domains", () => {
  it("show the previous period and the trend, on pages and in files", async () => {
    const page = await text("/?days=30");
    expect(page).toContain("↑ 381 % from 21");
    const [domain] = await rows("/?days=30&export=json&table=domains");
    expect(domain).toMatchObject({
      domain: "acme.example",
      messages: 101,
      passed: 100,
      messages_before: 21,
      reports: 2,
    });
    expect(await text("/?domains.q=nothing")).toContain("No domain of this period matches");
    expect(await text(`/?from=${iso(TODAY - 20)}&to=${iso(TODAY - 10)}`)).toContain("Show 12 months");
  });
});

describe("single reports", () => {
  const path = (uid: string, day: number): string => `/reports/acme/acme.example/${iso(day)}/${uid.repeat(32)}`;

  it("are listed, including those without records, and sorted, filtered and paged by the database", async () => {
    const list = "/domains/acme.example/reports?days=90";
    expect((await rows(`${list}&export=json&table=reports`)).map(({ messages }) => messages)).toEqual([101, 0, 21]);
    expect((await rows(`${list}&export=json&table=reports&reports.sort=messages`)).map((row) => row.messages)).toEqual([
      0, 21, 101,
    ]);
    expect(await rows(`${list}&export=json&table=reports&result=fail&source=203.0.113.9`)).toMatchObject([
      { records: 1, messages: 1 },
      { records: 1, messages: 1 },
    ]);
    expect(await text(`${list}&reports.q=nothing+seen`)).toContain("1 row");
    expect(await text(`${list}&reports.q=no+such`)).toContain("No report matches");
  });

  it("show records as process reads them, or say that the raw file is gone", async () => {
    const page = await text(path("1", TODAY - 1));
    expect(page).toContain("101 messages in 2 records");
    expect(page).toContain("192.0.2.1");
    expect(await text(`${path("1", TODAY - 1)}?records.q=nothing`)).toContain("No record matches");
    expect(await text(`${path("1", TODAY - 1)}?records.q=gone`)).toContain("raw/x is no longer in R2.");
    expect(await text(path("4", TODAY - 2))).toContain("The report has no record");
  });

  it("are also found by the first day of their period, until their details are gone", async () => {
    expect(await text(path("2", TODAY - 41))).toContain("21 messages");
    const gone = await dashboard.ask(path("3", TODAY - 300));
    expect(gone.status).toBe(404);
  });
});

describe("a source", () => {
  it("shows its figures, days, newest records and reports", async () => {
    const page = "/domains/acme.example/addresses/203.0.113.9?days=90";
    expect(await rows(`${page}&export=json&table=records`)).toMatchObject([
      { day: iso(TODAY - 1), messages: 1, disposition: "reject", reasons: "forwarded" },
      { day: iso(TODAY - 40), messages: 1 },
    ]);
    expect(await rows(`${page}&export=json&table=reports`)).toHaveLength(2);
    expect(await text("/domains/acme.example/sources/acme.example?days=90")).toContain("120");
  });
});

describe("the operations page", () => {
  it("counts outcomes by day without Analytics Engine", async () => {
    const outcomes = await rows("/operations?days=90&export=json&table=outcomes");
    expect(outcomes.reduce((sum, { events }) => sum + Number(events), 0)).toBe(3);
    expect(await text("/operations")).toContain("dmarc-reports");
  });

  it("begins with what to do next, and the command for it", async () => {
    const page = await text("/operations");
    expect(page).toContain(
      '<li>2 files pending, the oldest of 2026-11-20: <code data-copy="">dmarc reconcile --since 2026-11-20 --watch</code></li>',
    );
    expect(page).toContain(
      '<ul class="findings"><li>The ledger&#39;s database 1, which accounts live in, is not bound, and their mail ends as dead letters: deploy again: ' +
        '<code data-copy="">npm run deploy -- --databases 2</code></li>',
    );
    expect(page.indexOf("To do")).toBeLessThan(page.indexOf("Open dead letters"));
  });

  it("tells of refused mail of the last week, as the command does, whatever period is shown", async () => {
    const mail = { recipient: "mistyped@acme.example", sender: "reports@receiver.example" };
    await noteRefusedMail(dashboard.ledger, { ...mail, seconds: (TODAY - 30) * 86_400 });
    const page = await text("/operations?days=90");
    expect(page).toContain("mistyped@acme.example");
    expect(page).not.toContain("dmarc rua refused</code></li>");
    const spam = { recipient: "sales@acme.example", sender: "offers@shop.example", seconds: TODAY * 86_400 };
    await noteRefusedMail(dashboard.ledger, spam);
    expect(await text("/operations?days=90")).not.toContain("dmarc rua refused</code></li>");
    await noteRefusedMail(dashboard.ledger, { ...mail, seconds: TODAY * 86_400 });
    expect(await text("/operations?days=90")).toContain(
      '<li>1 mail to unregistered addresses looks like a report: <code data-copy="">dmarc rua refused</code></li>',
    );
  });
});

// After the others: it adds reports.
describe("one of a thing", () => {
  const day = TODAY - 1;

  beforeAll(async () => {
    const records = [sampleRecord("one.example")];
    for (const [uid, domain, state] of [
      ["5", "one.example", "unchecked"],
      ["6", "forged.example", "unverified"],
    ] as const) {
      const report = aggregateReport(domain, { day, records });
      const sender = { state, domain: "" };
      await commitSamples(dashboard.ledger, [sample(uid, day, 1, { report, records, sender })], { nowSeconds });
    }
  });

  it("is in the singular: messages, records and reports", async () => {
    const report = await text(`/reports/acme/one.example/${iso(day)}/${"5".repeat(32)}`);
    expect(report).toContain("1 message in 1 record; 100 % pass DMARC.");
    expect(await text("/domains/one.example")).toMatch(/All counted\s+messages come from/);
    expect(await text("/domains/forged.example")).toMatch(/come from\s+1 report whose sender isn&#39;t/);
  });

  it("has tables with a name and the roles that a phone's layout takes from them", async () => {
    const report = await text(`/domains/one.example/report?month=${iso(day).slice(0, 7)}`);
    expect(report).toContain('role="table" aria-labelledby="weeks"');
    expect(report).toContain('<th scope="col" role="columnheader"');
    expect(report).toContain('<th scope="row" role="rowheader"');
  });
});
