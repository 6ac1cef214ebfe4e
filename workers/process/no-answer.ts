/** The error text for a receiver of a webhook or report that did not answer. */

/** One sentence. What workerd keeps to itself, such as that a name is not in DNS, is an "internal error" there. */
export function noAnswer(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `No answer: ${message.startsWith("internal error") ? "the connection could not be made." : message}`;
}
