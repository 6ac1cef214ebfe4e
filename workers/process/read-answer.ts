/** The answer of a receiver of reports or notices, as far as it is looked at: its first text, when to try again, where it leads; or that there is none. */

/**
 * Its beginning as one line; "" where there is none, or does not arrive. The rest is not read. @param maxChars where it
 * is cut
 */
export async function firstText({ body }: Response, maxChars: number): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    while (text.length < maxChars) {
      const { value, done } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
    await reader.cancel();
  } catch {
    // The status has come, and it is what counts: an answer that is cut off or never ends is read as far as it goes.
  }
  return text
    .slice(0, maxChars)
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim();
}

/** What it says: its status, where it leads, the beginning of its text. @returns a sentence */
export function answerText({ status, headers }: Response, text: string): string {
  const location = URL.parse(headers.get("location") ?? "");
  // S3 names its region in the answer.
  if (status >= 300 && status < 400 && (location !== null || text === "")) {
    const where = location === null ? "" : ` to ${location.origin}${location.pathname}`;
    return `Answered ${status}: it redirects${where}, which is not followed. Enter the address it leads to, if that is yours.`;
  }
  return text === "" ? `Answered ${status}.` : `Answered ${status}: ${text}`;
}

/**
 * When to try again: Retry-After (RFC 9110 section 10.2.3: seconds, or a date), or `retry_after` in JSON, in seconds, as Discord
 * has it.
 *
 * @returns seconds from now, at least 1; undefined where it does not say
 */
export function retryAfterSeconds({ headers }: Response, text: string, nowSeconds: number): number | undefined {
  const named = headers.get("retry-after")?.trim() ?? "";
  const inJson = /"retry_after"\s*:\s*(\d+(?:\.\d+)?)/.exec(text)?.[1];
  const isDate = /^[A-Z][a-z]{2}/.test(named);
  const seconds = isDate ? Date.parse(named) / 1000 - nowSeconds : Number(named === "" ? (inJson ?? "x") : named);
  return Number.isFinite(seconds) ? Math.max(1, Math.ceil(seconds)) : undefined;
}

/**
 * Says of a receiver that it did not answer, in one sentence. workerd reports what it does not disclose, such as a name that is not in DNS, as an "internal error".
 */
export function noAnswer(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `No answer: ${message.startsWith("internal error") ? "the connection could not be made." : message}`;
}
