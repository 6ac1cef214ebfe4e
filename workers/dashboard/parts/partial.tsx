/** Pages that have something to show while Analytics Engine does not answer: they say what is missing, and why. */
import { AnalyticsUnavailableError } from "../../../shared/analytics/sql.ts";
import { fail, ok, type Result } from "../../../shared/result.ts";
import { ApiError } from "../errors.ts";
import { Note } from "./marks.tsx";

/** What was asked of Analytics Engine, or in one sentence why it gave no answer. @throws anything else */
export async function unlessUnavailable<T>(asked: Promise<T>): Promise<Result<T, string>> {
  try {
    return ok(await asked);
  } catch (error) {
    const isUnavailable = error instanceof AnalyticsUnavailableError;
    if (isUnavailable || (error instanceof ApiError && error.code === "not_configured")) return fail(error.message);
    throw error;
  }
}

/** Says that a part of the page is missing. */
export function MissingPart({ part, problem }: { part: string; problem: string }) {
  return (
    <Note kind="fault">
      <strong>{part} cannot be shown now.</strong> {problem} Nothing is lost: what comes in is kept. Load the page again
      in a moment.
    </Note>
  );
}
