/** What can keep an operation from being done: a code for programs, a sentence for people, an HTTP status. The one list. */
import type { Result } from "../result.ts";

/** Problem code → HTTP status. */
export const PROBLEM_STATUS = {
  bad_request: 400,
  forbidden: 403,
  not_found: 404,
  /** It is there already, and is not written over. */
  already_exists: 409,
  too_large: 413,
  invalid_statement: 422,
  no_data: 422,
  /** Not found while answering: a bug or a fault, in the log. */
  internal: 500,
  analytics_unavailable: 502,
  process_unavailable: 502,
  busy: 503,
  not_configured: 503,
  analytics_busy: 503,
  ledger_unavailable: 503,
  dns_unavailable: 503,
} as const;

export type ProblemCode = keyof typeof PROBLEM_STATUS;

/** Why an operation was not done. */
export interface OperationProblem {
  code: ProblemCode;
  /** One sentence or two. */
  message: string;
  /** When it may go better; absent = not by waiting alone. */
  retryAfterSeconds?: number | undefined;
}

/** What an operation comes to. */
export type Answer<T, Problem = OperationProblem> = Result<T, Problem>;

/** Whether a text is one of the codes. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEM_STATUS, code);
}
