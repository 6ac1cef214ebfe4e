/** Words for what parts of mails are, and came to: what is stored are names. Pure. */

/** Names that say little to people (roles.ts). */
const WORDS: Record<string, string> = {
  calendar: "calendar item",
  notice: "delivery notice",
  evidence: "returned mail",
  empty: "empty part",
  resource_fork: "system file",
};

/** The word for a number of parts: an outcome ("accepted") stays as it is, a kind of part gets a plural. */
export function partWord(name: string, count: number): string {
  const word = WORDS[name] ?? name.replaceAll("_", " ");
  return count === 1 || word.endsWith("ed") ? word : `${word}s`;
}
