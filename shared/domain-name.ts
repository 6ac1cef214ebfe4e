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

/**
 * The policy domain in the name of a report's file: `receiver!policy-domain!begin!end.xml.gz` (RFC 7489 section 7.2.1.1,
 * RFC 8460 section 5.1). A guess: anybody may name a file so.
 *
 * @returns "" where the name has not that form
 */
export function domainOfFileName(fileName: string): string {
  const [, domain = "", begin = ""] = (fileName.split(/[/\\]/).at(-1) ?? "").split("!");
  const name = domainName(domain);
  return /^\d+$/.test(begin) && /^(?=.{1,253}$)([a-z0-9_-]{1,63}\.)+[a-z0-9-]{1,63}$/.test(name) ? name : "";
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
