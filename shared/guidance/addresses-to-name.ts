/** Which addresses a verdict needs the names of: those that its mail leaves open, and where the owner's own mail comes from. Pure. */
import { GUIDANCE_LIMITS } from "../limits.ts";
import type { MailBySender } from "./mail-by-sender.ts";
import { judgeSources } from "./roles.ts";

/**
 * Addresses, those that matter most first; a bounded number, and none where the mail leaves nothing open.
 *
 * @param homeAddresses addresses that mail passing SPF as the domain came from, the largest first
 */
export function addressesToName(mail: MailBySender, homeAddresses: readonly string[]): string[] {
  const open = judgeSources(mail, () => undefined)
    .filter(({ kind, role, name }) => kind === "none" && role === "undecided" && name !== "unknown")
    .map(({ name }) => name);
  if (open.length === 0) return [];
  return [...new Set([...homeAddresses, ...open])].slice(0, GUIDANCE_LIMITS.maxNamedOfVerdict);
}
