/** What the reverse name of an address says: whether it is its owner's, or one that a network gives to every address. Pure. */
import { reverseLabels } from "./address-name.ts";

/** Words that networks put into the names of addresses they give out, as in SpamAssassin's rule RDNS_DYNAMIC. */
const GIVEN_OUT =
  /(^|[.\d_-])(adsl|broadband|cable|catv|cust|customer|dhcp|dial|dialin|dialup|dsl|dyn|dynamic|dynamicip|fiber|fibre|ftth|pool|ppp|pppoe|res|residential|unassigned|vdsl|wireless|xdsl)(?=[.\d_-])/;

/**
 * Whether a name is one that a network gives to all of its addresses: it has the address in it, or a word for addresses
 * that are given out. Such a name says nothing about who sends.
 *
 * @param host in lower case @param address in its canonical spelling
 */
export function isGenericName(host: string, address: string): boolean {
  if (GIVEN_OUT.test(host)) return true;
  const labels = reverseLabels(address);
  if (labels === undefined) return false;
  const parts = labels.text.split(".");
  return labels.isFour ? hasFour(host, parts) : hasSix(host, parts);
}

/** Three of the four numbers side by side, in either order, or all of them in hexadecimal digits. */
function hasFour(host: string, reversed: readonly string[]): boolean {
  const digits = reversed.map((part) => Number(part).toString(16).padStart(2, "0"));
  if (host.includes(digits.join("")) || host.includes(digits.toReversed().join(""))) return true;
  const numbers = (host.match(/\d+/g) ?? []).map((text) => String(Number(text)));
  const padded = reversed.map((part) => part.padStart(3, "0"));
  if (host.includes(padded.join("")) || host.includes(padded.toReversed().join(""))) return true;
  const text = `,${numbers.join(",")},`;
  return [reversed, reversed.toReversed()].some((order) =>
    [order.slice(0, 3), order.slice(1)].some((three) => text.includes(`,${three.join(",")},`)),
  );
}

/** Half of the digits of an IPv6 address, with or without what divides them. */
function hasSix(host: string, reversed: readonly string[]): boolean {
  const bare = host.replace(/[.:_-]/g, "");
  const digits = reversed.toReversed().join("");
  return bare.includes(digits.slice(16)) || bare.includes(digits.slice(0, 16)) || bare.includes(reversed.join(""));
}
