/**
 * The dashboard's one error channel: handlers throw an ApiError, `answerError` turns whatever was thrown into problem details
 * (RFC 9457). It never shows a stack, and never a token.
 */
import { AnalyticsUnavailableError } from "../../shared/analytics/sql.ts";
import {
  type OperationProblem,
  PROBLEM_STATUS,
  type ProblemCode,
  problemDetails,
} from "../../shared/contract/problems.ts";
import { isUsedUpForToday } from "../../shared/ledger/database.ts";
import { DASHBOARD_LIMITS } from "../../shared/limits.ts";
import { fail, ok, type Result } from "../../shared/result.ts";
import { LedgerUnavailableError } from "./ledger.ts";

export type ApiErrorCode = ProblemCode;

/** A request that cannot be met, with the reason for people. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly code: ApiErrorCode;
  /** Seconds after which to try again, for Retry-After; undefined = waiting does not help. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ApiErrorCode, message: string, retryAfterSeconds?: number) {
    super(message);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** The error of a problem. */
  static of({ code, message, retryAfterSeconds }: OperationProblem): ApiError {
    return new ApiError(code, message, retryAfterSeconds);
  }
}

/** Whether the form's page shows it with the input; otherwise it gets a separate error page. */
export function isWrongInput(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code !== "process_unavailable" && error.code !== "forbidden";
}

/** What was asked, or in one sentence why there is no answer now. @throws anything else than these errors */
export async function unless<T>(codes: readonly ApiErrorCode[], asked: Promise<T>): Promise<Result<T, string>> {
  try {
    return ok(await asked);
  } catch (error) {
    if (error instanceof ApiError && codes.includes(error.code)) return fail(error.message);
    throw error;
  }
}

/** An error as it is shown. */
export interface ErrorAnswer extends OperationProblem {
  status: (typeof PROBLEM_STATUS)[ProblemCode];
}

/** What to answer for anything thrown while a request was handled; our own faults are logged and not shown. */
export function describeError(error: unknown): ErrorAnswer {
  const problem = problemOf(error);
  return { ...problem, status: PROBLEM_STATUS[problem.code] };
}

function problemOf(error: unknown): OperationProblem {
  if (error instanceof ApiError) {
    const { code, message, retryAfterSeconds } = error;
    return { code, message, retryAfterSeconds };
  }
  if (error instanceof AnalyticsUnavailableError) {
    // Too many queries, or the engine is overloaded: come back later. All else is a setting or a network to repair.
    const isBusy = error.status === 429 || error.status === 503;
    if (!isBusy) return { code: "analytics_unavailable", message: error.message };
    const { retryAfterSeconds = DASHBOARD_LIMITS.retryAfterSeconds } = error;
    return { code: "analytics_busy", message: error.message, retryAfterSeconds };
  }
  if (error instanceof LedgerUnavailableError) {
    console.error(JSON.stringify({ event: "ledger_unavailable", message: error.message }));
    if (isUsedUpForToday(error.message)) {
      const message =
        "This Cloudflare account has used up the rows that the free plan may read or write in a day. Service " +
        "resumes at midnight UTC; Workers Paid has no such limit.";
      return { code: "ledger_unavailable", message };
    }
    const message = "The database of the ledger does not answer; the dashboard's log has the reason.";
    const { retryAfterSeconds } = DASHBOARD_LIMITS;
    return { code: "ledger_unavailable", message, retryAfterSeconds };
  }
  const message = error instanceof Error ? error.message : String(error);
  console.error(JSON.stringify({ event: "dashboard_fault", message }));
  return { code: "internal", message: "The dashboard failed; its log has the reason." };
}

/** The answer to a program. @param url what was asked */
export function answerError(error: unknown, url: string): Response {
  const answer = describeError(error);
  return Response.json(problemDetails(answer, new URL(url).origin), {
    status: answer.status,
    headers: { "content-type": "application/problem+json", ...retryHeaders(answer) },
  });
}

/** The header of an error that may pass by waiting. */
export function retryHeaders({ retryAfterSeconds }: ErrorAnswer): Record<string, string> {
  return retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
}
