/** Whether the reports of a DMARC record may be sent where it asks for them (RFC 9990 section 4, RFC 9989 section 4.6). Pure. */
import { isUnanswered, recordsOf } from "../dns/resolver.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import type { Finding } from "./check.ts";
import { isDmarcRecord, type ReportUri, readDmarcRecord, readReportUris } from "./dmarc-record.ts";
import { repairedDmarc } from "./dmarc-repair.ts";
import { type Walk, walkTree } from "./dmarc-walk.ts";
import type { Ask } from "./dns-questions.ts";
import { isUnreachable } from "./mail-hosts.ts";

/** Whether reports may be sent to a URI. */
export interface Destination {
  uri: string;
  host?: string;
  /** "inside": of the same organization, no record needed. */
  outcome: "inside" | "authorized" | "redirected" | "refused" | "notSupported" | "unknown";
  /** The name whose TXT record decides, if one is needed. */
  recordName?: string;
  /** Refused by RFC 9990, though the Public Suffix List, which older receivers go by, has both in one organization. */
  isInsideByList?: boolean;
  /** Refused though the host has a wildcard that permits all: another name there keeps it from answering (RFC 4592). */
  isBesideWildcard?: boolean;
  /** Whether mail to the host can't arrive, whoever permits what. */
  isUnreachable?: boolean;
  /** Whether failure reports are asked for there (ruf), which few receivers send. */
  isForFailures?: boolean;
}

/** RFC 1035 section 2.3.4, in characters without the last dot. */
const LONGEST_NAME = 253;

/** Asks about every URI of the record that holds; rua first. */
export async function checkDestinations(walk: Walk, ask: Ask): Promise<Destination[]> {
  if (walk.found === undefined) return [];
  const { rua, ruf, psd } = walk.found.record;
  // Where the reports of a public suffix go is its registry's business.
  if (psd === "y" && walk.found.domain !== walk.steps[0]?.domain) return [];
  const destinations: Destination[] = [];
  const { maxReportAddresses } = GUIDANCE_LIMITS;
  // One after the other: what was asked is to be in one order, each time.
  for (const uri of rua.slice(0, maxReportAddresses))
    destinations.push(await checkDestination(uri, "rua", { walk, ask }));
  for (const uri of ruf.slice(0, maxReportAddresses)) {
    destinations.push({ ...(await checkDestination(uri, "ruf", { walk, ask })), isForFailures: true });
  }
  return destinations;
}

async function checkDestination(
  { text, host }: ReportUri,
  tag: "rua" | "ruf",
  { walk, ask }: { walk: Walk; ask: Ask },
): Promise<Destination> {
  if (host === undefined) return { uri: text, outcome: "notSupported" };
  const decided = await checkHost({ text, host }, tag, { walk, ask });
  return (await isUnreachable(host, ask)) ? { ...decided, isUnreachable: true } : decided;
}

async function checkHost(
  { text, host }: { text: string; host: string },
  tag: "rua" | "ruf",
  { walk, ask }: { walk: Walk; ask: Ask },
): Promise<Destination> {
  const own = await walkTree(host, ask);
  if (own.organizationalDomain === walk.organizationalDomain) {
    return { uri: text, host, outcome: own.isUncertain && own.found === undefined ? "unknown" : "inside" };
  }
  const recordName = `${walk.found?.domain ?? ""}._report._dmarc.${host}`;
  if (isLongName(recordName)) return { uri: text, host, outcome: "refused", recordName };
  const answer = await ask(recordName, "TXT");
  const permits = recordsOf(answer).filter(isDmarcRecord).map(readDmarcRecord);
  // Another address may be named there, of the same host.
  const others = permits.flatMap((permit) => permit[tag]);
  const outcome = outcomeOf({ isPermitted: permits.length > 0, others, host });
  const isOpen = outcome === "refused" && (isUnanswered(answer) || own.isUncertain);
  const decided: Destination = { uri: text, host, outcome: isOpen ? "unknown" : outcome, recordName };
  if (decided.outcome === "refused" && permits.length === 0) {
    const wildcard = await ask(`*._report._dmarc.${host}`, "TXT");
    if (recordsOf(wildcard).some(isDmarcRecord)) decided.isBesideWildcard = true;
  }
  const isInsideByList = organizationalDomain(host) === organizationalDomain(walk.found?.domain ?? "");
  return isInsideByList ? { ...decided, isInsideByList } : decided;
}

