/** Channels: where an account's notices and digests are sent. Pure. */
import * as v from "valibot";
import { NOTIFY_LIMITS } from "../limits.ts";
import { fail, ok, type Result } from "../result.ts";

export const CHANNEL_KINDS = ["email", "webhook", "slack", "teams"] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** What people read of a kind of channel, and what its key signs, if it has one: deliveries, or the link that confirms an address. */
export const CHANNELS: Record<ChannelKind, { name: string; signs?: "deliveries" | "link" }> = {
  email: { name: "E-mail", signs: "link" },
  webhook: { name: "Webhook", signs: "deliveries" },
  slack: { name: "Slack" },
  teams: { name: "Teams" },
};

export const DIGEST_INTERVALS = ["none", "daily", "weekly", "monthly"] as const;
export type DigestInterval = (typeof DIGEST_INTERVALS)[number];

/** What a person chooses about a channel. */
export const channelSettings = {
  kind: v.picklist(CHANNEL_KINDS),
  name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(NOTIFY_LIMITS.nameChars)),
  /** A mail address, or an https URL. */
  target: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(NOTIFY_LIMITS.targetChars)),
  /** Whether immediate notices are sent. */
  sendsNotices: v.boolean(),
  digest: v.picklist(DIGEST_INTERVALS),
  /** IANA name of a time zone, such as `Europe/Berlin`. */
  timeZone: v.pipe(v.string(), v.maxLength(64), v.check(isTimeZone, "not a time zone such as Europe/Berlin")),
};

export type ChannelSettings = v.InferOutput<ReturnType<typeof v.object<typeof channelSettings, undefined>>>;

/** A channel as stored. */
export interface Channel extends ChannelSettings {
  id: string;
  account: string;
  /** The key that its kind signs with (CHANNELS); "" for kinds that sign nothing. */
  secret: string;
  /** When sending there was confirmed; 0 = not yet, and only the request to confirm is sent. */
  confirmedSeconds: number;
  /** Unanswered attempts in a row, and until when none is made because of that; 0 = it answers. */
  unanswered: number;
  silentUntilSeconds: number;
  createdSeconds: number;
  createdBy: string;
}

/**
 * Checks a channel's target: a mail address, or an https URL of a public host. Workers cannot reach private networks, and
 * redirects are not followed, so a name is all that has to be checked.
 *
 * @param localOrigin an origin that is allowed although it is not public, for one machine; "" = none
 * @param called what sentences about a URL call it
 * @returns the target in normal form, or what is wrong with it as a sentence
 */
export function validTarget(
  kind: ChannelKind,
  target: string,
  localOrigin: string,
  called = "A webhook's URL",
): Result<string, string> {
  if (kind === "email") {
    const isAddress = /^[^\s@<>,;:"()[\]\\]{1,64}@[^\s@<>,;:"()[\]\\]{1,253}$/.test(target);
    return isAddress ? ok(target) : fail(`"${shownTyped(target)}" is not a mail address.`);
  }
  if (!URL.canParse(target)) return fail(`"${shownTyped(target)}" is not a URL.`);
  const url = new URL(target);
  if (localOrigin !== "" && url.origin === localOrigin) return ok(url.href);
  if (url.protocol !== "https:") return fail(`${called} has to begin with https://.`);
  if (url.username !== "" || url.password !== "") return fail(`${called} must not contain a user name or password.`);
  if (!isPublicHost(url.hostname)) return fail(`${url.hostname} is not a public host name.`);
  return ok(url.href);
}

/** Top-level names that are not in the public DNS (RFC 2606, RFC 6761, RFC 6762, RFC 8375, RFC 9476), and local habits. */
const PRIVATE_SUFFIXES = [
  "localhost",
  "local",
  "internal",
  "lan",
  "home",
  "corp",
  "intranet",
  "test",
  "invalid",
  "onion",
  "alt",
  "arpa",
];

function isPublicHost(hostname: string): boolean {
  const labels = hostname.toLowerCase().replace(/\.$/, "").split(".");
  const last = labels.at(-1) ?? "";
  // The URL parser turns every form of an IPv4 address into digits, and puts IPv6 addresses in brackets.
  return labels.length > 1 && !/^\d+$/.test(last) && !last.endsWith("]") && !PRIVATE_SUFFIXES.includes(last);
}

/** A target that may be shown: the path of a URL is a secret of Slack and Teams. */
export function shownTarget({ kind, target }: Pick<Channel, "kind" | "target">): string {
  return kind === "email" || !URL.canParse(target) ? target : `${new URL(target).origin}/…`;
}

/** A target as it was typed, valid or not, without what may be secret of a URL, whole or not: all behind its host. */
export function shownTyped(target: string): string {
  if (/^https?:/i.test(target) && URL.canParse(target)) return `${new URL(target).origin}/…`;
  if (/^[^\s@:]+@[^\s@/?#]+$/.test(target)) return target;
  const [begin = ""] = target.split(/[/?#]/, 1);
  return begin.slice(begin.lastIndexOf("@") + 1) + (begin === target ? "" : "…");
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
