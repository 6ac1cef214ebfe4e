/**
 * Cursors as the API answers them: where a list continues, made opaque, so that nobody depends on their content, and
 * with the list's name, so that one of another list is refused. Inside, each operation has its own form of position.
 * Pure.
 */
import { decodeBase64, encodeBase64 } from "../base64.ts";
import { fail, ok, type Result } from "../result.ts";
import type { Operation } from "./operation.ts";
import type { OperationProblem } from "./problems.ts";

/** Whether an operation's cursors are closed: those of answers in JSON; bytes contain their own position. */
export function hasCursor({ http, input }: Pick<Operation<unknown, unknown>, "http" | "input">): boolean {
  const entries: unknown = "entries" in input ? input.entries : undefined;
  return http?.answer === "json" && typeof entries === "object" && entries !== null && "cursor" in entries;
}

/** An answer whose cursor, where it has one, is closed. @param list name of the operation */
export function closeCursor<Output>(list: string, output: Output): Output {
  if (typeof output !== "object" || output === null || !("cursor" in output)) return output;
  return typeof output.cursor === "string" ? { ...output, cursor: closed(list, output.cursor) } : output;
}

/** An input with its cursor as the operation reads it. @returns a problem if the cursor does not come from this list */
export function openCursor<Input>(list: string, input: Input): Result<Input, OperationProblem> {
  if (typeof input !== "object" || input === null || !("cursor" in input)) return ok(input);
  if (typeof input.cursor !== "string") return ok(input);
  const cursor = opened(list, input.cursor);
  return cursor === undefined
    ? fail({ code: "bad_request", message: "cursor: it is not from this list." })
    : ok({ ...input, cursor });
}

function closed(list: string, place: string): string {
  const text = encodeBase64(new TextEncoder().encode(`${list}\n${place}`));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function opened(list: string, cursor: string): string | undefined {
  if (!/^[\w-]+$/.test(cursor)) return undefined;
  const bytes = decodeBase64(cursor.replaceAll("-", "+").replaceAll("_", "/"));
  if (bytes === undefined) return undefined;
  const text = new TextDecoder().decode(bytes);
  const start = `${list}\n`;
  return text.startsWith(start) && text.length > start.length ? text.slice(start.length) : undefined;
}
