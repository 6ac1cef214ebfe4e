/** One request to a target, and its result. */
import { FORWARD_LIMITS } from "../../../shared/limits.ts";
import { noAnswer } from "../no-answer.ts";

/**
 * The result of an attempt. taken: the target has it; refused: it rejects this content, though it may take other;
 * failed: it takes nothing at present.
 */
export interface Attempt {
  outcome: "taken" | "refused" | "failed";
  /** A sentence. */
  result: string;
  /** When to try again, as the target says; undefined = it does not. */
  retryAfterSeconds: number | undefined;
}

/** Statuses about the content of a request: malformed, too large, not to be processed. */
const REFUSALS = new Set([400, 413, 422]);

/**
 * Sends a request; it follows no redirect, since that could lead to an address that is not public.
 *
 * @param timeoutMilliseconds how long the target may take to answer
 */
export async function attemptRequest(
  request: Request,
  timeoutMilliseconds: number,
  nowSeconds: number,
): Promise<Attempt> {
  try {
    const signal = AbortSignal.timeout(timeoutMilliseconds);
    const response = await fetch(new Request(request, { redirect: "manual", signal }));
    return attemptOf(response, await firstText(response), nowSeconds);
  } catch (error) {
    return { outcome: "failed", result: cut(noAnswer(error)), retryAfterSeconds: undefined };
  }
}

function attemptOf({ ok, status, headers }: Response, text: string, nowSeconds: number): Attempt {
  if (ok) return { outcome: "taken", result: `Answered ${status}.`, retryAfterSeconds: undefined };
  const said = text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  return {
    outcome: REFUSALS.has(status) ? "refused" : "failed",
    result: cut(said === "" ? `Answered ${status}.` : `Answered ${status}: ${said}`),
    retryAfterSeconds: retryAfter(headers.get("retry-after"), nowSeconds),
  };
}

/** Retry-After (RFC 9110 section 10.2.3): seconds, or a date. */
function retryAfter(text: string | null, nowSeconds: number): number | undefined {
  if (text === null) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : Date.parse(text) / 1000 - nowSeconds;
  return Number.isFinite(seconds)
    ? Math.min(FORWARD_LIMITS.maxRetrySeconds, Math.max(1, Math.ceil(seconds)))
    : undefined;
}

/** The beginning of an answer; the rest is not read. */
async function firstText({ body }: Response): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return value === undefined ? "" : new TextDecoder().decode(value.subarray(0, 4 * FORWARD_LIMITS.resultChars));
}

function cut(result: string): string {
  return result.slice(0, FORWARD_LIMITS.resultChars);
}
