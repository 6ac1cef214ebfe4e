/** Names of addresses found in DNS, kept until they expire. */
import * as v from "valibot";
import type { AddressName } from "../guidance/address-name.ts";
import { type Change, type Query, query } from "./database.ts";

const row = v.object({
  address: v.string(),
  host: v.string(),
  asn: v.number(),
  holder: v.string(),
  country: v.string(),
});

/** The unexpired names of the given addresses. */
export function addressNamesQuery(addresses: readonly string[], nowSeconds: number): Query<AddressName> {
  const sql = `SELECT address, host, asn, holder, country FROM address_names
    WHERE address IN (SELECT value FROM json_each(?1)) AND expires_seconds > ?2`;
  return query(sql, [JSON.stringify(addresses), nowSeconds], row);
}

/** Stores names, replacing earlier ones. */
export function putAddressNames(names: readonly AddressName[], expiresSeconds: number): Change {
  return {
    sql: `INSERT OR REPLACE INTO address_names (address, host, asn, holder, country, expires_seconds)
      SELECT json_extract(value, '$.address'), json_extract(value, '$.host'), json_extract(value, '$.asn'),
        json_extract(value, '$.holder'), json_extract(value, '$.country'), ?2 FROM json_each(?1)`,
    parameters: [JSON.stringify(names), expiresSeconds],
  };
}

/** Removes expired names. */
export function removeExpiredNames(nowSeconds: number): Change {
  return { sql: "DELETE FROM address_names WHERE expires_seconds <= ?1", parameters: [nowSeconds] };
}