function outcomeOf({ isPermitted, others, host }: { isPermitted: boolean; others: ReportUri[]; host: string }) {
  if (!isPermitted || others.some((other) => other.host !== host)) return "refused";
  return others.length > 0 ? "redirected" : "authorized";
}

/** The findings about destinations. */
export function findingsOfDestinations(destinations: readonly Destination[]): Finding[] {
  const isAnyUsable = destinations.some(({ outcome }) => outcome !== "notSupported");
  return destinations.flatMap((one) => {
    const findings = findingsOf(one, isAnyUsable);
    return one.isForFailures === true ? findings.map(ofFailures) : findings;
  });
}

/** Reports that few receivers send are less of a loss. */
function ofFailures(finding: Finding): Finding {
  const state = finding.state === "broken" ? "attention" : finding.state;
  return {
    ...finding,
    state,
    sentence: finding.sentence.replace(/\bno reports\b/i, (no) => `${no.slice(0, 3)}failure reports`),
  };
}

function findingsOf(destination: Destination, isAnyUsable: boolean): Finding[] {
  const { uri, host, outcome, recordName = "" } = destination;
  const rule = "RFC 9990 section 4";
  const shown = uri.slice(0, 200);
  if (destination.isUnreachable === true) {
    const sentence = `No reports arrive at ${shown}: according to DNS, ${host} takes no mail. Use an address whose domain has a mail server (MX).`;
    return [{ code: "destination_without_mail", state: "broken", sentence, rule: "RFC 5321 section 5.1" }];
  }
  switch (outcome) {
    case "refused":
      return [
        {
          code: "destination_refused",
          state: "broken",
          sentence: whyRefused(destination, shown),
          rule,
          publish: isLongName(recordName) ? undefined : { name: recordName, type: "TXT", value: "v=DMARC1;" },
        },
      ];
    case "notSupported":
      return [
        {
          code: "destination_not_supported",
          state: isAnyUsable ? "attention" : "broken",
          sentence: `${shown} is not a mailto address, so no reports go there.${hintOf(uri)}`,
          rule: "RFC 9989 section 4.6",
        },
      ];
    case "unknown":
      return [
        {
          code: "destination_unknown",
          state: "unknown",
          sentence: `DNS gave no answer on whether ${host} takes reports for this domain. Check again later.`,
          rule,
        },
      ];
    case "redirected":
      return [
        {
          code: "destination_redirected",
          state: "good",
          sentence: `${host} receives the reports for ${shown} at another of its addresses.`,
          rule,
        },
      ];
    default:
      return [];
  }
}

function whyRefused({ host, recordName = "", isInsideByList, isBesideWildcard }: Destination, shown: string): string {
  if (isLongName(recordName)) {
    return `No reports go to ${shown}: the name at which ${host} would have to permit them is longer than DNS allows. Use an address in your own domain.`;
  }
  if (isInsideByList === true) {
    return (
      `Receivers that follow RFC 9990 send no reports to ${shown}: for them ${host} is of another organization, ` +
      "and does not say that it takes reports for this domain. Older receivers send them. It has to publish this record."
    );
  }
  if (isBesideWildcard === true) {
    return (
      `No reports go to ${shown}: ${host} takes reports for all domains by *._report._dmarc.${host}, but that wildcard does ` +
      "not answer for this one, since another record there ends in the same labels. It has to publish this record, too."
    );
  }
  return `No reports go to ${shown}: ${host} does not say that it takes reports for this domain. It has to publish this record; or use an address in your own domain.`;
}

/** Whether nothing can be published at a name. */
export function isLongName(name: string): boolean {
  return name.length > LONGEST_NAME;
}

function hintOf(uri: string): string {
  const meant = repairedDmarc(`rua=${uri}`).slice("rua=".length);
  const [first] = readReportUris(meant);
  return meant !== uri && first?.host !== undefined ? ` Write ${meant.slice(0, 200)}.` : "";
}
