/** Which DNS server a command asks. */
import { CommandError } from "./command-error.ts";
import { safeText } from "./terminal.ts";

/** RFC 8484; Cloudflare's resolver checks DNSSEC, which DANE needs. */
export const DEFAULT_RESOLVER = "https://cloudflare-dns.com/dns-query";

/** The server of the option, of DMARC_DNS, or the default one. @throws CommandError for what is no address of one */
export function readResolverUrl(option: string | undefined): string {
  const text = option ?? process.env.DMARC_DNS ?? DEFAULT_RESOLVER;
  const url = URL.parse(text);
  if (url?.protocol === "https:" || url?.protocol === "http:") return url.href;
  throw new CommandError(`'${safeText(text)}' is not the URL of a DNS server, such as ${DEFAULT_RESOLVER}.`);
}
