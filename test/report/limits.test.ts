/** What one object may cost and say: each limit of the reader is gone past, by the kinds of mail that cost their sender nothing. */
import { describe, expect, it, test } from "vitest";
import { mulberry32 } from "../../local/random.ts";
import { READ_LIMITS } from "../../shared/limits.ts";
import { acceptedPart } from "../../shared/report/accepted.ts";
import { ReadBudget, Refusal } from "../../shared/report/budget.ts";
import { gatherProblems, problem } from "../../shared/report/problems.ts";
import { gzip, joinBytes, zip } from "../support/archives.ts";
import { NOW_SECONDS, readAll } from "../support/read.ts";
import { changed, numbered, ORDINARY, record, withRecords } from "../support/report-xml.ts";
import { sampleTlsReport } from "../support/sample-report.ts";

const RECORD = record().replace(/\n/g, "");
const DAY_SECONDS = 86_400;

async function codesOf(content: string | Uint8Array): Promise<string[]> {
  const { reports, problems } = await readAll(content);
  expect(reports).toEqual([]);
  return problems.map(({ code }) => code);
}

/** A gzip of a text in members of a million characters. */
function inMembers(text: string): Uint8Array[] {
  return Array.from({ length: Math.ceil(text.length / 1e6) }, (_, i) => gzip(text.slice(i * 1e6, (i + 1) * 1e6)));
}

/** Records from addresses that do not pack as well as equal ones. */
function differing(count: number): string {
  const random = mulberry32(7);
  const octet = () => Math.floor(256 * random());
  return Array.from({ length: count }, () => RECORD.replace("192.0.2.9", `192.0.${octet()}.${octet()}`)).join("");
}

it("a text is searched for a report up to as much as may stand before one", async () => {
  const text = (blanks: number): string =>
    `Hello\n${" ".repeat(blanks)}\n${sampleTlsReport("acme.example", "2026-01-01")}`;
  const around = text(0).length;
  const { reports } = await readAll(text(READ_LIMITS.maxFrameChars - around));
  expect(reports.map(({ report }) => report.kind)).toEqual(["tls"]);
  expect(await codesOf(text(READ_LIMITS.maxFrameChars - around + 1))).toEqual(["not_a_report"]);
});

describe("an object that expands too much is refused as a whole", () => {
  const bulk = withRecords(RECORD.repeat(100_000));

  it.each([
    ["equal records, packed twice", gzip(gzip(bulk))],
    ["equal records in several gzip members", joinBytes(...inMembers(withRecords(RECORD.repeat(50_000))))],
    ["gzips in a zip", zip(Array.from({ length: 22 }, (_, i) => ({ name: `${i}.xml.gz`, content: gzip(bulk) })))],
    ["a good report before the others", zip([ORDINARY, bulk].map((content, i) => ({ name: `${i}.xml`, content })))],
    ["white space", gzip(withRecords(`${RECORD}${" ".repeat(900_000)}`.repeat(5)))],
  ])("%s", async (_, bytes) => {
    expect(await codesOf(bytes)).toEqual(["too_large"]);
  });

  it("unless it is a small report of equal records, or a large one with different records", async () => {
    const small = await readAll(gzip(withRecords(RECORD.repeat(700))));
    expect(small.reports[0]?.records.length).toBe(700);
    const large = await readAll(gzip(withRecords(differing(50_000))));
    expect(large.reports[0]?.records.length).toBe(50_000);
  });

  it("for its records, however few bytes they have", async () => {
    const short = "<record><row><source_ip>::1</source_ip><count>1</count></row></record>";
    expect(await codesOf(gzip(withRecords(short.repeat(READ_LIMITS.freeRecords + 1))))).toEqual(["too_large"]);
  });

  it("for its documents", async () => {
    // A zip within a gzip: what its directory repeats costs nothing.
    const files = Array.from({ length: READ_LIMITS.freeDocuments + 1 }, (_, i) => ({
      name: `${i}`,
      content: numbered("1"),
    }));
    expect(await codesOf(gzip(zip(files)))).toEqual(["too_large"]);
  });

  it("for the policies of a TLS report", async () => {
    const policies = Array(READ_LIMITS.freeRecords + 1).fill({ policy: { "policy-domain": "a.example" } });
    expect(await codesOf(gzip(tls({ policies })))).toEqual(["too_large"]);
  });
});

