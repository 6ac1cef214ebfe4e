/**
 * The API as commands use it: the client of the contract, whose problems become errors that a command ends with. It prints
 * nothing.
 */
import {
  type ClientAnswer,
  type ClientProblem,
  type ContractClient,
  contractClient,
  eachItem,
  type ItemOf,
} from "../shared/contract/client.ts";
import type { Inputs, OperationName, Outputs, PagedOperation } from "../shared/contract/operations.ts";
import type { DeadLetterResult } from "../shared/contract/shapes.ts";
import { PAGE_LIMITS } from "../shared/limits.ts";
import { CommandError, UnavailableError } from "./command-error.ts";

/** Where the API is and the secret it wants. */
export interface ApiConnection {
  /** Origin, without a slash at its end. */
  url: string;
  token: string;
}

/** What `status` answers with. */
export type Status = Outputs["status"];

/** Ours: a statement may take a minute; what takes longer than two does not answer any more. */
const CALL_TIMEOUT_MS = 120_000;

/** Operations by name; each throws a CommandError that says in one sentence what to do. */
export interface ApiClient {
  ask<Name extends OperationName>(name: Name, input: Inputs[Name], signal?: AbortSignal): Promise<Outputs[Name]>;
  /** undefined when there is no such thing. */
  find<Name extends OperationName>(name: Name, input: Inputs[Name]): Promise<Outputs[Name] | undefined>;
  /** All items of a listing, a page a call. */
  each<Name extends PagedOperation>(name: Name, input: Inputs[Name]): AsyncGenerator<ItemOf<Name>>;
}

/** Builds the client of one deployment or one local stack. */
export function apiClient({ url, token }: ApiConnection): ApiClient {
  const client = contractClient({ url, token, fetch: (target, init) => fetch(target, withTimeout(init)) });
  return {
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

function orThrow<T>({ url }: ContractClient, answer: ClientAnswer<T>): T {
  if (answer.ok) return answer.value;
  throw errorOf(url, answer.error);
}

function errorOf(url: string, { code, message, status }: ClientProblem): CommandError {
  if (status === undefined)
    return new UnavailableError(`${message} Is the stack running (npm start)?`, { isThere: false });
  if (code === "broken_off") return new UnavailableError(message, { isThere: true });
  if (status >= 500) return new UnavailableError(`${url}: ${message}`, { isThere: true });
  return new CommandError(status < 400 ? message : `${url}: ${message}`, code);
}

/** Dead letters by id, in whatever number, or by filter. */
export type DeadLetterSelection = Omit<Inputs["requeueDeadLetters"], "cursor">;

/** Sends dead letters again, discards or restores them; ids go as many a call as the API takes, a filter's dead letters a page a call. */
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
