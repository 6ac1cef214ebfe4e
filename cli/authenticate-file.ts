/** How a mail in a file authenticated: by the results of a receiver that is named, else by its signatures, where DNS may be asked. */
import { noteAuthentication, readAuthenticationNote } from "../shared/authentication/authentication-results.ts";
import { verifyDkim } from "../shared/authentication/dkim.ts";
import { authorOf } from "../shared/authentication/from-domain.ts";
import {
  authenticationByDkim,
  authenticationByNote,
  type MailAuthentication,
} from "../shared/authentication/sender.ts";
import { httpsResolver } from "../shared/dns/over-https.ts";
import { AUTHENTICATION_LIMITS } from "../shared/limits.ts";
import type { ByteSource } from "../shared/report/source.ts";
import { SNIFF_BYTES, sniff } from "../shared/sniff.ts";

/** What may be believed, and whom to ask. */
export interface AuthenticationSettings {
  /** The receiver's id in its Authentication-Results; "" = none is believed. */
  authservId: string;
  /** URL of a DNS server (RFC 8484); "" = none is asked. */
  dnsUrl: string;
  /** When the mail came, seconds since 1970 UTC: signatures expire. */
  nowSeconds: number;
}

/** @returns undefined where the file is no mail; @throws what the source throws when it cannot be read */
export async function authenticateFile(
  source: ByteSource,
  { authservId, dnsUrl, nowSeconds }: AuthenticationSettings,
): Promise<MailAuthentication | undefined> {
  if (sniff(await source.read(0, SNIFF_BYTES)) !== "mail") return undefined;
  const mail = await source.read(0, AUTHENTICATION_LIMITS.maxSignedBytes);
  const from = authorOf(mail);
  const note = readAuthenticationNote(noteAuthentication(mail, authservId));
  const noted = authenticationByNote(note, { from, hasResolver: dnsUrl !== "" });
  if (noted !== undefined) return noted;
  // Of a mail that is larger nothing is proven.
  if (source.sizeBytes > mail.byteLength) return { result: "none" };
  return authenticationByDkim(await verifyDkim(mail, { resolver: httpsResolver(dnsUrl, fetch), nowSeconds }), from);
}
