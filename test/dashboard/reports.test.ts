/**
 * Reports of every kind on their pages, with the real process Worker behind them: found by the lists, shown whole, with
 * the raw file.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { TLS_LIMITS } from "../../shared/ledger/tls.ts";
import { PROCESS_LIMITS } from "../../shared/limits.ts";
import { fillPath, pageRoutes } from "../../workers/dashboard/routes.ts";
import { linksOf } from "../support/html.ts";
import { sampleReport } from "../support/sample-report.ts";
import { API_TOKEN } from "./harness.ts";
import { type Pipeline, startPipeline } from "./pipeline.ts";

const RUA = "reports@acme.example";
/** Two policies: the first names the domain the ledger keeps it under. */
const TLS = {
  "organization-name": "Mail Example",
  "date-range": { "start-datetime": "2023-11-14T00:00:00Z", "end-datetime": "2023-11-14T23:59:59Z" },
  "contact-info": "tls@mail.example",
  "report-id": "tls-1",
  policies: [
    {
      policy: { "policy-type": "sts", "policy-domain": "acme.example", "mx-host": ["mx1.acme.example"] },
      summary: { "total-successful-session-count": 90, "total-failure-session-count": 3 },
      "failure-details": [{ "result-type": "certificate-expired", "failed-session-count": 3 }],
    },
    {
      policy: { "policy-type": "tlsa", "policy-domain": "mx1.acme.example" },
      summary: { "total-successful-session-count": 7, "total-failure-session-count": 0 },
    },
  ],
};
const FAILURE = `From: reports@mail.example\r
To: ${RUA}\r
Subject: FW: Test\r
Message-ID: <f1@mail.example>\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=feedback-report; boundary=b\r
\r
--b\r
Content-Type: text/plain\r
\r
An authentication failure report.\r
--b\r
Content-Type: message/feedback-report\r
\r
Feedback-Type: auth-failure\r
User-Agent: Test/1\r
Version: 1\r
Auth-Failure: dmarc\r
Identity-Alignment: none\r
Delivery-Result: reject\r
Source-IP: 192.0.2.7\r
Reported-Domain: acme.example\r
Original-Mail-From: <someone@bounce.acme.example>\r
Arrival-Date: Tue, 14 Nov 2023 10:00:00 +0000\r
Reporting-MTA: dns; mx.mail.example\r
--b\r
Content-Type: text/rfc822-headers\r
\r
From: someone@acme.example\r
Subject: personal\r
--b--\r
`;
const PERIOD = "from=2023-11-01&to=2023-11-30";

let pipeline: Pipeline;

beforeAll(async () => {
  pipeline = await startPipeline();
  await pipeline.ask(`/registry/${RUA}`, "PUT", { account: "acme" });
  await pipeline.ask("/registry/kept@acme.example", "PUT", { account: "kept", failureReports: "store" });
  await pipeline.deliver(RUA, { "tls.json": JSON.stringify(TLS) });
  await pipeline.deliver(RUA, {
    "full.xml": sampleReport(),
    "empty.xml": sampleReport({ reportId: "e", records: [] }),
  });
  for (const to of [RUA, "kept@acme.example"]) {
    await pipeline.deliverMail({ from: "reports@mail.example", to, raw: FAILURE });
  }
  await pipeline.settled({ accepted: 5 });
});

afterAll(() => pipeline.close());

/** The first link of a table on a page. */
async function linkIn(path: string, pattern: RegExp): Promise<string> {
  const { text } = await pipeline.page(path);
  const link = pattern.exec(text)?.[1];
  if (link === undefined) throw new Error(`${path} has no link ${pattern}: ${text.slice(text.indexOf("<main"))}`);
  return link.replaceAll("&amp;", "&");
}

const REPORT = /href="(\/reports\/[^"]+)"/;

