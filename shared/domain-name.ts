/**
 * Domain names as they are compared and kept: A-labels (RFC 5890), lower case, no trailing dot. Decided here alone, for
 * the identity of reports, the registry and the ledger. Pure.
 */

const IS_PLAIN = /^[\x21-\x7e]*$/;

/**
 * The form in which two names of one domain are equal.
 *
 * @returns what is no domain name comes back as it is, in lower case and without its last dot
 */
export function domainName(text: string): string {
  const lower = text.trim().toLowerCase().replace(/\.$/, "");
  return IS_PLAIN.test(lower) ? lower : toALabels(lower);
}

/** The domain of a mail address, or of the last one in a text; "" where there is none. */
export function domainOfAddress(text: string): string {
  const at = text.lastIndexOf("@");
  return at < 0 ? "" : domainName(text.slice(at + 1).replace(/[>\s].*$/s, ""));
}

// UTS #46, as both runtimes have it in their URL parser (WHATWG URL, "host parsing").
function toALabels(lower: string): string {
  if (/[/\\?#@:]/.test(lower)) return lower;
  try {
    const { hostname } = new URL(`http://${lower}`);
    // Digits of another script would be read as an IPv4 address, which is no name.
    return /^[\d.]+$|^\[/.test(hostname) || hostname === "" ? lower : hostname.replace(/\.$/, "");
  } catch {
    return lower;
  }
}
