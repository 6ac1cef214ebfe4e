/**
 * The one DMARC record that several at a name should have been (RFC 9989 section 4.10.1: receivers use none of several): that with
 * the weakest policy, and the addresses of all. Pure.
 */
import { type DmarcRecord, effectivePolicy, POLICIES, type ReportUri, readDmarcRecord } from "./dmarc-record.ts";

/** @returns undefined where one of them has mistakes: what was meant is not known then */
export function mergedDmarc(texts: readonly string[]): string | undefined {
  const records = texts.map(readDmarcRecord);
  if (records.some(isFlawed)) return undefined;
  const [base] = records.sort((a, b) => strictnessOf(a) - strictnessOf(b));
  if (base === undefined) return undefined;
  const others = base.tags.filter(({ name }) => name !== "v" && name !== "p" && name !== "rua" && name !== "ruf");
  const parts = ["v=DMARC1", `p=${base.p}`, ...others.map(({ name, value }) => `${name}=${value}`)];
  for (const name of ["rua", "ruf"] as const) {
    const uris = uniqueTexts(records.flatMap((record) => record[name]));
    if (uris.length > 0) parts.push(`${name}=${uris.join(",")}`);
  }
  return parts.join("; ");
}

function isFlawed({ p, tags, malformed }: DmarcRecord): boolean {
  return (
    p === undefined ||
    malformed.length > 0 ||
    tags.some(({ standing }) => standing === "repeated" || standing === "invalid")
  );
}

function strictnessOf(record: DmarcRecord): number {
  return POLICIES.indexOf(effectivePolicy(record, "domain") ?? "none");
}

function uniqueTexts(uris: readonly ReportUri[]): string[] {
  const byAddress = new Map(uris.map(({ text, address }) => [(address ?? text).toLowerCase(), text]));
  return [...byAddress.values()];
}