describe("a TLS report", () => {
  it.each(["acme.example", "mx1.acme.example"])(
    "is linked from %s, and says what failed and what to do",
    async (domain) => {
      const link = await linkIn(`/domains/${domain}/tls?${PERIOD}`, REPORT);
      const { status, text } = await pipeline.page(link);
      expect(status).toBe(200);
      for (const part of [
        "TLS report of Mail Example, 2023-11-14",
        "certificate-expired",
        "Renew the server&#39;s",
        "DANE",
      ]) {
        expect(text).toContain(part);
      }
      expect(text).not.toContain("The failure details name");
    },
  );

  it("offers its raw file and its tables", async () => {
    const link = await linkIn(`/domains/mx1.acme.example/tls?${PERIOD}`, REPORT);
    const [path = ""] = link.split("?");
    expect(JSON.parse((await pipeline.page(`${path}/raw`)).text)).toEqual(TLS);
    const rows = JSON.parse((await pipeline.page(`${path}?export=json&table=failures`)).text);
    expect(rows).toMatchObject([{ result: "certificate-expired", domain: "acme.example", sessions: 3 }]);
  });

  it("about a mail server alone is listed on the first page", async () => {
    const { text } = await pipeline.page(`/?${PERIOD}`);
    expect(text).toContain("Only in TLS or failure reports");
    expect(text).toContain("/domains/mx1.acme.example/tls");
  });
});

describe("a failure report", () => {
  it("is linked from its domain, and shows only domain-level facts", async () => {
    const list = `/domains/acme.example/failures?${PERIOD}`;
    const link = await linkIn(list, /href="(\/reports\/acme\/[^"]+)"/);
    const { text } = await pipeline.page(link);
    expect(text).toContain("Neither SPF nor DKIM passed");
    expect(text).toContain("The message was refused.");
    expect(text).toContain("bounce.acme.example");
    expect(text).not.toMatch(/someone|personal data of|Download/);
    expect(text).toContain("is not stored");
    const [path = ""] = link.split("?");
    expect((await pipeline.page(`${path}/raw`)).status).toBe(404);
    expect((await pipeline.page(list)).text).not.toContain("someone");
  });

  it("offers its raw file if its address keeps it", async () => {
    const link = await linkIn(`/domains/acme.example/failures?${PERIOD}`, /href="(\/reports\/kept\/[^"]+)"/);
    expect((await pipeline.page(link)).text).toContain("may contain people");
    expect((await pipeline.page(`${link.split("?")[0]}/raw`)).text).toContain("Feedback-Type: auth-failure");
  });
});

describe("an aggregate report", () => {
  it("without records is listed with the others and has a page", async () => {
    const link = await linkIn(`/domains/acme.example/reports?${PERIOD}&reports.sort=records`, REPORT);
    const { status, text } = await pipeline.page(link);
    expect(status).toBe(200);
    expect(text).toContain("The report has no record");
    expect((await pipeline.page(`${link.split("?")[0]}/raw`)).text).toContain("<report_id>e</report_id>");
  });

  it("reads its records from the raw file, and sorts, filters, pages and exports them", async () => {
    const [path = ""] = (await linkIn(`/domains/acme.example/reports?${PERIOD}&reports.sort=-records`, REPORT)).split(
      "?",
    );
    const records = async (query: string): Promise<{ record: number }[]> =>
      JSON.parse((await pipeline.page(`${path}?export=json&table=records&${query}`)).text);
    const places = async (query: string): Promise<number[]> => (await records(query)).map(({ record }) => record);
    expect(await places("")).toEqual([1, 2, 3]);
    expect(await places("records.sort=-messages")).toEqual([1, 2, 3]);
    expect(await places("records.q=2001:db8")).toEqual([3]);
    expect(await places("records.result=fail")).toEqual([2]);
    const shown = await pipeline.page(`${path}?records.result=fail&records.sort=messages`);
    expect(shown.text).toContain("1 row");
    expect((await pipeline.page(`${path}?records.q=nothing`)).text).toContain("No record matches");
  });
});

