/** Same content as read, same hash: whatever the order, the white space and the container; anything else changes it. */
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { contentHashOf, RecordsHash } from "../../shared/content-hash.ts";
import { readReports } from "../../shared/report/read.ts";
import { bytesSource } from "../../shared/report/source.ts";
import type {
  AggregateRecord,
  FailureReport,
  Report,
  TlsFailureDetail,
  TlsPolicy,
  TlsReport,
} from "../../shared/report/vocabulary.ts";
import { headerOf } from "../../shared/report-header.ts";
import { failureReport } from "../support/ledger-fill.ts";
import fc from "../support/properties.ts";
import { type SampleRecord, sampleReport } from "../support/sample-report.ts";

const NOW = 1_795_000_000;

async function read(content: string | Uint8Array): Promise<{ report: Report; records: AggregateRecord[] }> {
  const records: AggregateRecord[] = [];
  for await (const event of readReports(bytesSource(Buffer.from(content)), { nowSeconds: NOW })) {
    if (event.type === "records") records.push(...event.records);
    if (event.type === "report") return { report: event.report, records };
  }
  throw new Error("no report");
}

async function hashOf(content: string | Uint8Array): Promise<string> {
  const { report, records } = await read(content);
  return hashRead(report, records);
}

function hashRead(report: Report, records: readonly AggregateRecord[]): Promise<string> {
  const hash = new RecordsHash();
  for (const record of records) hash.add(record);
  return contentHashOf(report, headerOf(report), hash);
}

const RECORDS: SampleRecord[] = [
  { sourceIp: "192.0.2.1", count: 1, pass: true },
  { sourceIp: "192.0.2.1", count: 1, pass: true },
  { sourceIp: "192.0.2.2", count: 7, pass: false },
];

