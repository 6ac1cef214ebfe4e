/** The problems an operation can end with: a code for programs, a sentence for people, an HTTP status. */
import type { Result } from "../result.ts";

/** Problem code → HTTP status. */
export const PROBLEM_STATUS = {
  bad_request: 400,
  forbidden: 403,
  not_found: 404,
  /** It exists already and is not overwritten. */
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

/** Problem code → what it means, the same for every occurrence (RFC 9457 section 3.1.4). */
export const PROBLEM_TITLES: Record<ProblemCode, string> = {
  bad_request: "The request is invalid",
  forbidden: "These credentials do not allow this",
  not_found: "It does not exist",
  already_exists: "It exists already",
  too_large: "It exceeds a limit",
  invalid_statement: "Analytics Engine refuses the statement",
  no_data: "Nothing has been written yet",
  internal: "The dashboard failed",
  analytics_unavailable: "Analytics Engine does not answer",
  process_unavailable: "The process Worker does not answer",
  busy: "Too many requests right now",
  not_configured: "A setting is missing",
  analytics_busy: "Analytics Engine is busy",
  ledger_unavailable: "The ledger does not answer",
  dns_unavailable: "DNS does not answer",
};

/** A refusal as the API answers it, `application/problem+json` (RFC 9457); `code` and `error` are ours. */
export interface ProblemDetails {
  /** Absolute URL of a description. */
  type: string;
  title: string;
  status: number;
  /** What is wrong with this request, for people. */
  detail: string;
  code: ProblemCode;
  /** The same, as it was answered before there was `detail`. */
  error: { code: ProblemCode; message: string };
}

/** A problem as the API answers it. @param origin of the API, without a slash at its end */
export function problemDetails({ code, message }: OperationProblem, origin: string): ProblemDetails {
  return {
    type: `${origin}${PROBLEM_ROOT}/${code}`,
    title: PROBLEM_TITLES[code],
    status: PROBLEM_STATUS[code],
    detail: message,
    code,
    error: { code, message },
  };
}

/** Below it, each problem code has its description. */
const PROBLEM_ROOT = "/api/v1/problems";

/** Why an operation failed. */
export interface OperationProblem {
  code: ProblemCode;
  /** One sentence or two. */
  message: string;
  /** When to try again; absent = waiting alone does not help. */
  retryAfterSeconds?: number | undefined;
}

/** An account that is not there, with its name in the sentence. */
export function noAccountProblem(account: string): OperationProblem {
  return { code: "not_found", message: `There is no account '${account}'.` };
}

/** The result of an operation. */
export type Answer<T, Problem = OperationProblem> = Result<T, Problem>;

/** All problem codes. */
export const PROBLEM_CODES = Object.keys(PROBLEM_STATUS) as ProblemCode[];
