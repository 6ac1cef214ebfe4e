/** Who may see what; stored in the ledger (ledger/people.ts). Anybody not listed sees nothing. Pure. */
import * as v from "valibot";

/** The schema of an entry, for input from outside. */
export const viewerEntry = v.object({
  /** operator: all accounts, and operations. owner: the reports of the accounts named. */
  role: v.picklist(["owner", "operator"]),
  /** Accounts an owner may see; ignored for operators, who see all. */
  accounts: v.pipe(
    v.array(v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,64}$/, "1 to 64 letters, digits, '.', '_' or '-'"))),
    v.maxLength(100),
  ),
});

export type ViewerEntry = v.InferOutput<typeof viewerEntry>;

/** A person and what they may see. */
export interface Viewer {
  email: string;
  entry: ViewerEntry;
}

/** Thrown when an address or an entry is not valid. */
export class ViewerValueError extends Error {
  override name = "ViewerValueError";
}

/** Validates who may see what. @throws ViewerValueError when address or entry is invalid */
export function validViewer(email: string, entry: unknown): Viewer {
  const key = normalizeEmail(email);
  if (!isAddress(key)) throw new ViewerValueError(`'${key}' is not a mail address.`);
  const parsed = v.safeParse(viewerEntry, entry);
  if (parsed.success) return { email: key, entry: parsed.output };
  const [issue] = parsed.issues;
  throw new ViewerValueError(`Person ${key}: ${v.getDotPath(issue) ?? "value"}: ${issue.message}`);
}

/** The normal form of people's addresses: lower case, trimmed. */
export function normalizeEmail(email: string): string {
  return email.trim().toLowerCase();
}

function isAddress(email: string): boolean {
  return /^[^\s@]+@[^\s@]+$/.test(email) && new TextEncoder().encode(email).length <= 400;
}
