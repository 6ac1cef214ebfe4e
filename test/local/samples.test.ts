/** The samples are what reporters could have sent: the pipeline's own reader takes them, and they tell what they should. */
import { beforeAll, describe, expect, test } from "vitest";
import { SAMPLE_RUA, type Sample } from "../../local/samples/mail.ts";
import { SAMPLE_DAYS } from "../../local/samples/reports.ts";
import { buildSamples } from "../../local/samples/samples.ts";
import type { AggregateRecord, AggregateReport } from "../../shared/report/vocabulary.ts";
import { countMessages, type ReadSample, type ReadSamples, readSamples } from "./read-samples.ts";

const NOW = 1_795_300_000;
const DAY = 86_400;
const TODAY = Math.floor(NOW / DAY) * DAY;

type AggregateSample = ReadSample & { report: AggregateReport };

let samples: Sample[];
let read: ReadSamples;

beforeAll(async () => {
  samples = await buildSamples(NOW);
  read = await readSamples(samples);
});

function aggregate(domain: string): AggregateSample[] {
  return read.accepted.filter(
    (sample): sample is AggregateSample => sample.report.kind === "aggregate" && sample.report.policy.domain === domain,
  );
}

const daysAgo = ({ report }: AggregateSample): number => Math.round((TODAY - report.metadata.beginSeconds) / DAY);
const isPass = ({ dkim, spf }: AggregateRecord): boolean => dkim === "pass" || spf === "pass";
const isNamed = ({ dkimResults, spfResults }: AggregateRecord): boolean =>
  [...dkimResults, ...spfResults].some(({ result }) => result === "pass");

describe("samples", () => {
  test("are the same mails on the same day and others on the next", async () => {
    const [again, next] = await Promise.all([buildSamples(NOW + 60), buildSamples(NOW + DAY)]);
    expect(again).toEqual(samples);
    expect(next[0]?.raw.equals(samples[0]?.raw ?? Buffer.alloc(0))).toBe(false);
  });

  test.each(Array.from({ length: 7 }, (_, i) => i))(
    "can be built on each day of the week (%i days later)",
    async (days) => {
      const { accepted, duplicates, conflicts, problems } = await readSamples(await buildSamples(NOW + days * DAY));
      expect(accepted.length).toBeGreaterThan(200);
      expect([duplicates.length, conflicts.length, problems.length]).toEqual([1, 1, 2]);
    },
  );

  test("are read without warnings, except where they are wrong on purpose", () => {
    // Of the report without records.
    const warnings = read.accepted.flatMap(({ report }) => report.warnings);
    expect(warnings).toEqual([{ code: "missing_value", path: "record", detail: "nothing is counted" }]);
    expect(read.duplicates).toHaveLength(1);
    expect(read.conflicts).toHaveLength(1);
    expect(read.problems).toHaveLength(2);
    expect(read.problems).toContain("not_a_report");
    expect(aggregate("example.net").filter(({ records }) => records.length === 0)).toHaveLength(1);
    expect(samples).toHaveLength(read.accepted.length + 4);
  });

  test("put repeated reports last", () => {
    const ends = read.accepted.slice(-2).map(({ report }) => report.kind);
    expect(ends).toEqual(["failure", "aggregate"]);
  });

  test("have aggregate reports for each previous day, in both formats and all three containers", () => {
    const reports = aggregate("example.com");
    expect(new Set(reports.map(daysAgo))).toEqual(new Set(Array.from({ length: SAMPLE_DAYS }, (_, i) => i + 1)));
    expect(new Set(reports.map(({ report }) => report.metadata.format))).toEqual(new Set(["rfc7489", "rfc9990"]));
    const names = samples.map(({ raw }) => /filename=.*?\.(zip|xml\.gz|xml|json\.gz)"?\r\n/s.exec(raw.toString())?.[1]);
    for (const name of ["zip", "xml.gz", "xml", "json.gz"]) expect(names).toContain(name);
    expect(new Set(samples.map(({ to }) => to))).toEqual(new Set([SAMPLE_RUA]));
  });

  test("are quieter on weekends", () => {
    const weekday = ({ report }: AggregateSample): number => new Date(report.metadata.beginSeconds * 1000).getUTCDay();
    const messagesOn = (day: number): number =>
      countMessages(aggregate("example.com").filter((sample) => weekday(sample) === day));
    expect(messagesOn(0) + messagesOn(6)).toBeLessThan(messagesOn(2) / 2);
  });

  test("move from p=none to quarantine, with a parked domain at p=reject that always fails", () => {
    const policies = aggregate("example.com")
      .toSorted((a, b) => daysAgo(b) - daysAgo(a))
      .map(({ report }) => report.policy.p);
    expect(policies.filter((p, i) => p !== policies[i - 1])).toEqual(["none", "quarantine"]);
    const parked = aggregate("example.net");
    expect(new Set(parked.map(({ report }) => report.policy.p))).toEqual(new Set(["reject"]));
    expect(countMessages(parked, isPass)).toBe(0);
    expect(countMessages(parked)).toBeGreaterThan(0);
  });

  test("contain what an owner has to judge: good mail, an unaligned service, forwarders, lists, a wave, a new sender", () => {
    const reports = aggregate("example.com");
    const share = countMessages(reports, isPass) / countMessages(reports);
    expect(share).toBeGreaterThan(0.8);
    expect(share).toBeLessThan(0.97);
    // Above what the dashboard calls safe, so that it says whom to look at first.
    expect(
      countMessages(reports, (record) => !isPass(record) && isNamed(record)) / countMessages(reports),
    ).toBeGreaterThan(0.01);
    const reasons = reports.flatMap(({ records }) => records.flatMap((record) => record.reasons));
    expect(new Set(reasons.map(({ type }) => type))).toEqual(new Set(["forwarded", "mailing_list", "local_policy"]));
    const failedOn = (days: number): number =>
      countMessages(
        reports.filter((sample) => daysAgo(sample) === days),
        (record) => !isPass(record),
      );
    expect(failedOn(12)).toBeGreaterThan(5 * failedOn(26));
    const surveys = reports.filter(({ records }) =>
      records.some(({ envelopeFrom }) => envelopeFrom.endsWith("surveys.example")),
    );
    expect(Math.max(...surveys.map(daysAgo))).toBeLessThan(7);
  });

  test("have several results in TLS reports and several addresses in failure reports", () => {
    const details = read.accepted.flatMap(({ report }) =>
      report.kind === "tls" ? report.policies.flatMap(({ failureDetails }) => failureDetails) : [],
    );
    expect(new Set(details.map(({ resultType }) => resultType)).size).toBeGreaterThan(2);
    const failures = read.accepted.flatMap(({ report }) => (report.kind === "failure" ? [report] : []));
    expect(new Set(failures.map(({ sourceIp }) => sourceIp)).size).toBeGreaterThan(3);
    expect(
      failures.every(
        ({ reportedDomain, arrivalSeconds }) => reportedDomain === "example.com" && arrivalSeconds !== null,
      ),
    ).toBe(true);
  });
});
