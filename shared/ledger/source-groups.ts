/**
 * Questions about a domain's mail by where it came from: by address, by network, or by reverse domain, so that addresses that
 * belong together are seen as one. A network is the one that announces the address, as far as it was looked up, else its /24
 * or /64. A reverse domain is the organizational domain of the name that leads back to the address; an address without one
 * stays alone.
 */
import * as v from "valibot";
import { prefixOf } from "../guidance/subject.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import { sumRows } from "./combine.ts";
import { type Query, query } from "./database.ts";
import { RECORD_KEY } from "./figure-sql.ts";
import { readAddressToken } from "./figures.ts";
import { addFigures, type DomainScope, figures, type GroupFigures, keysOf, SOURCE_LIMITS, SUMS } from "./sources.ts";

export const SOURCE_GROUPINGS = ["address", "network", "reverse"] as const;
export type SourceGrouping = (typeof SOURCE_GROUPINGS)[number];

/** Mail of one address, network or reverse domain. */
export interface SourceOrigin extends GroupFigures {
  /** The address; `AS64500 HOLDER`; a prefix; or a domain. "" where reports name no address. */
  name: string;
  /** Distinct addresses in it. */
  addresses: number;
}

/** Stands before a name among addresses. */
const HOST = "host ";

/** IPv6 addresses are put together by prefix once they are read: their spelling leaves out zeros. */
const GROUPS: Record<SourceGrouping, string> = {
  address: "address",
  network: `CASE WHEN asn > 0 THEN rtrim('AS' || asn || ' ' || holder)
    WHEN address LIKE '%.%.%.%' AND instr(address, ':') = 0 THEN rtrim(address, '0123456789') || '0/24' ELSE address END`,
  // Names are put together by organizational domain once they are read.
  reverse: `CASE WHEN host <> '' THEN '${HOST}' || host ELSE address END`,
};

const row = v.object({ name: v.string(), addresses: v.number(), ...figures });

/** Sums over the scope's days, the largest first, at most `SOURCE_LIMITS.maxGroups`. Its answer is one row each. */
export function sourceOriginsQuery(scope: DomainScope, by: SourceGrouping): Query<SourceOrigin> {
  const keys = keysOf(scope);
  const sql = `WITH keys AS (${keys.sql}),
    placed AS (SELECT keys.*, ${RECORD_KEY.address} AS address FROM keys WHERE counted > 0),
    named AS (SELECT placed.*, ifnull(n.asn, 0) AS asn, ifnull(n.holder, '') AS holder,
        ifnull(n.host, '') AS host
      FROM placed LEFT JOIN address_names n ON n.address = placed.address)
    SELECT ${GROUPS[by]} AS name, count(DISTINCT address) AS addresses, ${SUMS}
    FROM named GROUP BY name ORDER BY messages DESC, name LIMIT ${SOURCE_LIMITS.maxGroups}`;
  const read = ({ name, ...sums }: v.InferOutput<typeof row>): SourceOrigin => ({ name: nameOf(name, by), ...sums });
  return {
    ...query(sql, keys.parameters, v.pipe(row, v.transform(read))),
    combine: (parts) =>
      sumRows(
        // Rows of one database, too: several addresses of one IPv6 prefix.
        [...parts, []],
        ({ name }) => name,
        (a, b) => ({ name: a.name, addresses: a.addresses + b.addresses, ...addFigures(a, b) }),
      ).sort((a, b) => b.messages - a.messages || (a.name < b.name ? -1 : 1)),
  };
}

function nameOf(token: string, by: SourceGrouping): string {
  if (by === "reverse" && token.startsWith(HOST)) return organizationalDomain(token.slice(HOST.length));
  const name = readAddressToken(token);
  return by === "network" && name.includes(":") && /^[\da-f:]+$/.test(name) ? prefixOf(name, 64) : name;
}