describe("a TLS report whose rows in the ledger would be many times as large is refused", () => {
  const policyOf = (domain: string, strings: string[] = []): object => ({
    policy: { "policy-type": "sts", "policy-domain": domain, "policy-string": strings },
    summary: { "total-successful-session-count": 1, "total-failure-session-count": 0 },
  });
  const policiesOf = (count: number): object[] => Array.from({ length: count }, (_, i) => policyOf(`d${i}.example`));
  const week = { "start-datetime": "2026-11-02T00:00:00Z", "end-datetime": "2026-11-09T00:00:00Z" };

  it.each([
    [
      "domains",
      { policies: policiesOf(READ_LIMITS.maxPolicyRows) },
      { policies: policiesOf(READ_LIMITS.maxPolicyRows + 1) },
    ],
    [
      "domains and days",
      { "date-range": week, policies: policiesOf(Math.floor(READ_LIMITS.maxPolicyRows / 7)) },
      { "date-range": week, policies: policiesOf(Math.floor(READ_LIMITS.maxPolicyRows / 7) + 1) },
    ],
    [
      "policies",
      { policies: Array(READ_LIMITS.maxPolicies).fill(policyOf("a.example")) },
      { policies: Array(READ_LIMITS.maxPolicies + 1).fill(policyOf("a.example")) },
    ],
    [
      "characters of policies",
      { policies: [policyOf("a.example", Array(20).fill("x".repeat(READ_LIMITS.maxPolicyChars / 20)))] },
      { policies: [policyOf("a.example", [...Array(20).fill("x".repeat(READ_LIMITS.maxPolicyChars / 20)), "x"])] },
    ],
  ])("for its %s", async (_, most, more) => {
    expect((await readAll(tls(most))).reports).toHaveLength(1);
    expect(await codesOf(tls(more))).toEqual(["too_large"]);
  });
});

describe("a budget", () => {
  const takings = (size: number, take: (budget: ReadBudget) => void, objectsOfMail?: number) => () => {
    take(new ReadBudget(size, objectsOfMail));
  };

  it("is finite for objects of any size", () => {
    const huge = Number.MAX_SAFE_INTEGER;
    const { maxOutputBytes, maxRecords, maxGeneralChars, maxParserChars, maxReportChars } = READ_LIMITS;
    const ends: [(budget: ReadBudget, amount: number) => void, number][] = [
      [(budget, bytes) => budget.takeOutput(bytes), maxOutputBytes],
      [(budget, records) => budget.takeRecords(records), maxRecords],
      [(budget, chars) => budget.takeGeneral(chars), maxGeneralChars],
      [(budget, chars) => budget.takeParser(chars), maxParserChars],
      [(budget, chars) => budget.takeHeld(chars), maxReportChars],
    ];
    for (const [take, most] of ends) {
      expect(takings(huge, (budget) => take(budget, most))).not.toThrow();
      expect(takings(huge, (budget) => take(budget, most + 1))).toThrow(Refusal);
    }
    const documents = (count: number) => (budget: ReadBudget) => {
      for (let i = 0; i < count; i++) budget.takeDocument();
    };
    expect(takings(huge, documents(READ_LIMITS.maxDocuments))).not.toThrow();
    expect(takings(huge, documents(READ_LIMITS.maxDocuments + 1))).toThrow(Refusal);
  });

  it("grows with the bytes received, and the objects of a mail share the allowance", () => {
    const { maxOutputRatio, freeRecords } = READ_LIMITS;
    expect(takings(1e6, (budget) => budget.takeOutput(1e6 * maxOutputRatio))).not.toThrow();
    expect(takings(1e6, (budget) => budget.takeOutput(1e6 * maxOutputRatio + 1))).toThrow(Refusal);
    expect(takings(100, (budget) => budget.takeRecords(freeRecords), 1)).not.toThrow();
    expect(takings(100, (budget) => budget.takeRecords(freeRecords), 2)).toThrow(Refusal);
  });
});

describe("an object that takes too long to read is refused as a whole", { timeout: 60_000 }, () => {
  it("for records that only the XML parser can read", async () => {
    const text = RECORD.replace("<row>", `<row a="1"><x>${"x".repeat(100_000)}</x>`);
    const count = Math.ceil(READ_LIMITS.maxParserChars / text.length) + 1;
    expect(await codesOf(withRecords(text.repeat(count)))).toEqual(["too_large"]);
  });

  it("for reports with much beside their records", async () => {
    const errors = `<error>${"x".repeat(8000)}</error>`.repeat(READ_LIMITS.maxReportErrors);
    const report = ORDINARY.replace("</report_metadata>", `${errors}</report_metadata>`);
    const files = Array.from({ length: 60 }, (_, i) => ({ name: `${i}`, content: report, method: 0 as const }));
    expect(await codesOf(zip(files))).toEqual(["too_large"]);
  });
});

