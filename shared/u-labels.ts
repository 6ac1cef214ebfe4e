/** U-labels of A-labels (RFC 5890, RFC 3492). The only importer of punycode.js. Pure. */
import punycode from "punycode.js";

/**
 * A domain name with its `xn--` labels decoded.
 *
 * @param aLabels in lower case
 * @returns undefined if one of them cannot be decoded
 */
export function toULabels(aLabels: string): string | undefined {
  try {
    return punycode.toUnicode(aLabels);
  } catch {
    return undefined;
  }
}
