/** The error text for a receiver of a webhook or report that did not answer. */

/**
 * One sentence. workerd reports what it does not disclose, such as a name that is not in DNS, as an "internal error".
 */
export function noAnswer(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `No answer: ${message.startsWith("internal error") ? "the connection could not be made." : message}`;
}
