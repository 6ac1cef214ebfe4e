/** The list of problem codes: documented, each with the sentence of the code, and each made to happen by real input. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mulberry32 } from "../../local/random.ts";
import { READ_LIMITS } from "../../shared/limits.ts";
import { adviceOf } from "../../shared/report/advice.ts";
import { cleanDetail, PROBLEM_MEANINGS, type ProblemCode, problem } from "../../shared/report/problems.ts";
import { gzip, zip } from "../support/archives.ts";
import { quirks } from "../support/quirks/all.ts";
import { emptyElements } from "../support/quirks/documents.ts";
import { readAll } from "../support/read.ts";
import { changed, ORDINARY, record, withRecords } from "../support/report-xml.ts";

/** Codes that reading alone cannot give: they are about the registry, the ledger, the queues and R2. */
const OF_THE_PIPELINE = [
  "foreign_domain",
  "conflict",
  "unregistered_rua",
  "missing_object",
  "invalid_message",
  "day_closed",
  "too_large_for_plan",
  "over_budget",
  "too_many_problems",
  "retries_exhausted",
];

test("docs/problems.md lists exactly the codes, each with its sentence", () => {
  const page = readFileSync(new URL("../../docs/problems.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(\w+)` \| (.*?) \| (.+?) \|$/gm)].map(([, ...cells]) => cells);
  expect(rows).toEqual(
    Object.entries(PROBLEM_MEANINGS).map(([code, meaning]) => [code, meaning, adviceOf(code as ProblemCode)]),
  );
});

const HOSTILE: [code: string, name: string, make: () => string | Uint8Array][] = [
  [
    "too_many_entries",
    "an archive of 1,001 files",
    () => zip(Array.from({ length: 1001 }, (_, i) => ({ name: `${i}`, content: "" }))),
  ],
  ["too_large", "a million empty elements", () => emptyElements("version")],
  [
    "unusable_records",
    "more empty records than any report has",
    () => `<feedback>${"<record/>".repeat(READ_LIMITS.maxSkippedRecords + 1)}</feedback>`,
  ],
  [
    "too_large",
    "a record that never ends",
    () => withRecords(`<record><row>${" x".repeat(READ_LIMITS.maxRecordChars)}`),
  ],
  [
    "too_large",
    "white space without end",
    () => gzip(changed(["<record>", `${" ".repeat(READ_LIMITS.maxPaddingChars + 1)}<record>`])),
  ],
  ...["<!-- -->", "</a>", "<?a?>", " "].map((filler): (typeof HOSTILE)[number] => [
    "too_large",
    `ten megabytes of ${filler}`,
    () => gzip(changed(["<record>", `${filler.repeat(10_000_000 / filler.length)}<record>`])),
  ]),
  ["too_large", "text without end after the report", () => gzip(ORDINARY + "x ".repeat(5_000_000))],
  ["too_large", "an endless org_name", () => gzip(changed(["Reporter", "x".repeat(READ_LIMITS.maxFrameChars + 1)]))],
  ["too_large", "JSON of a million values", () => gzip(`{"policies":[${"[],".repeat(1_000_000)}1]}`)],
  ["too_deep", "two hundred thousand open elements", () => `<feedback>${"<x>".repeat(200_000)}`],
  ["too_deep", "a large mail in itself, time and again", () => nested("x".repeat(500_000), 10)],
  [
    "malformed_mail",
    "an endless header",
    () => `From: a@b.example\r\nX-Filler: ${"x".repeat(3 * 2 ** 20)}\r\n\r\nhello`,
  ],
];

function nested(text: string, levels: number): string {
  return `${`From: a@b.example\r\nContent-Type: message/rfc822\r\n\r\n`.repeat(levels)}From: a@b.example\r\n\r\n${text}`;
}

test.each(HOSTILE)("%s: %s", async (code, _name, make) => {
  const { reports, problems } = await readAll(make());
  expect(reports).toEqual([]);
  expect(problems.map((one) => one.code)).toEqual([code]);
});

test("every reading problem occurs in a fixture or a hostile case", () => {
  const produced = new Set([...quirks.flatMap(({ want }) => want.problems ?? []), ...HOSTILE.map(([code]) => code)]);
  expect([...produced, ...OF_THE_PIPELINE].sort()).toEqual(Object.keys(PROBLEM_MEANINGS).sort());
});

test("a message shows what was found in one line without control characters", () => {
  const { message } = problem("missing_dates", `begin is '\u001b[2J\r\n\u202e${"x".repeat(1000)}'`);
  expect(message).toMatch(/^The report has no usable period .* \(begin is ' \[2J x{280,300}…\)$/);
  expect(cleanDetail("📧".repeat(10), 5).isWellFormed()).toBe(true);
  expect(problem("empty").message).toBe("There is no content.");
});

test("twenty thousand records are read, and the limit allows a million", async () => {
  const random = mulberry32(1);
  const ip = () => `192.0.${Math.floor(256 * random())}.${Math.floor(256 * random())}`;
  const records = Array.from({ length: 20_000 }, () => record({ ip: ip() }).replace(/\n/g, ""));
  const { reports } = await readAll(gzip(withRecords(...records)));
  expect(reports[0]?.report).toMatchObject({ totals: { records: 20_000, messages: 20_000 } });
  expect(READ_LIMITS.maxRecords).toBeGreaterThanOrEqual(1_000_000);
});

test("a repair names its place, and a hundred thousand repairs do not fill memory", async () => {
  const strays = (count: number): string => Array.from({ length: count }, (_, i) => `</stray${i}>`).join("");
  const withStrays = (count: number): string =>
    ORDINARY.replace("</policy_published>", `</policy_published>${strays(count)}`);
  const [few] = (await readAll(withStrays(10_000))).reports;
  expect(few?.report.warnings).toHaveLength(READ_LIMITS.maxWarnings);
  expect(few?.report.omittedWarnings).toBe(10_000 - READ_LIMITS.maxWarnings);
  const detail = "an end tag </stray0> without its start";
  expect(few?.report.warnings[0]).toEqual({ code: "repaired_xml", path: "feedback", detail });
  const { problems } = await readAll(withStrays(100_000));
  expect(problems.map(({ code }) => code)).toEqual(["too_large"]);
});
