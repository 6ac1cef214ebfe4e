/** Targets that accepted reports are forwarded to. Pure. */
import * as v from "valibot";
import { NOTIFY_LIMITS } from "../limits.ts";
import { validTarget } from "../notify/channel.ts";
import { fail, ok, type Result } from "../result.ts";

export const TARGET_KINDS = ["http", "splunk", "s3"] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** What an operator chooses about a target. */
export const targetSettings = {
  kind: v.picklist(TARGET_KINDS),
  name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(NOTIFY_LIMITS.nameChars)),
  /** https URL: of the endpoint; of Splunk's HTTP Event Collector; of the bucket, with a prefix if wanted. */
  url: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(NOTIFY_LIMITS.targetChars)),
  /** Splunk: the token; S3: the secret access key. Of an HTTP endpoint it is made here. */
  secret: v.optional(v.pipe(v.string(), v.trim(), v.maxLength(1000)), ""),
  /** S3 only. */
  region: v.optional(v.pipe(v.string(), v.trim(), v.maxLength(100)), ""),
  accessKeyId: v.optional(v.pipe(v.string(), v.trim(), v.maxLength(200)), ""),
  /** Also the records of each report. */
  withRecords: v.boolean(),
};

export type TargetSettings = v.InferOutput<ReturnType<typeof v.object<typeof targetSettings, undefined>>>;

/** A target as stored. */
export interface ForwardTarget extends TargetSettings {
  id: string;
  /** "" = reports of all accounts. */
  account: string;
  createdSeconds: number;
  createdBy: string;
  /** Reports sent, and when the last one was, seconds since 1970 UTC; 0 = never. */
  sent: number;
  sentSeconds: number;
  /** The result of the last attempt, as a sentence. */
  result: string;
  /** Failed attempts in a row, and when the next one is due. */
  failures: number;
  nextSeconds: number;
}

/** Path of Splunk's HTTP Event Collector for JSON events. */
const COLLECTOR_PATH = "/services/collector/event";

/**
 * Checks a target's settings: an https URL of a public host, as webhooks have (shared/notify/channel.ts), and the
 * secrets of its kind.
 *
 * @param localOrigin an origin that is allowed although it is not public; "" = none
 * @returns the URL as it is used, or what is wrong as a sentence
 */
export function validSettings(
  { kind, url, secret, region, accessKeyId }: TargetSettings,
  localOrigin: string,
): Result<string, string> {
  const target = validTarget("webhook", url, localOrigin, "The URL of a target");
  if (!target.ok) return target;
  const valid = new URL(target.value);
  if (kind === "http") return secret === "" ? ok(valid.href) : fail("The key of an HTTP endpoint is made here.");
  if (!/^[!-~]*$/.test(secret + region + accessKeyId)) {
    return fail("A token, a key or a region has letters, digits and marks of ASCII only, and no space.");
  }
  if (secret === "") return fail(kind === "splunk" ? "Splunk needs a token." : "S3 needs a secret access key.");
  if (kind === "splunk") {
    if (valid.pathname === "/") valid.pathname = COLLECTOR_PATH;
    return ok(valid.href);
  }
  if (accessKeyId === "" || region === "") return fail("S3 needs an access key id and a region (R2: auto).");
  while (valid.pathname.length > 1 && valid.pathname.endsWith("/")) valid.pathname = valid.pathname.slice(0, -1);
  if (valid.search !== "" || valid.hash !== "") return fail("The URL of a bucket has no query.");
  return ok(valid.href);
}