describe("an aggregate report of more records than process hands over at once", () => {
  it("is exported whole, in any order", async () => {
    const count = PROCESS_LIMITS.maxRecordsPerCall + 100;
    const records = Array.from({ length: count }, (_, place) => ({
      sourceIp: `2001:db8::${(place + 1).toString(16)}`,
      count: place + 1,
      pass: place % 2 === 0,
    }));
    const rua = "long@acme.example";
    await pipeline.ask(`/registry/${rua}`, "PUT", { account: "long" });
    await pipeline.deliver(rua, { "long.xml": sampleReport({ domain: "long.example", reportId: "long", records }) });
    await pipeline.settled({ accepted: 6 });
    const list = await pipeline.page(`/domains/long.example/reports?${PERIOD}`);
    const link = linksOf(list.text).find((href) => href.startsWith("/reports/long/")) ?? "";
    const { pathname } = new URL(link, pipeline.origin);
    const messages = async (query: string): Promise<number[]> => {
      const { text } = await pipeline.page(`${pathname}?export=json&table=records&${query}`);
      return JSON.parse(text).map((row: { messages: number }) => row.messages);
    };
    const all = records.map((record) => record.count);
    expect(await messages("")).toEqual(all);
    expect(await messages("records.sort=-messages")).toEqual(all.toReversed());
    expect(await messages("records.result=fail")).toEqual(all.filter((_, place) => place % 2 === 1));
  });
});

