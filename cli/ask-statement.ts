/** Puts one of our statements to Analytics Engine, over the API. It prints nothing. */
import { parseAnswer } from "../shared/analytics/sql.ts";
import type { ApiClient } from "./client.ts";
import { CommandError } from "./command-error.ts";

/** The rows of an answer; none of a dataset that was never written to. @throws CommandError for every other refusal */
export async function askStatement(client: ApiClient, sql: string): Promise<Record<string, unknown>[]> {
  try {
    const answer = parseAnswer(await client.ask("query", { sql }));
    if (answer === undefined) throw new CommandError("The engine's answer is not its JSON format.");
    return answer.rows;
  } catch (error) {
    if (error instanceof CommandError && error.code === "no_data") return [];
    throw error;
  }
}
