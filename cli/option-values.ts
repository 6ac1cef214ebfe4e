/** Values of options, checked where they are typed: commander names the option and the value with the sentence. */
import { InvalidArgumentError } from "commander";
import { canonicalIp } from "../shared/report/values.ts";
import { parseDay } from "../shared/report-day.ts";

/** A calendar day. @throws InvalidArgumentError for anything else, such as 2026-02-30 */
export function readDay(text: string): string {
  if (parseDay(text) === undefined) throw new InvalidArgumentError("It must be a day, as YYYY-MM-DD.");
  return text;
}

/** A mail address. @throws InvalidArgumentError for what has not the form of one */
export function readAddress(text: string): string {
  if (/^[^\s@]+@[^\s@]+$/.test(text.trim())) return text.trim();
  throw new InvalidArgumentError("It must be a mail address.");
}

/** An IP address, canonical. @throws InvalidArgumentError for anything else */
export function readIp(text: string): string {
  const address = canonicalIp(text.trim());
  if (address === null) throw new InvalidArgumentError("It must be an IP address.");
  return address;
}

/** The address of a DNS server. @throws InvalidArgumentError for anything else */
export function readDnsUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === "https:" || url?.protocol === "http:") return text;
  throw new InvalidArgumentError("It must be the https address of a DNS server (RFC 8484).");
}

/** A whole number from `least` to `most`. @throws InvalidArgumentError for anything else */
export function numberBetween(least: number, most = 999_999_999): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}

/** A time zone by its IANA name. @throws InvalidArgumentError for anything else */
export function readTimeZone(text: string): string {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    throw new InvalidArgumentError("It must be the name of a time zone, such as Europe/Berlin.");
  }
}