describe("the content hash of an aggregate report", () => {
  it("does not depend on order, white space, line endings, encoding or container", async () => {
    const plain = sampleReport({ records: RECORDS });
    const hash = await hashOf(plain);
    expect(hash).toMatch(/^[0-9a-f]{32}$/);
    const same = [
      sampleReport({ records: RECORDS.toReversed() }),
      plain.replaceAll("\n", "\r\n"),
      plain.replaceAll("><", ">\n\t<"),
      gzipSync(plain),
      new Uint8Array(Buffer.from(`\ufeff${plain.replace("UTF-8", "UTF-16")}`, "utf16le")),
    ];
    for (const other of same) expect(await hashOf(other)).toBe(hash);
  });

  it("does not depend on letter case, white space in human text, or brackets around the report id", async () => {
    const reason = (type: string, comment: string): string =>
      `<reason><type>${type}</type><comment>${comment}</comment></reason></policy_evaluated>`;
    const plain = sampleReport({ records: RECORDS }).replace("</policy_evaluated>", reason("other", "one two"));
    const id = /<report_id>(.*)<\/report_id>/.exec(plain)?.[1] ?? "";
    const same = [
      plain.replace(reason("other", "one two"), reason("Other", "one\r\n    two")),
      plain.replaceAll("<disposition>none<", "<disposition>None<").replaceAll("<result>pass<", "<result>Pass<"),
      plain.replace(id, `&lt;${id}&gt;`),
    ];
    for (const other of same) {
      expect(other).not.toBe(plain);
      expect(await hashOf(other)).toBe(await hashOf(plain));
    }
    expect(await hashOf(plain.replace("one two", "one three"))).not.toBe(await hashOf(plain));
  });

  it("does not depend on the order of results and reasons in a record, or on the spelling of names", async () => {
    const dkim = (selector: string, result: string): string =>
      `<dkim><domain>acme.example</domain><selector>${selector}</selector><result>${result}</result></dkim>`;
    const spf = (scope: string): string =>
      `<spf><domain>acme.example</domain><scope>${scope}</scope><result>pass</result></spf>`;
    const reason = (type: string): string => `<reason><type>${type}</type><comment>a  b</comment></reason>`;
    const report = (reasons: string, results: string, ip = "2001:db8::1"): string =>
      sampleReport({ records: [{ sourceIp: ip, count: 4, pass: true }] })
        .replace("</policy_evaluated>", `${reasons}</policy_evaluated>`)
        .replace(/<auth_results>.*<\/auth_results>/s, `<auth_results>${results}</auth_results>`);
    const [one, two] = [dkim("s1", "pass"), dkim("s2", "fail")];
    const plain = report(reason("other") + reason("forwarded"), one + two + spf("mfrom") + spf("helo"));
    const same = [
      report(reason("forwarded") + reason("other"), spf("helo") + two + one + spf("mfrom")),
      plain.replaceAll("acme.example", "ACME.Example.").replace("s1", "S1").replace("2001:db8::1", "2001:DB8:0::01"),
      plain.replace("<count>4<", "<count> +0004.0\n<"),
    ];
    for (const other of same) {
      expect(other).not.toBe(plain);
      expect(await hashOf(other)).toBe(await hashOf(plain));
    }
    const others = [
      report(reason("other") + reason("other"), one + two + spf("mfrom") + spf("helo")),
      report(reason("other") + reason("forwarded"), one + one + spf("mfrom") + spf("helo")),
      report(
        reason("other") + reason("forwarded"),
        dkim("s1", "fail") + dkim("s2", "pass") + spf("mfrom") + spf("helo"),
      ),
    ];
    for (const other of others) expect(await hashOf(other)).not.toBe(await hashOf(plain));
  });

  it("does not depend on the order of results and reasons that differ in letters only", async () => {
    const reason = (comment: string): string => `<reason><type>other</type><comment>${comment}</comment></reason>`;
    const dkim = (selector: string, text: string): string =>
      `<dkim><domain>acme.example</domain><selector>${selector}</selector><result>fail</result><human_result>${text}</human_result></dkim>`;
    const spf = (text: string): string =>
      `<spf><domain>acme.example</domain><scope>mfrom</scope><result>fail</result><human_result>${text}</human_result></spf>`;
    const report = (reasons: string, results: string): string =>
      sampleReport({ records: [{ sourceIp: "192.0.2.1", count: 4, pass: true }] })
        .replace("</policy_evaluated>", `${reasons}</policy_evaluated>`)
        .replace(/<auth_results>.*<\/auth_results>/s, `<auth_results>${results}</auth_results>`);
    const plain = report(reason("list") + reason("List"), dkim("S", "Bad") + dkim("s", "bad") + spf("no") + spf("No"));
    const same = [
      report(reason("List") + reason("list"), dkim("s", "bad") + dkim("S", "Bad") + spf("No") + spf("no")),
      // A selector may be in any letters.
      report(reason("List") + reason("list"), dkim("s", "Bad") + dkim("S", "bad") + spf("no") + spf("No")),
    ];
    for (const other of same) expect(await hashOf(other)).toBe(await hashOf(plain));
    const all = report(reason("list") + reason("list"), dkim("S", "Bad") + dkim("s", "bad") + spf("no") + spf("No"));
    expect(await hashOf(all)).not.toBe(await hashOf(plain));
  });

  it("differs by any record, by its number of repetitions, and by the policy", async () => {
    const [first, , third] = RECORDS;
    if (first === undefined || third === undefined) throw new Error("no records");
    const plain = sampleReport({ records: RECORDS });
    const others = [
      sampleReport({ records: [first, third] }),
      sampleReport({ records: [...RECORDS, first] }),
      sampleReport({ records: [...RECORDS, third] }),
      sampleReport({ records: [first, { ...first, count: 2 }, third] }),
      plain.replace("<p>none</p>", "<p>reject</p>"),
      plain.replace("<selector>s</selector>", "<selector>t</selector>"),
      plain.replace("<header_from>", "<envelope_to>other.example</envelope_to><header_from>"),
    ];
    const hashes = await Promise.all([plain, ...others].map(hashOf));
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("is pinned, because a change would make every report that comes again a conflict", async () => {
    expect(await hashOf(sampleReport({ records: RECORDS }))).toBe("4dd32bc77e0f93dd26289545bcfe6092");
  });

  it("differs by each field of a record, of its reasons and of its results", async () => {
    const reason = { type: "other", rawType: "other", comment: "" } as const;
    const dkim = { domain: "acme.example", selector: "s", result: "pass", rawResult: "pass", humanResult: "" } as const;
    const spf = { domain: "acme.example", scope: "mfrom", result: "pass", rawResult: "pass", humanResult: "" } as const;
    const record: AggregateRecord = {
      sourceIp: "192.0.2.1",
      count: 1,
      disposition: "none",
      rawDisposition: "none",
      dkim: "pass",
      spf: "pass",
      reasons: [reason],
      headerFrom: "acme.example",
      envelopeFrom: "",
      envelopeTo: "",
      dkimResults: [dkim],
      spfResults: [spf],
    };
    const changes: Partial<AggregateRecord>[] = [
      {},
      { sourceIp: "192.0.2.2" },
      { count: 2 },
      { disposition: "reject", rawDisposition: "reject" },
      // Words that are read as one of the known ones, or as none of them.
      { disposition: "reject", rawDisposition: "bounced" },
      { reasons: [{ ...reason, rawType: "greylisted" }] },
      { dkimResults: [{ ...dkim, rawResult: "good" }] },
      { spfResults: [{ ...spf, rawResult: "good" }] },
      { dkim: "fail" },
      { spf: "fail" },
      { headerFrom: "other.example" },
      { envelopeFrom: "other.example" },
      { envelopeTo: "other.example" },
      { reasons: [] },
      { reasons: [{ ...reason, type: "forwarded", rawType: "forwarded" }] },
      { reasons: [{ ...reason, comment: "a list" }] },
      { dkimResults: [] },
      { dkimResults: [{ ...dkim, domain: "other.example" }] },
      { dkimResults: [{ ...dkim, selector: "t" }] },
      { dkimResults: [{ ...dkim, result: "fail", rawResult: "fail" }] },
      { dkimResults: [{ ...dkim, humanResult: "good" }] },
      { spfResults: [] },
      { spfResults: [{ ...spf, domain: "other.example" }] },
      { spfResults: [{ ...spf, scope: "helo" }] },
      { spfResults: [{ ...spf, result: "fail", rawResult: "fail" }] },
      { spfResults: [{ ...spf, humanResult: "good" }] },
    ];
    const { report } = await read(sampleReport());
    const hashes = await Promise.all(changes.map((change) => hashRead(report, [{ ...record, ...change }])));
    expect(new Set(hashes).size).toBe(changes.length);
  });

  it("distinguishes records whose concatenated texts are the same", async () => {
    const { report, records } = await read(sampleReport());
    const [record] = records;
    if (record === undefined) throw new Error("no record");
    const text = fc.string({ maxLength: 6 });
    const property = fc.asyncProperty(text, text, text, text, async (a, b, c, d) => {
      const hashes = await Promise.all(
        [
          [a, b],
          [c, d],
        ].map(([headerFrom = "", envelopeFrom = ""]) => hashRead(report, [{ ...record, headerFrom, envelopeFrom }])),
      );
      expect(hashes[0] === hashes[1]).toBe(a === c && b === d);
    });
    await fc.assert(property, { numRuns: 2000 });
  });

  it("does not depend on the order of many records", async () => {
    const { report, records } = await read(
      sampleReport({
        records: Array.from({ length: 200 }, (_, i) => ({ sourceIp: `192.0.2.${i}`, count: i + 1, pass: i % 3 === 0 })),
      }),
    );
    const hash = await hashRead(report, records);
    const property = fc.asyncProperty(fc.shuffledSubarray(records, { minLength: 200 }), async (shuffled) => {
      expect(await hashRead(report, shuffled)).toBe(hash);
    });
    await fc.assert(property, { numRuns: 50 });
  });
});

const TLS: TlsReport = {
  kind: "tls",
  orgName: "Reporter",
  contactInfo: "tls@reporter.example",
  reportId: "tls",
  beginSeconds: 1_790_000_000,
  endSeconds: 1_790_086_399,
  policies: [],
  warnings: [],
  omittedWarnings: 0,
  contentHash: "",
};

describe("the content hash of other reports", () => {
  const tls = (policies: object[]): string =>
    JSON.stringify({
      "organization-name": "Reporter",
      "date-range": { "start-datetime": "2026-01-01T00:00:00Z", "end-datetime": "2026-01-01T23:59:59Z" },
      "contact-info": "tls@reporter.example",
      "report-id": "tls",
      policies,
    });
  const policy = (domain: string, details: object[] = []): object => ({
    policy: { "policy-type": "sts", "policy-domain": domain },
    summary: { "total-successful-session-count": 5, "total-failure-session-count": details.length },
    "failure-details": details,
  });
  const details = [
    { "result-type": "certificate-expired", "sending-mta-ip": "192.0.2.1", "failed-session-count": 1 },
    { "result-type": "starttls-not-supported", "sending-mta-ip": "192.0.2.2", "failed-session-count": 2 },
  ];

  it("depends on the policies and failures of a TLS report but not on their order", async () => {
    const plain = await hashOf(tls([policy("a.example", details), policy("b.example")]));
    expect(await hashOf(tls([policy("b.example"), policy("a.example", details.toReversed())]))).toBe(plain);
    expect(await hashOf(tls([policy("a.example"), policy("b.example", details)]))).not.toBe(plain);
    expect(await hashOf(tls([policy("a.example", details.slice(1)), policy("b.example")]))).not.toBe(plain);
  });

  it("differs by each field of a TLS report's policy and of its failures", async () => {
    const detail: TlsFailureDetail = {
      resultType: "certificate-expired",
      sendingMtaIp: "192.0.2.1",
      receivingMxHostname: "mx.a.example",
      receivingMxHelo: "",
      receivingIp: "",
      failedSessionCount: 1,
      additionalInformation: "",
      failureReasonCode: "",
    };
    const one: TlsPolicy = {
      policyType: "sts",
      policyDomain: "a.example",
      policyStrings: ["version: STSv1"],
      mxHosts: ["mx.a.example"],
      successfulSessionCount: 5,
      failedSessionCount: 1,
      failureDetails: [detail],
    };
    const ofDetail: Partial<TlsFailureDetail>[] = [
      { resultType: "starttls-not-supported" },
      { sendingMtaIp: "192.0.2.2" },
      { receivingMxHostname: "mx2.a.example" },
      { receivingMxHelo: "mx.a.example" },
      { receivingIp: "192.0.2.3" },
      { failedSessionCount: 2 },
      { additionalInformation: "a text" },
      { failureReasonCode: "a code" },
    ];
    const changes: Partial<TlsPolicy>[] = [
      {},
      { policyType: "tlsa" },
      { policyStrings: ["version: STSv1", "mode: testing"] },
      { mxHosts: ["mx2.a.example"] },
      { successfulSessionCount: 6 },
      { failedSessionCount: 2 },
      { failureDetails: [] },
      { failureDetails: [detail, detail] },
      ...ofDetail.map((change) => ({ failureDetails: [{ ...detail, ...change }] })),
    ];
    const hashes = await Promise.all(
      changes.map((change) => hashRead({ ...TLS, policies: [{ ...one, ...change }] }, [])),
    );
    expect(new Set(hashes).size).toBe(changes.length);
    expect(hashes[0]).toBe("7ef2a714bb04df74ee0bc207f4e790e1");
  });

  it("does not depend on the order of a TLS policy's lines and hosts, or on the letters of its hosts", async () => {
    const one = (lines: string[], mxHosts: string[]): string =>
      tls([
        { policy: { "policy-type": "sts", "policy-string": lines, "policy-domain": "a.example", "mx-host": mxHosts } },
      ]);
    const [lines, hosts] = [
      ["version: STSv1", "mode: testing"],
      ["mx1.a.example", "mx2.a.example"],
    ];
    const plain = await hashOf(one(lines, hosts));
    expect(await hashOf(one(lines, ["MX2.a.example", "mx1.a.example"]))).toBe(plain);
    expect(await hashOf(one(lines.toReversed(), hosts))).toBe(plain);
    expect(await hashOf(one(lines, ["mx1.a.example"]))).not.toBe(plain);
    expect(await hashOf(one(["version: STSv1"], hosts))).not.toBe(plain);
  });

  it("differs by each fact of a failure report", async () => {
    const failure = failureReport({
      arrivalSeconds: 1_790_000_000,
      arrivalDate: "Mon, 21 Sep 2026 15:33:20 +0000",
      originalHash: "0011",
    });
    const changes: Partial<FailureReport>[] = [
      {},
      { reportedDomain: "other.example" },
      { sourceIp: "192.0.2.2" },
      { authFailure: "spf" },
      { arrivalSeconds: 1_790_000_001 },
      { arrivalDate: "Mon, 21 Sep 2026 17:33:20 +0200" },
      { deliveryResult: "delivered" },
      { identityAlignment: "dkim" },
      { dkimDomain: "acme.example" },
      { dkimSelector: "s" },
      { spfDomain: "acme.example" },
      { mailFromDomain: "acme.example" },
      { reportingMta: "mx2.reporter.example" },
      { incidents: 2 },
      { originalHash: "0022" },
    ];
    const hashes = await Promise.all(changes.map((change) => hashRead({ ...failure, ...change }, [])));
    expect(new Set(hashes).size).toBe(changes.length);
    expect(hashes[0]).toBe("d0877eebd150ab7e4054175280e6ec9e");
  });
});
