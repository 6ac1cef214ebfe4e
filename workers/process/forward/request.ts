/** One request to a target, and its result. */
import type { ForwardTarget } from "../../../shared/forward/target.ts";
import { FORWARD_LIMITS } from "../../../shared/limits.ts";
import { answerText, firstText, noAnswer, retryAfterSeconds } from "../read-answer.ts";

/**
 * The result of an attempt. taken: the target accepted it; refused: it rejects this content, but may accept other;
 * failed: it accepts nothing at present.
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

/** Codes in answers of Splunk's HTTP Event Collector: success, and refusals that concern the content alone. */
const SPLUNK_SUCCESS = 0;
const SPLUNK_REFUSALS = new Set([5, 6, 12, 13, 15]);

/**
 * Sends a request; it follows no redirect, since that could lead to an address that is not public.
 *
 * @param target whose request it is: each kind says in its own way that it has taken one
 * @param timeoutMilliseconds how long the target may take to answer
 */
export async function attemptRequest(
  request: Request,
  target: Pick<ForwardTarget, "kind" | "secret">,
  { timeoutMilliseconds, nowSeconds }: { timeoutMilliseconds: number; nowSeconds: number },
): Promise<Attempt> {
  try {
    const signal = AbortSignal.timeout(timeoutMilliseconds);
    const response = await fetch(new Request(request, { redirect: "manual", signal }));
    const isEnough = response.ok && target.kind === "http";
    if (isEnough) await response.body?.cancel().catch(() => {});
    const text = isEnough ? "" : await firstText(response, 4 * FORWARD_LIMITS.resultChars);
    const { outcome, result } = readAnswer(response, text, target.kind);
    return {
      outcome,
      // A target may repeat what it was sent.
      result: cut(target.secret === "" ? result : result.replaceAll(target.secret, "…")),
      retryAfterSeconds: retryAfter(response, text, nowSeconds),
    };
  } catch (error) {
    return { outcome: "failed", result: cut(noAnswer(error)), retryAfterSeconds: undefined };
  }
}

type Read = Pick<Attempt, "outcome" | "result">;

function readAnswer(response: Response, text: string, kind: ForwardTarget["kind"]): Read {
  if (kind === "splunk" && text !== "") return readSplunk(response, text);
  const result = answerText(response, text);
  if (!response.ok) return { outcome: REFUSALS.has(response.status) ? "refused" : "failed", result };
  // S3 answers a PUT with an empty body; an error may have status 200, and so does the page of a console.
  const isOther = kind === "s3" && /^(<\?xml\b[^>]*>\s*)?<(Error|!doctype|html)\b/i.test(text);
  if (isOther) return { outcome: "failed", result: `${result} It is not the answer of a bucket.` };
  return { outcome: "taken", result: `Answered ${response.status}.` };
}

/** By the code in its JSON, whatever the status is: only some are about the content, the others about the token or the server. */
function readSplunk(response: Response, text: string): Read {
  const result = answerText(response, text);
  const code = /"code"\s*:\s*(\d+)/.exec(text)?.[1];
  if (code !== undefined) {
    if (SPLUNK_REFUSALS.has(Number(code))) return { outcome: "refused", result };
    const isTaken = response.ok && Number(code) === SPLUNK_SUCCESS;
    return isTaken ? { outcome: "taken", result: `Answered ${response.status}.` } : { outcome: "failed", result };
  }
  if (!response.ok) return { outcome: REFUSALS.has(response.status) ? "refused" : "failed", result };
  return { outcome: "failed", result: `${result} It is not the answer of Splunk's HTTP Event Collector.` };
}

function retryAfter(response: Response, text: string, nowSeconds: number): number | undefined {
  const seconds = retryAfterSeconds(response, text, nowSeconds);
  return seconds === undefined ? undefined : Math.min(FORWARD_LIMITS.maxRetrySeconds, seconds);
}

function cut(result: string): string {
  return result.slice(0, FORWARD_LIMITS.resultChars);
}
