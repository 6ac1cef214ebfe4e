/**
 * The API for commands: the contract's client, with problems turned into errors that end the command. It prints
 * nothing.
 */
import {
  type ClientAnswer,
  type ClientProblem,
  type ApiConnection as Connection,
  type ContractClient,
  contractClient,
  eachItem,
  type ItemOf,
} from "../shared/contract/client.ts";
import type { DeadLetterResult } from "../shared/contract/incoming-shapes.ts";
import type { Inputs, OperationName, Outputs, PagedOperation } from "../shared/contract/operations.ts";
import { PAGE_LIMITS } from "../shared/limits.ts";
import { CommandError, UnavailableError } from "./command-error.ts";

/** The location of the API and its token. */
export type ApiConnection = Omit<Connection, "fetch">;

/** The answer of `status`. */
export type Status = Outputs["status"];

/** Ours: a statement may take a minute; after two there will be no answer. */
const CALL_TIMEOUT_MS = 120_000;

/** Operations by name; each throws a CommandError that says in one sentence what to do. */
export interface ApiClient {
  /** Origin without a trailing slash. */
  url: string;
  ask<Name extends OperationName>(name: Name, input: Inputs[Name], signal?: AbortSignal): Promise<Outputs[Name]>;
  /** Undefined if it does not exist. */
  find<Name extends OperationName>(name: Name, input: Inputs[Name]): Promise<Outputs[Name] | undefined>;
  /** All items of a listing, one page per call. */
  each<Name extends PagedOperation>(name: Name, input: Inputs[Name]): AsyncGenerator<ItemOf<Name>>;
}

/** Builds the client for a deployment or local stack. */
export function apiClient(connection: ApiConnection): ApiClient {
  const client = contractClient({ ...connection, fetch: (target, init) => fetch(target, withTimeout(init)) });
  return {
    url: client.url,
    ask: async (name, input, signal) => orThrow(client, await client.ask(name, input, signal)),
    async find(name, input) {
      const answer = await client.ask(name, input);
      return !answer.ok && answer.error.code === "not_found" ? undefined : orThrow(client, answer);
    },
    async *each(name, input) {
      for await (const item of eachItem(client, name, input)) yield orThrow(client, item);
    },
  };
}

function withTimeout({ signal, ...init }: RequestInit): RequestInit {
  const timeout = AbortSignal.timeout(CALL_TIMEOUT_MS);
  return { ...init, signal: signal ? AbortSignal.any([timeout, signal]) : timeout };
}

/** Whether an address is on this machine. */
export function isLocalUrl(text: string): boolean {
  return ["localhost", "127.0.0.1", "[::1]"].includes(URL.parse(text)?.hostname ?? "");
}

function orThrow<T>({ url }: ContractClient, answer: ClientAnswer<T>): T {
  if (answer.ok) return answer.value;
  throw errorOf(url, answer.error);
}

function errorOf(url: string, { code, message, status }: ClientProblem): CommandError {
  if (status === undefined) {
    const question = isLocalUrl(url) ? "Is the stack running (npm start)?" : "Is that the dashboard's address?";
    return new UnavailableError(`${message} ${question}`, { isThere: false });
  }
  if (code === "broken_off") return new UnavailableError(message, { isThere: true });
  if (status >= 500) return new UnavailableError(`${url}: ${message}`, { isThere: true });
  return new CommandError(status < 400 ? message : `${url}: ${message}`, code);
}

/** Any number of dead letters by id, or those matching a filter. */
export type DeadLetterSelection = Omit<Inputs["requeueDeadLetters"], "cursor">;

/**
 * Retries, discards or restores dead letters: ids in calls of the API's size limit, those matching a filter one page
 * per call.
 */
export async function* changeDeadLetters(
  client: ApiClient,
  name: "requeueDeadLetters" | "discardDeadLetters" | "restoreDeadLetters",
  { ids, filter, dryRun }: DeadLetterSelection,
): AsyncGenerator<DeadLetterResult> {
  if (ids === undefined) {
    yield* client.each(name, { filter: filter ?? {}, dryRun });
    return;
  }
  for (let i = 0; i < ids.length; i += PAGE_LIMITS.deadLetters) {
    yield* (await client.ask(name, { ids: ids.slice(i, i + PAGE_LIMITS.deadLetters), dryRun })).items;
  }
}
