/**
 * What a deployment is to be: from flags, a file, the environment and what was chosen before. Pure: it reads values and asks
 * nobody.
 */
import * as v from "valibot";
import { domainName } from "../shared/domain-name.ts";
import { D1_LIMITS } from "../shared/limits.ts";
import { accountName } from "../shared/registry.ts";
import { fail, ok, type Result } from "../shared/result.ts";

const hostName = v.pipe(
  v.string(),
  v.trim(),
  v.transform(domainName),
  v.regex(/^(?=.{4,253}$)([a-z0-9_]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}$/, "not a domain name"),
);
const address = v.pipe(
  v.string(),
  v.trim(),
  v.toLowerCase(),
  v.regex(/^[a-z0-9._-]{1,64}@[^\s@]+$/, "not an address of the form name@domain; letters, digits, '.', '_' and '-'"),
  v.check((text) => v.is(hostName, text.split("@")[1]), "not an address: its domain is invalid"),
);

/** How mail gets from Email Routing to ingest. */
export const ROUTINGS = ["address", "subaddresses", "catch-all", "none"] as const;
export type Routing = (typeof ROUTINGS)[number];
export const PLANS = ["free", "paid"] as const;
export type Plan = (typeof PLANS)[number];

const prefix = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,30}[a-z0-9]$/, "2 to 32 of a-z, 0-9 and '-'"));
const DEFAULT_PREFIX = "dmarc";

const settings = v.strictObject({
  /** 32 hex digits; absent: the only account that the token sees. */
  accountId: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, "not an account id: 32 hex digits"))),
  plan: v.optional(v.picklist(PLANS), "paid"),
  /** First part of the names of everything that is made. */
  prefix: v.optional(prefix, DEFAULT_PREFIX),
  /** Where reports are sent. */
  rua: address,
  /** The account of the registry that they belong to. */
  account: v.optional(accountName, "main"),
  /** Domains that the address accepts reports about; absent: the address's own. */
  domains: v.optional(v.array(hostName)),
  routing: v.optional(v.picklist(ROUTINGS), "address"),
  /** Whether Email Routing may be switched on, which takes over the zone's MX records. */
  enableRouting: v.optional(v.boolean(), false),
  /** Settings of the Workers with another value than in the repository's TOMLs, by name. */
  vars: v.optional(v.record(v.string(), v.union([v.string(), v.number()])), {}),
  /** Databases that the ledger is spread over; absent: as many as there are, one at first. Never fewer than there are. */
  databases: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(D1_LIMITS.maxDatabases))),
  /** Days after which raw reports move to R2's cheaper class; absent: never. R2 bills at least 30 days there. */
  infrequentAccessDays: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(36_500))),
});

export type Settings = Omit<v.InferOutput<typeof settings>, "domains"> & { domains: string[] };
/** Settings as they are typed. */
export type GivenSettings = Partial<v.InferInput<typeof settings>>;
/** Settings from a file, by name, whatever their values. */
export type UncheckedSettings = Readonly<Record<string, unknown>>;

const byName = v.pipe(
  v.string(),
  v.parseJson(),
  v.check((given) => !Array.isArray(given), "it is a list"),
  v.record(v.string(), v.unknown()),
);

/** Reads settings as JSON. @returns what is wrong, as the end of a sentence, if it is not an object */
export function readSettingsText(text: string): Result<UncheckedSettings, string> {
  const read = v.safeParse(byName, text);
  return read.success ? ok(read.output) : fail(read.issues[0].message);
}

/** Reads the prefix alone. @returns a sentence for what is wrong with it */
export function readPrefix(given: unknown): Result<string, string> {
  const read = v.safeParse(v.optional(prefix, DEFAULT_PREFIX), given);
  return read.success ? ok(read.output) : fail(`prefix: ${read.issues[0].message}.`);
}

/**
 * Puts the settings together; what comes first counts.
 *
 * @returns a sentence for what is wrong or missing
 */
export function readSettings(...sources: readonly UncheckedSettings[]): Result<Settings, string> {
  const given: Record<string, unknown> = {};
  for (const source of sources) {
    for (const [name, value] of Object.entries(source)) if (value !== undefined) given[name] ??= value;
  }
  if (given.rua === undefined) return fail("The address that reports are sent to is missing: --rua dmarc@example.com.");
  const read = v.safeParse(settings, given);
  if (!read.success) {
    const [issue] = read.issues;
    return fail(`${v.getDotPath(issue) ?? "settings"}: ${issue.message}.`);
  }
  const { rua, domains, ...others } = read.output;
  const dashboardUrl = others.vars.DASHBOARD_URL ?? "";
  if (dashboardUrl !== "" && !isOrigin(String(dashboardUrl))) {
    return fail(
      `vars: DASHBOARD_URL is ${dashboardUrl}, but must be the origin of the dashboard, without a path, such as https://dmarc.example.net.`,
    );
  }
  const { DATASET_PREFIX, NOTICES_FROM = "" } = others.vars;
  if (NOTICES_FROM !== "" && !/^[^\s@<>"]+@[^\s@<>"]+$/.test(String(NOTICES_FROM))) {
    return fail(
      `vars: NOTICES_FROM is ${NOTICES_FROM}, but must be the address alone, such as notices@example.com, without a name.`,
    );
  }
  if (DATASET_PREFIX !== undefined && !/^[a-z][a-z0-9_]{0,40}$/.test(String(DATASET_PREFIX))) {
    return fail(`vars: DATASET_PREFIX is ${DATASET_PREFIX}, but must be a letter and up to 40 of a-z, 0-9 and '_'.`);
  }
  const host = hostOf(rua);
  return ok({ ...others, rua: `${rua.split("@")[0]}@${host}`, domains: domains ?? [host] });
}

/** What is kept for the next run. Not the address's own domain, which was not chosen: another address has another one. */
export function settingsToKeep({ domains, ...others }: Settings): GivenSettings {
  const [only, ...more] = domains;
  return only === hostOf(others.rua) && more.length === 0 ? others : { ...others, domains };
}

/** Whether it is https and a host: links and confirmations begin with it. */
function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === "https:" && url.origin === text;
}

/** The domain of an address, as A-labels. */
export function hostOf(rua: string): string {
  return domainName(rua.split("@")[1] ?? "");
}

/** What everything is called. */
export interface Names {
  workers: { ingest: string; process: string; dashboard: string };
  /** Number 0 of the ledger; further ones have a number after it (shared/ledger/shards.ts). */
  database: string;
  namespace: string;
  bucket: string;
  queues: { reports: string; points: string; deadLetters: string };
  /** First part of the names of the datasets, which are tables of SQL. */
  datasets: string;
}

/** The names of everything one deployment makes, which all begin with its prefix. */
export function namesOf(prefix: string): Names {
  return {
    workers: { ingest: `${prefix}-ingest`, process: `${prefix}-process`, dashboard: `${prefix}-dashboard` },
    database: `${prefix}-reports`,
    namespace: `${prefix}-reports`,
    bucket: `${prefix}-reports`,
    queues: { reports: `${prefix}-reports`, points: `${prefix}-points`, deadLetters: `${prefix}-dead-letters` },
    datasets: prefix.replaceAll("-", "_"),
  };
}

/** Where addresses of added domains are made (RUA_HOST): nowhere where only the one address is routed. */
export function ruaHostOf({ routing, rua }: Pick<Settings, "routing" | "rua">): string {
  switch (routing) {
    case "catch-all":
      return hostOf(rua);
    case "subaddresses":
      return rua;
    case "address":
    case "none":
      return "";
  }
}
