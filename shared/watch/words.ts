/** Words that the rules share: counts, days, names and paths of pages. Pure. */

import type { SourceKind } from "../guidance/sources.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { isoDate } from "../storage.ts";
import type { Sender } from "./figures.ts";

/** "1 message", "1,234 messages". */
export function messagesText(count: number): string {
  return countText(count, "message");
}

/** A count with its word. */
export function countText(count: number, word: string): string {
  return `${count.toLocaleString("en-US")} ${word}${count === 1 ? "" : "s"}`;
}

/** A cause with what it is: of a verdict that changed it is the next step. */
export function causeText(rule: string, sentence: string): string {
  return `${rule === "verdictChanged" ? "Next step" : "Likely cause"}: ${sentence}`;
}

/** "4 %", "0.3 %". */
export function shareText(share: number): string {
  const percent = 100 * share;
  return `${percent >= 10 || percent === 0 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

/** A day since 1970-01-01 UTC as YYYY-MM-DD. */
export function dayText(day: number): string {
  return isoDate(day * SECONDS_PER_DAY);
}

/** What a sender is called. */
export function senderText({ kind, name, service }: Pick<Sender, "kind" | "name" | "service">): string {
  if (kind === "ownServers") return "your own servers";
  return service === "" ? name : service;
}

/** Path of a domain's page, or of one below it. */
export function domainLink(domain: string, ...below: string[]): string {
  return ["/domains", domain, ...below].map((part, i) => (i === 0 ? part : encodeURIComponent(part))).join("/");
}

/** Path of the page that shows a sender. */
export function senderLink(
  domain: string,
  { kind, name }: { kind: Sender["kind"] | SourceKind; name: string },
): string {
  return kind === "none" ? domainLink(domain, "addresses", name) : domainLink(domain, "sources", name);
}

/** A sentence begins with a capital letter. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