describe("a TLS report longer than a page can be", () => {
  it("is paged and limited on its page and in its files, and says what is left out", async () => {
    // Each from another server, so that no two are one.
    const count = TLS_LIMITS.maxGroups + 100;
    const failure = (place: number) => ({
      "result-type": "certificate-expired",
      "failed-session-count": 1,
      "sending-mta-ip": `2001:db8::${(place + 1).toString(16)}`,
      "receiving-mx-hostname": `=mx${place}`,
    });
    const report = {
      ...TLS,
      "report-id": "tls-many",
      policies: [
        {
          ...TLS.policies[0],
          policy: { "policy-type": "sts", "policy-domain": "many.example" },
          "failure-details": Array.from({ length: count }, (_, place) => failure(place)),
        },
      ],
    };
    const rua = "many@acme.example";
    await pipeline.ask(`/registry/${rua}`, "PUT", { account: "many" });
    await pipeline.deliver(rua, { "many.json": JSON.stringify(report) });
    await pipeline.settled({ accepted: 7 });
    const { text } = await pipeline.page(`/domains/many.example/tls?${PERIOD}`);
    // The summary and the details are not both fact.
    expect(text).toContain("sessions, the summary 3 failed ones");
    const link = linksOf(text).find((href) => href.startsWith("/reports/many/")) ?? "";
    const page = await pipeline.page(link);
    expect(page.status).toBe(200);
    expect(page.text.length).toBeLessThan(100_000);
    expect(page.text).toContain(
      "Only 5,000 rows are shown, and there may be more: those with the most sessions come first.",
    );
    expect(page.text).toContain("The failure details name 5,000 sessions, the summary 3 failed ones.");
    expect(page.text).toContain(`Page 1 of ${TLS_LIMITS.maxGroups / 25}`);
    const { pathname } = new URL(link, pipeline.origin);
    const csv = await pipeline.page(`${pathname}?export=csv&table=failures`);
    expect(csv.text.trimEnd().split("\r\n")).toHaveLength(TLS_LIMITS.maxGroups + 1);
    expect(csv.text).not.toMatch(/(^|[,"])=/m);
    const json = await pipeline.page(`${pathname}?export=json&table=failures`);
    expect(JSON.parse(json.text)).toHaveLength(TLS_LIMITS.maxGroups);
    // Its points are 22 slices, an invocation each.
  }, 120_000);
});

describe("taking a report back", () => {
  const post = async (path: string, fields: Record<string, string>): Promise<Response> =>
    fetch(pipeline.origin + path, {
      method: "POST",
      redirect: "manual",
      headers: { authorization: `Bearer ${API_TOKEN}`, "content-type": "application/x-www-form-urlencoded" },
      body: String(new URLSearchParams(fields)),
    });
  const messages = async (): Promise<number> =>
    (await pipeline.ask<{ messages: number }>("/stats?domain=acme.example")).messages;

  it("requires a reason and a confirmation, shows who and why, and can be undone", async () => {
    const link = await linkIn(`/domains/acme.example/reports?${PERIOD}&reports.sort=-records`, REPORT);
    const [path = ""] = link.split("?");
    expect(await messages()).toBe(8);
    for (const [fields, reason] of [
      [{ action: "take-back", confirmed: "yes", reason: " " }, "Give a reason"],
      [{ action: "take-back", reason: "forged" }, "Confirm"],
      [{ action: "undo" }, "The report is accepted"],
      [{}, "action must be"],
    ] as const) {
      const refused = await post(path, fields);
      expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining(reason)]);
    }
    expect(await messages()).toBe(8);

    const taken = await post(path, { action: "take-back", confirmed: "yes", reason: "forged <b>" });
    expect([taken.status, taken.headers.get("location")]).toEqual([303, `${path}?said=takenBack`]);
    expect(await messages()).toBe(0);
    const { text } = await pipeline.page(path);
    expect(text).toContain("This report was taken back: it counts in no figure.");
    expect(text).toMatch(/Decided by <bdi>API token<\/bdi> on 20\d\d-.*<bdi>forged &lt;b&gt;<\/bdi>/);
    expect((await pipeline.page(`/domains/acme.example/reports?${PERIOD}`)).text).not.toContain(path);
    expect((await pipeline.page(`${path}/raw`)).status).toBe(200);

    expect((await post(path, { action: "undo" })).status).toBe(303);
    expect(await messages()).toBe(8);
    expect((await pipeline.page(path)).text).toContain("Take the report back");
    await pipeline.settled({});
    expect(await messages()).toBe(8);
  });
});

describe("a report of a long name and large figures", () => {
  const NAME = "Mail Organisation ".repeat(17).trim();
  const period: [number, number] = [1_700_000_000, 1_700_086_399];
  const about = "/domains/large.example";

  beforeAll(async () => {
    await pipeline.ask("/registry/large@large.example", "PUT", { account: "large" });
    const records = Array.from({ length: 10 }, (_, i) => ({
      sourceIp: `192.0.2.${i}`,
      count: 1_000_000_000,
      pass: i > 0,
    }));
    const report = sampleReport({ reportId: "large", orgName: NAME, domain: "large.example", records, period });
    await pipeline.deliver("large@large.example", { "large.xml": report });
    await vi.waitUntil(
      async () => (await pipeline.page(`${about}?${PERIOD}`)).text.includes("10,000,000,000"),
      120_000,
    );
  });

  it("has its figures in letters that fit, and its name cut in the page's head alone", async () => {
    const { text } = await pipeline.page(`${about}?${PERIOD}`);
    expect(text).toContain('<div class="value long">10,000,000,000</div>');
    const { text: page } = await pipeline.page(await linkIn(`${about}/reports?${PERIOD}`, REPORT));
    const [, head = ""] = /<h1[^>]*>(.*?)<\/h1>/s.exec(page) ?? [];
    expect(head).toContain(`${NAME.slice(0, 75)}`);
    expect(head).not.toContain(NAME.slice(0, 100));
    expect(page).toContain(NAME.slice(0, 100));
  });

  it("shows the same of an address, whichever way its link names it", async () => {
    const days = async (path: string): Promise<string> =>
      (await pipeline.page(`${about}/${path}?${PERIOD}&export=csv&table=days`)).text;
    expect(await days("sources/192.0.2.0")).toContain("1000000000");
    expect(await days("sources/192.0.2.0")).toBe(await days("addresses/192.0.2.0"));
  });

  it("is no reason to say that there is nothing to do before there is a verdict", async () => {
    const { text } = await pipeline.page("/report?account=large&month=2023-11");
    expect(text).toContain("No domain has a verdict yet");
    expect(text).not.toMatch(/Nothing to do|Today:/);
  });
});

it.each(["records", "inbound"])("%s of a domain without reports leads to its set-up", async (page) => {
  const { text } = await pipeline.page(`/domains/nothing.example/${page}`);
  expect(text).toContain('href="/domains/nothing.example/setup"');
});

describe("when the engine has stopped", () => {
  it("every page is unchanged", async () => {
    const [path = ""] = (await linkIn(`/domains/acme.example/reports?${PERIOD}`, REPORT)).split("?");
    await pipeline.stopEngine();
    const named = { domain: "acme.example", source: "acme.example", address: "192.0.2.7", account: "acme" };
    const listed = pageRoutes().filter(([page]) => !page.startsWith("/reports/") && !/:id|\/logo$/.test(page));
    for (const page of [path, `${path}/raw`, ...listed.map(([route]) => `${fillPath(route, named)}?${PERIOD}`)]) {
      expect((await pipeline.page(page)).status, page).toBe(200);
    }
  });
});
