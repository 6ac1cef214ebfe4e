/**
 * Decides about a request to the local dashboard by its host name, path and credentials, in place of Cloudflare's edge
 * and Access. Pure.
 */
import { timingSafeEqual } from "node:crypto";
import { domainOfPolicyHost, POLICY_PATH } from "../../shared/guidance/mta-sts-policy.ts";
import { isTokenSecret } from "../../shared/tokens.ts";
import type { LocalSecret } from "../secret.ts";

/** The relevant parts of a request. */
export interface Asked {
  /** Path and query as sent. */
  target: string;
  host: string;
  cookie: string;
  authorization: string;
}

export type Verdict =
  /** `isPublic`: credentials are removed. */
  | { kind: "hand on"; path: string; isPublic?: true }
  /** Sets the cookie and redirects to the path. */
  | { kind: "let in"; path: string; cookie: string }
  | { kind: "refuse"; status: 403 | 404 | 421; code: "forbidden" | "not_found"; message: string };

/** Paths answered by the development server itself, which a real edge never exposes. */
const SERVER_PATH = /^\/+(cdn-cgi|__cf_local)(\/|$)/i;
/** What the recipient of a link that confirms a mail address needs (docs/notifications.md). */
const EVERYBODYS_PATH = /^\/(confirm|assets\/[\w.-]+)$/;
/** Headers that control the development server, and those that an edge sets itself. */
const SERVER_HEADER = /^(mf-|x-mf-|cf-|x-forwarded-|forwarded$|x-real-ip$|x-dmarc-workers-secret$|proxy-)/i;
/** Hop-by-hop headers (RFC 9110 section 7.6.1). */
const CONNECTION_HEADER = /^(connection|keep-alive|te|trailer|transfer-encoding|upgrade)$/i;
/** Ours: after a year the browser needs the link again. */
const COOKIE_SECONDS = 365 * 86_400;

const CLOSED =
  "Open this dashboard with the link that npm start printed in its terminal, after the word dashboard, once in " +
  "this browser. Programs send the apiToken of local-secret.json in the state folder, or a token made by `dmarc " +
  "tokens create`, as their bearer token.";

/** Decides on a request; `port` is where it listens. */
export function judge(asked: Asked, { port, secret }: { port: number; secret: LocalSecret }): Verdict {
  // RFC 8461: everybody may fetch a policy file. The dashboard answers nothing else under such a name.
  if (isPolicyRequest(asked)) return { kind: "hand on", path: POLICY_PATH, isPublic: true };
  if (!ownHosts(port).includes(asked.host.toLowerCase())) {
    const message = `The dashboard of this machine does not answer as '${asked.host}'.`;
    return { kind: "refuse", status: 421, code: "forbidden", message };
  }
  // Parsed as the development server will: dots and backslashes are resolved.
  const url = asked.target.startsWith("/") ? URL.parse(`http://${asked.host}${asked.target}`) : null;
  if (url === null || SERVER_PATH.test(url.pathname)) {
    return { kind: "refuse", status: 404, code: "not_found", message: "There is no such page." };
  }
  const key = url.searchParams.get("key");
  if (key !== null && isSame(key, secret.browserKey)) {
    url.searchParams.delete("key");
    const cookie = `${cookieName(port)}=${secret.browserKey}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${COOKIE_SECONDS}`;
    // A single slash: two would be another site's address.
    return { kind: "let in", path: url.pathname.replace(/^\/+/, "/") + url.search, cookie };
  }
  if (isKnown(asked, { port, secret })) return { kind: "hand on", path: url.pathname + url.search };
  if (EVERYBODYS_PATH.test(url.pathname)) return { kind: "hand on", path: url.pathname + url.search, isPublic: true };
  return { kind: "refuse", status: 403, code: "forbidden", message: CLOSED };
}

/** The headers to forward. */
export function keepHeaders<Value>(headers: Record<string, Value>): Record<string, Value> {
  const kept = Object.entries(headers).filter(([name]) => !SERVER_HEADER.test(name) && !CONNECTION_HEADER.test(name));
  return Object.fromEntries(kept);
}

function isPolicyRequest({ host, target }: Asked): boolean {
  return domainOfPolicyHost(host.replace(/:\d+$/, "")) !== undefined && target === POLICY_PATH;
}

// A token, if sent, must be correct, regardless of anything else. Whether one of `dmarc tokens` is, the dashboard knows.
function isKnown({ cookie, authorization }: Asked, { port, secret }: { port: number; secret: LocalSecret }): boolean {
  if (authorization !== "") {
    const bearer = /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? "";
    return isTokenSecret(bearer) || isSame(bearer, secret.apiToken);
  }
  const prefix = `${cookieName(port)}=`;
  const pairs = cookie.split(";").map((pair) => pair.trim());
  return pairs.some((pair) => pair.startsWith(prefix) && isSame(pair.slice(prefix.length), secret.browserKey));
}

// A browser leaves port 80 out.
function ownHosts(port: number): string[] {
  const names = ["127.0.0.1", "localhost"];
  return names.flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]));
}

// Browsers send a cookie to all ports of a host, so two stacks need different names.
function cookieName(port: number): string {
  return `dmarc-local-${port}`;
}

function isSame(given: string, secret: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(secret)];
  return a.length === b.length && timingSafeEqual(a, b);
}
