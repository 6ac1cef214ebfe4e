/**
 * When does `dmarc parse` agree with an expected.json? Knows both forms the file comes in (a corpus read by an independent
 * reader, and a generator's own account) and compares one file's summary with its entry. Pure: it opens nothing.
 */
import * as v from "valibot";
import type { AggregateSummary, FailureSummary, FileSummary, ReportSummary } from "../cli/parse-file.ts";
import { domainName } from "../shared/domain-name.ts";

const expectedReport = v.looseObject({
  kind: v.optional(v.string(), "aggregate"),
  usable: v.optional(v.boolean(), true),
  /** Fields without which it is no whole report. */
  incomplete: v.nullish(v.array(v.string())),
  org_name: v.nullish(v.string()),
  report_id: v.nullish(v.string()),
  domain: v.nullish(v.string()),
  /** Seconds, or as a TLS report writes it. */
  begin: v.nullish(v.union([v.number(), v.string()])),
  end: v.nullish(v.union([v.number(), v.string()])),
  records: v.nullish(v.number()),
  count_sum: v.nullish(v.number()),
  pass_sum: v.nullish(v.number()),
  distinct_source_ip: v.nullish(v.number()),
  records_bad_count: v.nullish(v.number()),
  records_without_row: v.nullish(v.number()),
  /** Of a failure report. */
  source_ip: v.nullish(v.string()),
  reported_domain: v.nullish(v.array(v.string())),
  auth_failure: v.nullish(v.string()),
});

const reportClass = v.optional(v.string(), "aggregate");

const corpusFile = v.object({
  class: reportClass,
  /** Facts of a failure report, which `reports` does not list. */
  failure: v.nullish(expectedReport),
  verdict: v.picklist(["accept", "recovered", "reject", "junk"]),
  problems: v.optional(v.array(v.unknown()), []),
  reports: v.array(expectedReport),
});
const corpusForm = v.record(v.string(), corpusFile);

const generatorFile = v.looseObject({
  class: reportClass,
  expect: v.optional(v.picklist(["accept", "either", "reject", "junk"]), "accept"),
  why: v.optional(v.string()),
  org_name: v.optional(v.unknown()),
  reports: v.optional(v.array(expectedReport)),
});
const generatorForm = v.looseObject({ files: v.record(v.string(), v.unknown()) });

export type ExpectedReport = v.InferOutput<typeof expectedReport>;
export type ExpectedFile = v.InferOutput<typeof corpusFile>;

/** What a file was found to be. */
export type Verdict =
  | { agrees: true /** A doubtful file that may be rejected, and was. */; rejectedDoubtful: boolean }
  | { agrees: false; differences: string[] };

/** Without these a report is nothing. */
const ESSENTIAL = ["domain", "begin", "end", "report_id"];

/** Reads an expected.json of either form: path → what is expected. @throws v.ValiError when it is neither */
export function readExpected(json: unknown): Record<string, ExpectedFile> {
  const generated = v.safeParse(generatorForm, json);
  if (!generated.success) {
    const files = Object.entries(v.parse(corpusForm, json));
    return Object.fromEntries(files.map(([path, file]) => [path, withFailure(file)]));
  }
  return Object.fromEntries(
    Object.entries(generated.output.files).map(([file, entry]) => [file, readGenerated(entry)]),
  );
}

// A failure report is a report too, though both forms keep it apart.
function withFailure(file: ExpectedFile): ExpectedFile {
  if (file.class !== "failure") return file;
  return { ...file, reports: [{ ...v.parse(expectedReport, file.failure ?? {}), kind: "failure" }] };
}

function readGenerated(entry: unknown): ExpectedFile {
  const { class: kind, expect, why, org_name, reports } = v.parse(generatorFile, entry);
  const listed = reports !== undefined && reports.length > 0 ? reports : undefined;
  return withFailure({
    class: kind,
    failure: undefined,
    verdict: expect === "either" ? "recovered" : expect,
    problems: why === undefined ? [] : [why],
    // A file of the plain kind is its own report. The reports of a file are of the file's class.
    reports: (listed ?? (org_name === undefined ? [] : [v.parse(expectedReport, entry)])).map((report) => ({
      ...report,
      kind: kind === "tls" ? kind : report.kind,
    })),
  });
}

