/** Analytics Engine for pages: a failure becomes a sentence, because no figure of a page depends on it. */
import type { Query } from "../../shared/analytics/query.ts";
import { AnalyticsUnavailableError, querySql } from "../../shared/analytics/sql.ts";
import { DASHBOARD_LIMITS } from "../../shared/limits.ts";
import { fail, ok, type Result } from "../../shared/result.ts";
import { type DashboardEnv, readSqlConnection } from "./environment.ts";

/**
 * Rows of a statement; none where nothing was written yet.
 *
 * @returns otherwise why the engine has no answer, as a clause that begins a sentence
 * @throws Error when the engine refuses the statement: a bug
 */
export async function askEngine<Row>(env: DashboardEnv, { sql, read }: Query<Row>): Promise<Result<Row[], string>> {
  const connection = readSqlConnection(env);
  if ("missing" in connection) return fail(`${connection.missing} is not set`);
  const signal = AbortSignal.timeout(DASHBOARD_LIMITS.engineTimeoutMs);
  try {
    const answer = await querySql(connection, sql, (url, init) => fetch(url, { ...init, signal }));
    if (answer.ok) return ok(answer.value.rows.map(read));
    if (answer.error.code === "no_data") return ok([]);
    throw new Error(`Analytics Engine refuses a statement of a page: ${answer.error.message}`);
  } catch (error) {
    // The answer may also break off in its middle, which is no error of the SQL client's.
    if (!signal.aborted && !(error instanceof AnalyticsUnavailableError)) throw error;
    console.error(JSON.stringify({ event: "engine_unavailable", message: String(error) }));
    return fail("Analytics Engine does not answer");
  }
}
