/**
 * The dashboard's one error channel: handlers throw an ApiError, `answerError` turns whatever was thrown into JSON
 * `{error: {code, message}}`. It never shows a stack, and never a token.
 */
import { AnalyticsUnavailableError } from "../../shared/analytics/sql.ts";

type ErrorStatus = 400 | 403 | 404 | 413 | 422 | 502 | 503;

export type ApiErrorCode =
  | "bad_request"
  | "forbidden"
  | "not_found"
  | "too_large"
  | "invalid_statement"
  | "no_data"
  | "not_configured"
  | "analytics_unavailable"
  | "process_unavailable";

const STATUS: Record<ApiErrorCode, ErrorStatus> = {
  bad_request: 400,
  forbidden: 403,
  not_found: 404,
  too_large: 413,
  invalid_statement: 422,
  no_data: 422,
  not_configured: 503,
  analytics_unavailable: 502,
  process_unavailable: 502,
};

/** A request that cannot be met, with the reason for people. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly code: ApiErrorCode;

  constructor(code: ApiErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The answer for anything thrown while a request was handled. */
export function answerError(error: unknown): Response {
  if (error instanceof ApiError) return errorResponse(error.code, error.message, STATUS[error.code]);
  if (error instanceof AnalyticsUnavailableError) {
    // Too many queries, or the engine is overloaded: come back later. All else is a setting or a network to mend.
    const status = error.status === 429 || error.status === 503 ? 503 : 502;
    return errorResponse("analytics_unavailable", error.message, status);
  }
  const message = error instanceof Error ? error.message : String(error);
  console.error(JSON.stringify({ event: "dashboard_fault", message }));
  return errorResponse("internal", "The dashboard failed; its log has the reason.", 500);
}

function errorResponse(code: string, message: string, status: number): Response {
  return Response.json({ error: { code, message } }, { status });
}
