/**
 * Which addresses a verdict needs the names of: those that its mail leaves open, those that alone would be too much to lose, and where
 * the owner's own mail comes from. Pure.
 */
import { GUIDANCE_LIMITS } from "../limits.ts";
import type { MailBySender } from "./mail-by-sender.ts";
import { judgeSources, mayNotBeLost } from "./roles.ts";

/**
 * Addresses, those that matter most first; a bounded number, and none where the mail leaves nothing open.
 *
 * @param homeAddresses addresses that mail passing SPF as the domain came from, the largest first
 */
export function addressesToName(mail: MailBySender, homeAddresses: readonly string[]): string[] {
  const servers = judgeSources(mail, () => undefined).filter(({ kind, name }) => kind === "none" && name !== "unknown");
  const open = servers.filter(({ role }) => role === "undecided");
  // One of the owner's may look like part of a run of spoofing: a name below the domain tells.
  const strangers = servers.filter((one) => one.role === "foreign" && mayNotBeLost(one, mail.surroundings));
  const wanted = [...open, ...strangers].map(({ name }) => name);
  if (wanted.length === 0) return [];
  return [...new Set([...homeAddresses, ...wanted])].slice(0, GUIDANCE_LIMITS.maxNamedOfVerdict);
}
