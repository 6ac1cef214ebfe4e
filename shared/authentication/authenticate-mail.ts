/**
 * How the mail of a raw object authenticated: by its receiver's results, otherwise by its own DKIM signatures if the
 * whole mail was stored.
 */

import type { Resolver } from "../dns/resolver.ts";
import { AUTHENTICATION_LIMITS } from "../limits.ts";
import type { ByteSource } from "../report/source.ts";
import { isWholeMail, type RawMetadata } from "../storage.ts";
import { readAuthenticationNote } from "./authentication-results.ts";
import { verifyDkim } from "./dkim.ts";
import { authorOf, fromDomain } from "./from-domain.ts";
import { authenticationByDkim, authenticationByNote, type MailAuthentication } from "./sender.ts";

/**
 * Authenticates the mail that a raw object came in. DKIM keys are looked up if there is a resolver; a lookup that fails
 * proves nothing and never delays the object.
 *
 * @param source undefined when the object is not read
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
  // Parts stored before results were recorded prove nothing, and neither does a signed mail that is too large.
  if (!isAtHand || resolver === undefined) return { result: note === undefined ? "unchecked" : "none" };
  const mail = source.bytes ?? (await source.read(0, source.sizeBytes));
  const signatures = await verifyDkim(mail, { resolver, nowSeconds: metadata.receivedSeconds });
  return authenticationByDkim(signatures, authorOf(mail));
}
