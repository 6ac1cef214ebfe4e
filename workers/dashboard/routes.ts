/**
 * The pages there are: paths, who they are for, and the tables each exports. Data only, and the one list: the site answers
 * these, and the tests of isolation, the browser's and the screenshots go through all of them, so that none is forgotten.
 */

import type { Role } from "../../shared/people.ts";

/** A page. */
export interface PageRoute {
  /** The role it takes. People who are not operators see what belongs to their accounts. */
  role: Role;
  /** Ids of its tables: `?export=csv&table=<id>`. */
  tables: readonly string[];
}

const SOURCE_TABLES = ["days", "addresses", "dkim", "spf", "from", "records", "reports"] as const;

/** Path → page. */
const PAGES = {
  "/": { role: "viewer", tables: ["domains", "others"] },
  "/add": { role: "administrator", tables: [] },
  "/tags": { role: "viewer", tables: ["tags", "groups"] },
  "/domains/:domain": { role: "viewer", tables: ["days", "sources", "dispositions", "reasons", "policies"] },
  "/domains/:domain/sources": { role: "viewer", tables: ["sources", "hits"] },
  "/domains/:domain/senders": { role: "viewer", tables: ["undecided", "decisions"] },
  "/domains/:domain/sources/:source": { role: "viewer", tables: SOURCE_TABLES },
  "/domains/:domain/addresses/:address": { role: "viewer", tables: SOURCE_TABLES },
  "/domains/:domain/reports": { role: "viewer", tables: ["reports"] },
  "/domains/:domain/records": { role: "viewer", tables: ["changes"] },
  "/domains/:domain/setup": { role: "viewer", tables: [] },
  "/domains/:domain/inbound": { role: "viewer", tables: ["hosts", "failures", "changes"] },
  "/domains/:domain/report": { role: "viewer", tables: [] },
  "/report": { role: "viewer", tables: [] },
  "/domains/:domain/tls": { role: "viewer", tables: ["failures", "policies", "reports", "days"] },
  "/domains/:domain/failures": { role: "viewer", tables: ["failures", "reports"] },
  "/reports/:account/:domain/:day/:uid": { role: "viewer", tables: ["records", "policies", "failures"] },
  "/reports/:account/:domain/:day/:uid/raw": { role: "viewer", tables: [] },
  "/worklist": { role: "viewer", tables: ["work", "domains"] },
  "/alerts": { role: "viewer", tables: ["open", "resolved", "mutes"] },
  "/operations": { role: "operator", tables: ["queues", "unfinished", "refused", "outcomes", "latency"] },
  "/operations/dead-letters": { role: "operator", tables: ["reasons", "letters"] },
  "/operations/dead-letters/:id": { role: "operator", tables: [] },
  "/operations/dead-letters/:id/raw": { role: "operator", tables: [] },
  "/operations/conflicts": { role: "operator", tables: ["doubted", "conflicts"] },
  "/operations/conflicts/:id": { role: "operator", tables: ["differences"] },
  "/operations/jobs": { role: "operator", tables: ["jobs"] },
  "/operations/forwarding": { role: "operator", tables: ["targets", "unsent"] },
  "/channels": { role: "viewer", tables: ["channels", "deliveries"] },
  "/accounts": { role: "administrator", tables: ["accounts"] },
  "/accounts/:account": { role: "administrator", tables: ["people"] },
  "/accounts/:account/logo": { role: "viewer", tables: [] },
  "/audit": { role: "administrator", tables: ["entries"] },
  "/import": { role: "operator", tables: [] },
  "/tokens": { role: "administrator", tables: ["tokens"] },
  "/glossary": { role: "viewer", tables: [] },
} as const satisfies Record<string, PageRoute>;

export type PagePath = keyof typeof PAGES;

/** Paths that forms are sent to, and who may send them. */
const CHANGES = {
  "/alerts": { role: "administrator" },
  "/operations/dead-letters": { role: "operator" },
  "/operations/conflicts": { role: "operator" },
  "/operations/jobs": { role: "operator" },
  "/operations/forwarding": { role: "operator" },
  "/tags": { role: "administrator" },
  "/add": { role: "administrator" },
  "/channels": { role: "administrator" },
  "/accounts": { role: "operator" },
  "/accounts/:account": { role: "administrator" },
  "/import": { role: "operator" },
  "/tokens": { role: "administrator" },
  "/domains/:domain/setup": { role: "viewer" },
  "/domains/:domain/records": { role: "viewer" },
  "/domains/:domain/inbound": { role: "administrator" },
  "/domains/:domain/senders": { role: "administrator" },
  "/domains/:domain/sources/:source": { role: "administrator" },
  "/domains/:domain/addresses/:address": { role: "administrator" },
  "/reports/:account/:domain/:day/:uid": { role: "operator" },
} as const satisfies Partial<Record<PagePath, Pick<PageRoute, "role">>>;

export type ChangePath = keyof typeof CHANGES;

/** The paths of forms, with who may send them. */
export function changeRoutes(): [ChangePath, Pick<PageRoute, "role">][] {
  return Object.entries(CHANGES) as [ChangePath, Pick<PageRoute, "role">][];
}

/** The paths of the pages, with their routes. */
export function pageRoutes(): [PagePath, PageRoute][] {
  return Object.entries(PAGES) as [PagePath, PageRoute][];
}

/** A page's path with its parameters filled in. @throws Error when one is not given */
export function fillPath(path: PagePath, parameters: Record<string, string>): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = parameters[name];
    if (value === undefined) throw new Error(`${path} needs ${name}.`);
    return encodeURIComponent(value);
  });
}
