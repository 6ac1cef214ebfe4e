/**
 * How a mail in a file authenticated: by the results of a named receiver, otherwise by its signatures if DNS may be
 * queried.
 */
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

/** Which receiver to trust, and which resolver to ask. */
export interface AuthenticationSettings {
  /** The receiver's id in its Authentication-Results; "" = trust none. */
  authservId: string;
  /** URL of a DNS server (RFC 8484); "" = ask none. */
  dnsUrl: string;
  /** When the mail came, seconds since 1970 UTC: signatures expire. */
  nowSeconds: number;
}

/** @returns undefined if the file is not a mail; @throws what the source throws when it cannot be read */
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
  // Larger mails are not verified.
  if (source.sizeBytes > mail.byteLength) return { result: "none" };
  return authenticationByDkim(await verifyDkim(mail, { resolver: httpsResolver(dnsUrl, fetch), nowSeconds }), from);
}
