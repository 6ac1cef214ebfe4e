/** The problems an operation can end with: a code for programs, a sentence for people, an HTTP status. */
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
  /** A bug or a fault; details are in the log. */
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

/** Why an operation failed. */
export interface OperationProblem {
  code: ProblemCode;
  /** One sentence or two. */
  message: string;
  /** When to try again; absent = waiting alone does not help. */
  retryAfterSeconds?: number | undefined;
}

/** The result of an operation. */
export type Answer<T, Problem = OperationProblem> = Result<T, Problem>;

/** Whether a text is one of the codes. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEM_STATUS, code);
}