describe("a record", () => {
  const { maxResultsPerRecord: most } = READ_LIMITS;
  const auth = (count: number) => "<dkim><domain>a.example</domain><result>pass</result></dkim>".repeat(count);
  const spf = (count: number) => "<spf><domain>a.example</domain><result>pass</result></spf>".repeat(count);
  const reasons = (count: number) =>
    `<disposition>none</disposition><dkim>pass</dkim><spf>pass</spf>${"<reason><type>other</type></reason>".repeat(count)}`;

  it("keeps a hundred results and reasons, and says what was cut", async () => {
    const full = record({ auth: auth(most) + spf(most), evaluated: reasons(most) });
    const over = record({ auth: auth(most + 1) + spf(most + 1), evaluated: reasons(most + 1) });
    // Twice, for the second one could be of a known shape.
    const { reports } = await readAll(withRecords(full, full, over, over));
    const [found] = reports;
    for (const one of found?.records ?? []) {
      expect([one.dkimResults.length, one.spfResults.length, one.reasons.length]).toEqual([most, most, most]);
    }
    expect(found?.report.warnings.map(({ code, path }) => `${code} ${path}`)).toEqual(
      [2, 3].flatMap((i) => [
        `value_cut record[${i}]/row/policy_evaluated/reason`,
        `value_cut record[${i}]/auth_results/dkim`,
        `value_cut record[${i}]/auth_results/spf`,
      ]),
    );
  });

  it.each(["<dkim/>", "<dkim></dkim>", "<?x?>", "<!-- -->", "<![CDATA[x]]>"])(
    "with more than two thousand of %s is skipped",
    async (element) => {
      const large = record({ auth: element.repeat(READ_LIMITS.maxRecordElements + 1) });
      const { reports } = await readAll(withRecords(RECORD, large, RECORD));
      expect(reports[0]?.report).toMatchObject({ totals: { records: 2, skippedRecords: 1 } });
    },
  );

  it("is skipped without an address or beyond a billion messages, even if its shape is known", async () => {
    const bad = [record({ ip: "" }), record({ ip: "nobody" }), record({ count: `${READ_LIMITS.maxCount + 1}` })];
    const { reports } = await readAll(withRecords(RECORD, ...bad, record({ count: `${READ_LIMITS.maxCount}` })));
    expect(reports[0]?.report).toMatchObject({ totals: { records: 2, skippedRecords: 3, messages: 1_000_000_001 } });
  });

  it("ends the report when more than a thousand are unusable", async () => {
    const bad = record({ count: "none" });
    const { maxSkippedRecords } = READ_LIMITS;
    const { reports } = await readAll(withRecords(bad.repeat(maxSkippedRecords), RECORD));
    expect(reports[0]?.report).toMatchObject({ totals: { records: 1, skippedRecords: maxSkippedRecords } });
    expect(await codesOf(withRecords(bad.repeat(maxSkippedRecords + 1), RECORD))).toEqual(["unusable_records"]);
  });
});

test("the first twenty errors in the metadata are kept", async () => {
  const { maxReportErrors } = READ_LIMITS;
  const xml = ORDINARY.replace(
    "</report_metadata>",
    `${"<error>e</error>".repeat(maxReportErrors + 1)}</report_metadata>`,
  );
  const { reports } = await readAll(xml);
  expect(reports[0]?.report).toMatchObject({ metadata: { errors: Array(maxReportErrors).fill("e") } });
  expect(reports[0]?.report.warnings.map(({ code }) => code)).toEqual(["value_cut"]);
});

test("end tags without a start are counted", async () => {
  const stray = "</x>".repeat(READ_LIMITS.maxXmlElements + 1);
  expect(await codesOf(ORDINARY.replace("</feedback>", `${stray}</feedback>`))).toEqual(["too_large"]);
});

