/** Pages that have something to show while one part does not answer: they say what is missing, and why. */
import { fail, ok, type Result } from "../../../shared/result.ts";
import { ApiError, type ApiErrorCode } from "../errors.ts";
import { Note } from "./marks.tsx";

/** What was asked, or in one sentence why there is no answer now. @throws anything else than these errors */
export async function unless<T>(codes: readonly ApiErrorCode[], asked: Promise<T>): Promise<Result<T, string>> {
  try {
    return ok(await asked);
  } catch (error) {
    if (error instanceof ApiError && codes.includes(error.code)) return fail(error.message);
    throw error;
  }
}

/** Says that a part of the page is missing. */
export function MissingPart({ part, problem }: { part: string; problem: string }) {
  return (
    <Note kind="fault">
      <strong>{part} can't be shown now.</strong> {problem} No data is lost. Reload the page in a moment.
    </Note>
  );
}
