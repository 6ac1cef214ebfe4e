/** Which addresses a verdict needs the names of: those that its mail leaves open, those whose loss alone would be too much, and where the owner's own mail comes from. Pure. */
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
  const taken = servers.filter((one) => one.role === "foreign" && mayNotBeLost(one, mail.surroundings));
  if (open.length + taken.length === 0) return [];
  return [...new Set([...homeAddresses, ...[...open, ...taken].map(({ name }) => name)])].slice(
    0,
    GUIDANCE_LIMITS.maxNamedOfVerdict,
  );
}