describe("a period", () => {
  const dates = (begin: number, end: number) =>
    changed([/<begin>.*<\/end>/, `<begin>${begin}</begin><end>${end}</end> `]);
  const { maxFutureSeconds, maxPeriodSeconds } = READ_LIMITS;
  const latest = NOW_SECONDS + maxFutureSeconds;

  it.each([
    ["that ends now", dates(NOW_SECONDS - DAY_SECONDS, NOW_SECONDS), true],
    ["that ends in two days", dates(latest - DAY_SECONDS, latest), true],
    ["that ends a second later", dates(latest - DAY_SECONDS, latest + 1), false],
    ["that begins later and has ended", dates(latest + 1, NOW_SECONDS), false],
    ["of 35 days", dates(1_700_000_000, 1_700_000_000 + maxPeriodSeconds), true],
    ["of a second more", dates(1_700_000_000, 1_700_000_001 + maxPeriodSeconds), false],
    ["of 113 years whose middle is now", dates(DAY_SECONDS, 3_590_000_000), false],
    ["of a year backwards", dates(1_700_000_000, 1_668_464_000), false],
  ])("%s", async (_, xml, isRead) => {
    const { reports, problems } = await readAll(xml);
    expect(reports.length).toBe(isRead ? 1 : 0);
    expect(problems.map(({ code }) => code)).toEqual(isRead ? [] : ["implausible_period"]);
  });

  it("that is only too long is shown on request with a warning, as is a count of billions", async () => {
    const xml = dates(1_700_000_000, 1_720_000_000).replace("<count>7<", "<count>4294967296<");
    const { reports } = await readAll(xml, undefined, { isLenient: true });
    expect(reports[0]?.report.warnings.map(({ path }) => path)).toEqual([
      "record[0]/row/count",
      "report_metadata/date_range",
    ]);
    const { maxShownCount } = READ_LIMITS;
    const past = await readAll(ORDINARY.replace("<count>7<", `<count>${maxShownCount + 1}<`), undefined, {
      isLenient: true,
    });
    expect(past.reports[0]?.report).toMatchObject({ totals: { records: 1, skippedRecords: 1 } });
  });

  it("of a TLS report has the same limits", async () => {
    const range = { "start-datetime": "2026-01-01T00:00:00Z", "end-datetime": "2027-06-01T00:00:00Z" };
    expect(await codesOf(tls({ "date-range": range }))).toEqual(["implausible_period"]);
  });
});

test("more than a billion sessions, or an arrival in the future, are ignored", async () => {
  const summary = { "total-successful-session-count": READ_LIMITS.maxCount + 1, "total-failure-session-count": 3 };
  const { reports } = await readAll(
    tls({ policies: [{ policy: { "policy-type": "sts", "policy-domain": "a.example" }, summary }] }),
  );
  expect(reports[0]?.report).toMatchObject({ policies: [{ successfulSessionCount: 0, failedSessionCount: 3 }] });
  expect(reports[0]?.report.warnings.map(({ code }) => code)).toEqual(["invalid_value"]);
  const notice = [
    "From: a@b.example",
    'Content-Type: multipart/report; report-type=feedback-report; boundary="b"',
    "",
    "--b",
    "Content-Type: message/feedback-report",
    "",
    "Feedback-Type: auth-failure",
    "Auth-Failure: dmarc",
    "Source-IP: 192.0.2.1",
    "Reported-Domain: acme.example",
    "Arrival-Date: Sat, 01 Jan 2050 00:00:00 +0000",
    "--b--",
    "",
  ].join("\r\n");
  const failure = await readAll(notice);
  expect(failure.reports[0]?.report).toMatchObject({ arrivalSeconds: null });
});

test("a TLS report larger than the parser's limit is refused", async () => {
  const text = "x".repeat(READ_LIMITS.maxJsonBytes);
  expect(await codesOf(tls({ filler: text }))).toEqual(["too_large"]);
});

describe("a registered address", () => {
  it("accepts only the policies of its own domains in a TLS report", async () => {
    const policies = ["a.example", "bank.example", "b.example"].map((domain) => ({
      policy: { "policy-type": "sts", "policy-domain": domain },
      summary: { "total-successful-session-count": 1, "total-failure-session-count": 0 },
    }));
    const { reports } = await readAll(tls({ policies }));
    const [found] = reports;
    if (found?.report.kind !== "tls") throw new Error("no TLS report");
    const accepted = acceptedPart(found.report, (domain) => domain === "a.example" || domain === "b.example");
    expect(accepted).toMatchObject({ policies: [{ policyDomain: "a.example" }, { policyDomain: "b.example" }] });
    expect(accepted?.warnings.map(({ code }) => code)).toEqual(["foreign_policy"]);
    expect(acceptedPart(found.report, () => true)).toBe(found.report);
    expect(acceptedPart(found.report, () => false)).toBeUndefined();
  });
});

test("problems beyond a limit are combined into one with counts by code", () => {
  const found = Array.from({ length: 21 }, (_, i) => ({
    part: `${i}`,
    problem: problem(i < 3 ? "empty" : "truncated"),
  }));
  expect(gatherProblems(found.slice(1), 20)).toEqual(found.slice(1));
  expect(gatherProblems(found, 20)).toMatchObject([
    { part: "", problem: { code: "too_many_problems", counts: { truncated: 18, empty: 3 } } },
  ]);
  expect(gatherProblems(found, 20)[0]?.problem.message).toContain("(18 truncated, 3 empty)");
});

/** A TLS report as JSON, with members replaced. */
function tls(members: object): string {
  return JSON.stringify({
    "organization-name": "Reporter",
    "date-range": { "start-datetime": "2026-01-01T00:00:00Z", "end-datetime": "2026-01-01T23:59:59Z" },
    "contact-info": "tls@reporter.example",
    "report-id": "1",
    policies: [],
    ...members,
  });
}
