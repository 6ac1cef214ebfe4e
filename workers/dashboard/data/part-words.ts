/** Words for what parts of mails are, and came to, on the page Operations: what is stored are names. Pure. */

/** Words for the kinds of parts that are stored by a name of their own (shared/mail/roles.ts). */
const PART_WORDS: Record<string, string> = {
  calendar: "calendar entry",
  notice: "delivery notice",
  evidence: "returned mail",
  empty: "empty part",
  resource_fork: "file of macOS or Windows",
};
const UNCOUNTED = ["accepted", "reprocessed", "discarded", "cleared", "retracted"];

/** What so many parts came to, or are: outcomes stay as they are, what is counted gets a plural. */
export function partWord(name: string, count: number): string {
  const word = PART_WORDS[name] ?? name.replaceAll("_", " ");
  if (count === 1 || UNCOUNTED.includes(name)) return word;
  return word.replace(/^(file)|y$|$/, (end) => (end === "y" ? "ies" : `${end}s`));
}
