/** A random failure report, written as a mail in a random style and read back, is the same report, however the bytes are cut. */
import { expect, test } from "vitest";
import { contentHashOf, RecordsHash } from "../../shared/content-hash.ts";
import type { FailureReport } from "../../shared/report/vocabulary.ts";
import { headerOf } from "../../shared/report-header.ts";
import fc from "../support/properties.ts";
import { NOW_SECONDS, readAll } from "../support/read.ts";
import { domain, ipv6 } from "../support/report-model.ts";

type Facts = Omit<FailureReport, "kind" | "originalHash" | "warnings" | "omittedWarnings" | "contentHash">;

const word = fc.stringMatching(/^[a-z][a-z0-9_-]{0,15}$/);
const facts: fc.Arbitrary<Omit<Facts, "arrivalDate"> & { arrivalSeconds: number }> = fc.record({
  reportedDomain: domain(),
  sourceIp: fc.oneof(
    fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `192.${a}.2.${b}`),
    ipv6(),
  ),
  authFailure: fc.constantFrom("dmarc", "dkim", "spf", "adsp", "bodyhash", "revoked", "signature"),
  arrivalSeconds: fc.integer({ min: 1_000_000_000, max: NOW_SECONDS }),
  deliveryResult: fc.constantFrom("delivered", "spam", "policy", "reject", "other", "smg-policy-action", ""),
  identityAlignment: fc.constantFrom("", "none", "spf", "dkim", "dkim, spf"),
  dkimDomain: fc.oneof(fc.constant(""), domain()),
  dkimSelector: fc.oneof(fc.constant(""), word),
  spfDomain: fc.oneof(fc.constant(""), domain()),
  mailFromDomain: fc.oneof(fc.constant(""), domain()),
  reportingMta: fc.oneof(fc.constant(""), domain()),
  incidents: fc.integer({ min: 1, max: 999_999_999 }),
});

interface Style {
  lineEnd: string;
  /** What stands between a field's name and its value. */
  colon: string;
  /** How names are written. */
  letters: "as in the RFC" | "small" | "capitals";
  isReversed: boolean;
  zone: number;
  /** What a reporter adds to the address, and to words. */
  comment: string;
  hasAngles: boolean;
  isPadded: boolean;
}

const style: fc.Arbitrary<Style> = fc.record({
  lineEnd: fc.constantFrom("\r\n", "\n"),
  colon: fc.constantFrom(": ", ":", ":\t", ":\n ", ": \n\t "),
  letters: fc.constantFrom("as in the RFC" as const, "small" as const, "capitals" as const),
  isReversed: fc.boolean(),
  zone: fc.integer({ min: -12, max: 14 }),
  comment: fc.constantFrom("", " (mx.example)", " (from a list)"),
  hasAngles: fc.boolean(),
  isPadded: fc.boolean(),
});

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** RFC 5322 section 3.3, in a time zone of whole hours. */
function dateOf(seconds: number, zone: number): string {
  const local = new Date((seconds + zone * 3600) * 1000);
  const two = (count: number): string => String(count).padStart(2, "0");
  const time = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()].map(two).join(":");
  const day = `${DAYS[local.getUTCDay()]}, ${local.getUTCDate()} ${MONTHS[local.getUTCMonth()]} ${local.getUTCFullYear()}`;
  return `${day} ${time} ${zone < 0 ? "-" : "+"}${two(Math.abs(zone))}00`;
}

function fieldsOf(given: Omit<Facts, "arrivalDate"> & { arrivalSeconds: number }, how: Style): [string, string][] {
  const { zone, comment, hasAngles } = how;
  const mailFrom = `someone@${given.mailFromDomain}`;
  const all: [string, string][] = [
    ["Feedback-Type", `auth-failure${comment}`],
    ["User-Agent", "Test/1"],
    ["Version", "1"],
    ["Auth-Failure", given.authFailure],
    ["Identity-Alignment", given.identityAlignment],
    ["Delivery-Result", given.deliveryResult === "" ? "" : given.deliveryResult + comment],
    ["Source-IP", given.sourceIp + comment],
    ["Reported-Domain", given.reportedDomain],
    ["Original-Mail-From", given.mailFromDomain === "" ? "" : hasAngles ? `<${mailFrom}>` : mailFrom],
    ["DKIM-Domain", given.dkimDomain],
    ["DKIM-Selector", given.dkimSelector],
    ["SPF-DNS", given.spfDomain === "" ? "" : `txt : ${given.spfDomain} : "v=spf1 -all"`],
    ["Arrival-Date", dateOf(given.arrivalSeconds, zone)],
    ["Reporting-MTA", given.reportingMta === "" ? "" : `dns; ${given.reportingMta}`],
    ["Incidents", String(given.incidents)],
  ];
  return all.filter(([, value]) => value !== "");
}

function write(given: Omit<Facts, "arrivalDate"> & { arrivalSeconds: number }, how: Style): string {
  const { lineEnd, colon, letters, isReversed, isPadded } = how;
  const named = (name: string): string =>
    letters === "small" ? name.toLowerCase() : letters === "capitals" ? name.toUpperCase() : name;
  const fields = fieldsOf(given, how);
  const lines = (isReversed ? fields.reverse() : fields).map(
    ([name, value]) => `${named(name)}${colon}${value}${isPadded ? " \t" : ""}`,
  );
  return [
    "From: reports@mail.example",
    "To: rua@acme.example",
    "Message-ID: <f1@mail.example>",
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
    ...lines,
    "",
    "--b",
    "Content-Type: text/rfc822-headers",
    "",
    "From: someone@other.example",
    "Subject: personal",
    "--b--",
    "",
  ]
    .join("\n")
    .replaceAll("\n", lineEnd);
}

test("a failure report that is written and read is the same", async () => {
  await fc.assert(
    fc.asyncProperty(
      facts,
      style,
      fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 3 }),
      async (given, how, cut) => {
        const { reports, problems } = await readAll(write(given, how), cut.length === 0 ? undefined : cut);
        expect(problems).toEqual([]);
        expect(reports).toHaveLength(1);
        expect(reports[0]?.report).toMatchObject({ kind: "failure", warnings: [], omittedWarnings: 0, ...given });
      },
    ),
    { numRuns: 300 },
  );
});

test("how it is written changes nothing of what makes it the same report", async () => {
  await fc.assert(
    fc.asyncProperty(facts, style, style, async (given, one, other) => {
      const zone = one.zone;
      const [a, b] = await Promise.all(
        [one, { ...other, zone }].map(async (how) => {
          const [only] = (await readAll(write(given, how))).reports;
          if (only === undefined) throw new Error("no report");
          return contentHashOf(only.report, headerOf(only.report), new RecordsHash());
        }),
      );
      expect(a).toMatch(/^[0-9a-f]{16,}$/);
      expect(b).toBe(a);
    }),
    { numRuns: 100 },
  );
});
