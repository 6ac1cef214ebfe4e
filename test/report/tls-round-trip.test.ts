/** A random TLS report, written as JSON in a random style and read back, is the same report, and has the same content hash. */
import { expect, it } from "vitest";
import { contentHashOf, RecordsHash } from "../../shared/content-hash.ts";
import type { Report, TlsPolicy } from "../../shared/report/vocabulary.ts";
import { headerOf } from "../../shared/report-header.ts";
import { joinBytes } from "../support/archives.ts";
import fc from "../support/properties.ts";
import { readAll } from "../support/read.ts";
import { domain, text } from "../support/report-model.ts";

const said = text().filter((one) => one !== "");
const detail = fc.record({
  resultType: fc.constantFrom("starttls-not-supported", "certificate-expired", "validation-failure", "tlsa-invalid"),
  sendingMtaIp: fc.constantFrom("192.0.2.1", "2001:db8::1"),
  receivingMxHostname: domain(),
  receivingMxHelo: fc.oneof(fc.constant(""), domain()),
  receivingIp: fc.constantFrom("", "198.51.100.2"),
  failedSessionCount: fc.nat(1000),
  additionalInformation: text(),
  failureReasonCode: text(),
});
const policy = fc
  .record({
    policyType: fc.constantFrom("sts", "tlsa", "no-policy-found"),
    policyDomain: fc.domain().map((name) => name.toLowerCase()),
    policyStrings: fc.array(said, { maxLength: 3 }),
    mxHosts: fc.array(domain(), { maxLength: 3 }),
    successfulSessionCount: fc.nat(1_000_000),
    failureDetails: fc.array(detail, { maxLength: 3 }),
  })
  .map((one) => ({
    ...one,
    failedSessionCount: one.failureDetails.reduce((sum, { failedSessionCount }) => sum + failedSessionCount, 0),
  }));
const model = fc.record({
  orgName: said,
  contactInfo: said,
  reportId: said,
  beginSeconds: fc.integer({ min: 1_700_000_000, max: 1_795_000_000 }),
  policies: fc.array(policy, { minLength: 1, maxLength: 4 }),
});
type Model = typeof model extends fc.Arbitrary<infer One> ? One : never;

const style = fc.record({
  indent: fc.constantFrom(0, 2, "\t"),
  isEscaped: fc.boolean(),
  encoding: fc.constantFrom("utf-8", "utf-8 bom", "utf-16le", "utf-16be"),
  /** The first of an object's members, by its place. */
  first: fc.nat(20),
  /** Minutes to the east of Greenwich. */
  zone: fc.constantFrom(0, 345, -210, 840),
  hasEmpty: fc.boolean(),
});
type Style = typeof style extends fc.Arbitrary<infer One> ? One : never;

const DAY_SECONDS = 86_400;

it("is read back unchanged, and is the same content in another order and style", async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(model, style, style, cuts, async (given, written, again, cut) => {
      const report = await readOne(write(given, written), cut);
      expect(report).toMatchObject({
        kind: "tls",
        ...given,
        endSeconds: given.beginSeconds + DAY_SECONDS - 1,
        warnings: [],
      });
      const turned = {
        ...given,
        policies: given.policies.toReversed().map((one) => ({
          ...one,
          mxHosts: one.mxHosts.toReversed(),
          policyStrings: one.policyStrings.toReversed(),
          failureDetails: one.failureDetails.toReversed(),
        })),
      };
      expect(await hashOf(await readOne(write(turned, again), cut))).toBe(await hashOf(report));
    }),
    { numRuns: 300 },
  );
});

async function readOne(bytes: Uint8Array, cut: number[]): Promise<Report> {
  const { reports, problems } = await readAll(bytes, cut);
  expect(problems).toEqual([]);
  const [only, ...others] = reports;
  if (only === undefined || others.length > 0) throw new Error(`${reports.length} reports`);
  return only.report;
}

function hashOf(report: Report): Promise<string> {
  return contentHashOf(report, headerOf(report), new RecordsHash());
}

function write(given: Model, { indent, isEscaped, encoding, first, zone, hasEmpty }: Style): Uint8Array {
  const document = {
    "organization-name": given.orgName,
    "date-range": {
      "start-datetime": timeIn(zone, given.beginSeconds),
      "end-datetime": timeIn(zone, given.beginSeconds + DAY_SECONDS - 1),
    },
    "contact-info": given.contactInfo,
    "report-id": given.reportId,
    policies: given.policies.map((one) => policyObject(one, hasEmpty)),
  };
  const json = JSON.stringify(turnedMembers(document, first), null, indent);
  const escaped = (sign: string): string => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const content = isEscaped ? json.replaceAll(/[\u007f-\uffff]/g, escaped) : json;
  if (encoding === "utf-8") return joinBytes(content);
  if (encoding === "utf-8 bom") return joinBytes([0xef, 0xbb, 0xbf], content);
  const wide = Buffer.from(`\ufeff${content}`, "utf16le");
  return new Uint8Array(encoding === "utf-16be" ? wide.swap16() : wide);
}

function policyObject(one: TlsPolicy, hasEmpty: boolean): object {
  const details = one.failureDetails.map((failed) => ({
    "result-type": failed.resultType,
    "sending-mta-ip": failed.sendingMtaIp,
    "receiving-mx-hostname": failed.receivingMxHostname,
    ...(failed.receivingMxHelo !== "" || hasEmpty ? { "receiving-mx-helo": failed.receivingMxHelo } : {}),
    ...(failed.receivingIp === "" ? {} : { "receiving-ip": failed.receivingIp }),
    "failed-session-count": failed.failedSessionCount,
    "additional-information": failed.additionalInformation,
    "failure-reason-code": failed.failureReasonCode,
  }));
  return {
    policy: {
      "policy-type": one.policyType,
      "policy-string": one.policyStrings,
      "policy-domain": one.policyDomain,
      ...(one.mxHosts.length > 0 || hasEmpty ? { "mx-host": one.mxHosts } : {}),
    },
    summary: {
      "total-successful-session-count": one.successfulSessionCount,
      "total-failure-session-count": one.failedSessionCount,
    },
    ...(details.length > 0 || hasEmpty ? { "failure-details": details } : {}),
  };
}

/** RFC 3339, in a time zone. */
function timeIn(zone: number, seconds: number): string {
  const local = new Date((seconds + zone * 60) * 1000).toISOString().slice(0, "2026-01-01T00:00:00".length);
  const minutes = Math.abs(zone);
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0"));
  return zone === 0 ? `${local}Z` : `${local}${zone < 0 ? "-" : "+"}${hour}:${minute}`;
}

/** The same document, the members of each object begun at another one. */
function turnedMembers(value: unknown, first: number): unknown {
  if (Array.isArray(value)) return value.map((one) => turnedMembers(one, first));
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, one]) => [name, turnedMembers(one, first)] as const);
  const at = first % members.length;
  return Object.fromEntries([...members.slice(at), ...members.slice(0, at)]);
}
