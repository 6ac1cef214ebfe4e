/** Paths of the pages. Pure: every part that comes from a report is encoded. */
import { isoDay } from "./data/days.ts";

/** The overview of a domain. */
export function domainPath(domain: string): string {
  return `/domains/${encodeURIComponent(domain)}`;
}

/** The form that adds domains, with this one in it. */
export function addPath(domain: string): string {
  return `/add?${new URLSearchParams({ domain })}`;
}

/** The set-up page of a domain, as one account has added it. */
export function setupPath(domain: string, account: string): string {
  return `${domainPath(domain)}/setup?${new URLSearchParams({ account })}`;
}

/** The page of one source of a domain, by its name. */
export function sourcePath(domain: string, source: string): string {
  return `${domainPath(domain)}/sources/${encodeURIComponent(source)}`;
}

/** The page of one IP address that sends for a domain. */
export function addressPath(domain: string, address: string): string {
  return `${domainPath(domain)}/addresses/${encodeURIComponent(address)}`;
}

/** Domains that carry a tag. */
export function tagPath(tag: string): string {
  return `/?${new URLSearchParams({ tag })}`;
}

/** Domains of the accounts of a group. */
export function groupPath(group: string): string {
  return `/?${new URLSearchParams({ group })}`;
}

/** All domains of one line of the worklist. */
export function workPath({ code, subject }: { code: string; subject: string }): string {
  return `/worklist?${new URLSearchParams({ code, ...(subject === "" ? {} : { subject }) })}`;
}

/** One report of the ledger, by the domain and the day it counts for. */
export function reportPath(report: { account: string; domain: string; day: number; reportUid: string }): string {
  const day = isoDay(report.day) || "0";
  return `/reports/${[report.account, report.domain || "-", day, report.reportUid].map(encodeURIComponent).join("/")}`;
}
