/** How the mail of a raw object authenticated: by what its receiver said, else by its own signatures, where it is whole. */
import { readAuthenticationNote } from "../../shared/authentication/authentication-results.ts";
import { verifyDkim } from "../../shared/authentication/dkim.ts";
import { authorOf, fromDomain } from "../../shared/authentication/from-domain.ts";
import {
  authenticationByDkim,
  authenticationByNote,
  type MailAuthentication,
} from "../../shared/authentication/sender.ts";
import type { Resolver } from "../../shared/dns/resolver.ts";
import { AUTHENTICATION_LIMITS } from "../../shared/limits.ts";
import type { ByteSource } from "../../shared/report/source.ts";
import { isWholeMail, type RawMetadata } from "../../shared/storage.ts";

/**
 * Judges the mail that a raw object came in. Keys are asked for where a resolver is given; what cannot be asked proves
 * nothing, and never holds up the object.
 *
 * @param source undefined where nothing of it is read
 */
export async function authenticateMail(
  { key, metadata }: { key: string; metadata: RawMetadata },
  source: ByteSource | undefined,
  resolver: Resolver | undefined,
): Promise<MailAuthentication> {
  const note = readAuthenticationNote(metadata.authentication);
  const noted = authenticationByNote(note, { from: fromDomain(metadata.from), hasResolver: resolver !== undefined });
  if (noted !== undefined) return noted;
  const isAtHand = isWholeMail(key) && source !== undefined && source.sizeBytes <= AUTHENTICATION_LIMITS.maxSignedBytes;
  // A part from before anything was noted says nothing of its mail; of a signed mail that is too large nothing is proven.
  if (!isAtHand || resolver === undefined) return { result: note === undefined ? "unchecked" : "none" };
  const mail = source.bytes ?? (await source.read(0, source.sizeBytes));
  const signatures = await verifyDkim(mail, { resolver, nowSeconds: metadata.receivedSeconds });
  return authenticationByDkim(signatures, authorOf(mail));
}
