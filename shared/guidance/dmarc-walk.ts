/**
 * Finds the DMARC record that applies to a domain: by RFC 9989's tree walk (section 4.10), and as an RFC 7489 receiver
 * does (the domain itself, then its organizational domain by the Public Suffix List). Pure.
 */
import { isUnanswered, recordsOf } from "../dns/resolver.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import { type DmarcRecord, isDmarcRecord, type Mistaken, mistakenRecord, readDmarcRecord } from "./dmarc-record.ts";
import type { Ask } from "./dns-questions.ts";

/** What was found at one name of the walk. */
export interface WalkStep {
  /** The domain, without `_dmarc.`. */
  domain: string;
  /** The status of the DNS answer. */
  status: string;
  /** The DMARC records there; more than one count as none. */
  records: string[];
  /** The record, if there is exactly one. */
  record?: DmarcRecord;
  /** Others there that were meant as one. */
  mistaken: Mistaken[];
}

/** The record that applies, and its name. */
export interface FoundRecord {
  domain: string;
  record: DmarcRecord;
}

/** The result of a walk. */
export interface Walk {
  steps: WalkStep[];
  /** The organizational domain by the walk. */
  organizationalDomain: string;
  /** The record that applies; undefined if there is none. */
  found?: FoundRecord;
  /** The record that applies to a name below the domain without a record. */
  foundBelow?: FoundRecord;
  /** Whether an unanswered name could change the result. */
  isUncertain: boolean;
}

/** RFC 9989 section 4.10: at most eight questions. */
const MAX_LABELS = 8;

/** The names of the walk, from the domain to its top-level domain. */
export function walkNames(domain: string): string[] {
  const labels = domain.split(".");
  const names = [domain];
  let rest = labels.length >= MAX_LABELS ? labels.slice(-(MAX_LABELS - 1)) : labels.slice(1);
  while (rest.length > 0) {
    names.push(rest.join("."));
    rest = rest.slice(1);
  }
  return names;
}

/** Walks up from a domain (A-labels). */
export async function walkTree(domain: string, ask: Ask): Promise<Walk> {
  const steps: WalkStep[] = [];
  for (const name of walkNames(domain)) {
    const step = await readStep(name, ask);
    steps.push(step);
    if (step.record?.psd === "n" || step.record?.psd === "y") break;
  }
  const organization = organizationOfWalk(domain, steps);
  const found = foundIn(steps, [domain, organization, ...publicSuffixes(steps)]);
  const walk: Walk = { steps, organizationalDomain: organization, isUncertain: isUncertain(steps, found) };
  if (found !== undefined) walk.found = found;
  const below = foundBelow(domain, steps);
  if (below !== undefined) walk.foundBelow = below;
  return walk;
}

// The walk of a subdomain finds what this one found: the record of its own organizational domain holds, not that of the
// names between (section 4.10.1).
function foundBelow(domain: string, steps: WalkStep[]): FoundRecord | undefined {
  const subdomain = `x.${domain}`;
  const names = new Set(walkNames(subdomain));
  const seen = steps.filter((step) => names.has(step.domain));
  return foundIn(seen, [organizationOfWalk(subdomain, seen), ...publicSuffixes(seen)]);
}

/** Looks up `_dmarc.` of a name. */
async function readStep(domain: string, ask: Ask): Promise<WalkStep> {
  const answer = await ask(`_dmarc.${domain}`, "TXT");
  const texts = recordsOf(answer);
  const records = texts.filter(isDmarcRecord);
  const mistaken = texts.map(mistakenRecord).filter((one) => one !== undefined);
  const step: WalkStep = { domain, status: answer.status, records, mistaken };
  if (records.length === 1 && records[0] !== undefined) step.record = readDmarcRecord(records[0]);
  return step;
}

// Section 4.10.2: from the longest name to the shortest.
function organizationOfWalk(domain: string, steps: WalkStep[]): string {
  for (const { domain: name, record } of steps) {
    if (record?.psd === "n") return name;
    if (record?.psd === "y" && name !== domain) return oneLabelBelow(name, domain);
  }
  return steps.filter(({ record }) => record !== undefined).at(-1)?.domain ?? domain;
}

function oneLabelBelow(suffix: string, domain: string): string {
  const labels = domain.split(".");
  return labels.slice(-(suffix.split(".").length + 1)).join(".");
}

function publicSuffixes(steps: WalkStep[]): string[] {
  return steps.filter(({ record }) => record?.psd === "y").map(({ domain }) => domain);
}

function foundIn(steps: WalkStep[], domains: string[]): FoundRecord | undefined {
  for (const domain of domains) {
    const record = steps.find((step) => step.domain === domain)?.record;
    if (record !== undefined) return { domain, record };
  }
  return undefined;
}

// A record at the domain itself applies regardless of its parents; otherwise an unanswered name may hide the record
// that applies.
function isUncertain(steps: WalkStep[], found: FoundRecord | undefined): boolean {
  const [own] = steps;
  if (found !== undefined && found.domain === own?.domain) return false;
  return steps.some(({ status }) => status !== "answers" && status !== "nxdomain" && status !== "nodata");
}

/** What an RFC 7489 receiver finds (section 6.6.3): several records at a name end the search without a policy. */
export interface OlderAnswer {
  organizationalDomain: string;
  found?: FoundRecord;
  /** The record that applies to a name below the domain without a record. */
  foundBelow?: FoundRecord;
  isUncertain: boolean;
}

/** The older way: the name itself, then the organizational domain of the Public Suffix List. */
export async function findByPublicSuffix(domain: string, ask: Ask): Promise<OlderAnswer> {
  const organization = organizationalDomain(domain);
  const [own, ofOrganization] = await Promise.all([recordAt(domain, ask), recordAt(organization, ask)]);
  const answer: OlderAnswer = { organizationalDomain: organization, isUncertain: false };
  if (typeof ofOrganization === "object") answer.foundBelow = ofOrganization;
  const holds = own === "none" ? ofOrganization : own;
  if (typeof holds === "object") answer.found = holds;
  answer.isUncertain = holds === "unanswered";
  return answer;
}

async function recordAt(domain: string, ask: Ask): Promise<FoundRecord | "none" | "several" | "unanswered"> {
  const answer = await ask(`_dmarc.${domain}`, "TXT");
  if (isUnanswered(answer)) return "unanswered";
  const [text, ...others] = recordsOf(answer).filter(isDmarcRecord);
  if (text === undefined) return "none";
  return others.length > 0 ? "several" : { domain, record: readDmarcRecord(text) };
}