/** Compares what was read in a file with what is expected. */
export function compareFile(expected: ExpectedFile, summary: FileSummary): Verdict {
  const accepted = summary.outcome === "accepted";
  if (expected.verdict === "reject" || expected.verdict === "junk") {
    if (accepted) return differs(`expected ${expected.verdict}, got accepted`);
    return summary.problems.length > 0 ? agrees() : differs("rejected without a problem");
  }
  if (!accepted) {
    const doubtful = expected.verdict === "recovered" || expected.reports.every(lacksEssentials);
    return doubtful ? agrees(true) : differs(`expected accept, got ${summary.problems[0]?.message ?? "no problem"}`);
  }
  const wanted = expected.reports.filter(({ usable }) => usable);
  // Accepted although incomplete: that is the pipeline's own policy.
  if (wanted.some(({ incomplete }) => (incomplete ?? []).length > 0)) return agrees();
  return compareReports(wanted, distinctReports(summary.reports), expected.verdict === "recovered");
}

function compareReports(wanted: ExpectedReport[], read: ReportSummary[], recovered: boolean): Verdict {
  if (wanted.length !== read.length) return differs(`${wanted.length} reports expected, ${read.length} read`);
  const differences = wanted.flatMap((want, i) => {
    const got = read[i];
    if (got === undefined || got.kind !== want.kind) return [`kind ${want.kind} read as ${got?.kind}`];
    if (got.kind === "failure") return compareFailure(want, got);
    return got.kind === "aggregate" ? compareAggregate(want, got, recovered) : [];
  });
  return differences.length === 0 ? agrees() : { agrees: false, differences };
}

function compareAggregate(want: ExpectedReport, got: AggregateSummary, recovered: boolean): string[] {
  // A doubtful record was left out: then only the report's identity can be compared.
  const identityOnly = recovered && got.skippedRecords > 0;
  const pairs: [string, unknown, unknown][] = [
    ["reportId", want.report_id, got.reportId],
    // With its dot or without, as U-labels or A-labels, it is the same name (RFC 1034 section 3.1, RFC 5890).
    ["domain", domainName(want.domain ?? ""), got.domain],
    ["begin", want.begin, got.begin],
    ["end", want.end, got.end],
    ["records", want.records, got.records + got.skippedRecords],
  ];
  // Where the reporter has no name, any stand-in will do.
  if ((want.org_name ?? "").trim() !== "") pairs.push(["orgName", want.org_name, got.orgName]);
  if (!identityOnly) pairs.push(["messages", want.count_sum, got.messages], ["passed", want.pass_sum, got.passed]);
  if (!identityOnly && !want.records_bad_count && !want.records_without_row) {
    pairs.push(["sources", want.distinct_source_ip, got.sources]);
  }
  return differencesOf(pairs);
}

function compareFailure(want: ExpectedReport, got: FailureSummary): string[] {
  return differencesOf([
    ["sourceIp", want.source_ip, got.sourceIp],
    ["reportedDomain", want.reported_domain?.[0]?.toLowerCase(), got.reportedDomain],
    ["authFailure", want.auth_failure, got.authFailure],
  ]);
}

/** Name, wanted and read value; what is not said to be wanted may be anything. */
function differencesOf(pairs: [string, unknown, unknown][]): string[] {
  return pairs
    .filter(([, wanted, read]) => wanted !== null && wanted !== undefined && asText(wanted) !== asText(read))
    .map(([name, wanted, read]) => `${name}: expected ${wanted}, read ${read}`);
}

// The same report twice in one mail is one report.
function distinctReports(reports: ReportSummary[]): ReportSummary[] {
  return [...new Map(reports.map((report) => [identityOf(report), report])).values()];
}

function identityOf(report: ReportSummary): string {
  switch (report.kind) {
    case "aggregate":
      return JSON.stringify([
        report.orgName,
        report.reportId,
        report.domain,
        report.begin,
        report.end,
        report.messages,
      ]);
    case "tls":
      return JSON.stringify([report.kind, report.orgName, report.reportId, report.begin, report.end]);
    case "failure":
      return report.kind;
  }
}

function lacksEssentials({ incomplete }: ExpectedReport): boolean {
  return ESSENTIAL.some((name) => incomplete?.includes(name));
}

function asText(value: unknown): string {
  return String(value || "").trim();
}

function agrees(rejectedDoubtful = false): Verdict {
  return { agrees: true, rejectedDoubtful };
}

function differs(difference: string): Verdict {
  return { agrees: false, differences: [difference] };
}
