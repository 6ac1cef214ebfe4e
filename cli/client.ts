/**
 * Client of the dashboard's JSON API: one place that knows paths, the bearer token and the error form. It prints nothing.
 */
import type { OutcomeCounts, Stats } from "../shared/analytics/queries.ts";
import type { Page, PipelineStatus } from "../shared/operations.ts";
import type { Registration, RegistryEntry } from "../shared/registry.ts";
import type { DeadLetter } from "../shared/storage.ts";
import { CommandError } from "./command-error.ts";

/** Where the API is and the secret it wants. */
export interface ApiConnection {
  /** Origin, without a slash at its end. */
  url: string;
  token: string;
}

/** GET /status. */
export interface Status extends PipelineStatus {
  /** null when Analytics Engine could not be asked; `outcomesProblem` says why. */
  outcomes: OutcomeCounts | null;
  outcomesProblem?: string;
}

interface Call {
  method?: "GET" | "PUT" | "POST" | "DELETE";
  body?: string;
}

/** The API's operations; each throws a CommandError that says in one sentence what to do. */
export interface ApiClient {
  listRegistrations(): Promise<Registration[]>;
  /** undefined when it is not registered. */
  getRegistration(rua: string): Promise<Registration | undefined>;
  putRegistration(rua: string, entry: RegistryEntry): Promise<Registration>;
  removeRegistration(rua: string): Promise<void>;
  status(): Promise<Status>;
  stats(filter: { domain?: string; account?: string }): Promise<Stats>;
  /** The engine's answer as text, in the statement's format. */
  query(sql: string): Promise<string>;
  listDeadLetters(): AsyncGenerator<DeadLetter>;
  startReconcile(): Promise<void>;
}

/** Builds the client of one deployment or one local stack. */
export function apiClient(connection: ApiConnection): ApiClient {
  const json = async <T>(path: string, call?: Call): Promise<T> => readJson(await request(connection, path, call));
  const registryPath = (rua: string): string => `/registry/${encodeURIComponent(rua)}`;
  return {
    listRegistrations: async () => (await json<{ items: Registration[] }>("/registry")).items,
    async getRegistration(rua) {
      const response = await send(connection, registryPath(rua), {});
      return response.status === 404 ? undefined : readJson(await checked(connection, response));
    },
    putRegistration: (rua, entry) => json(registryPath(rua), { method: "PUT", body: JSON.stringify(entry) }),
    async removeRegistration(rua) {
      await request(connection, registryPath(rua), { method: "DELETE" });
    },
    status: () => json("/status"),
    stats: (filter) => json(`/stats?${new URLSearchParams({ ...filter })}`),
    query: async (sql) => (await request(connection, "/query", { method: "POST", body: sql })).text(),
    async *listDeadLetters() {
      let cursor: string | undefined;
      do {
        const parameters = new URLSearchParams(cursor === undefined ? {} : { cursor });
        const page: Page<DeadLetter> = await json(`/dead-letters?${parameters}`);
        yield* page.items;
        cursor = page.cursor;
      } while (cursor !== undefined);
    },
    async startReconcile() {
      await request(connection, "/reconcile", { method: "POST" });
    },
  };
}

async function request(connection: ApiConnection, path: string, call: Call = {}): Promise<Response> {
  return checked(connection, await send(connection, path, call));
}

async function send({ url, token }: ApiConnection, path: string, call: Call): Promise<Response> {
  try {
    return await fetch(`${url}/api/v1${path}`, { ...call, headers: { authorization: `Bearer ${token}` } });
  } catch (error) {
    throw new CommandError(`Nothing answers at ${url}: ${reasonOf(error)}. Is the stack running (npm start)?`);
  }
}

async function checked({ url }: ApiConnection, response: Response): Promise<Response> {
  if (response.ok) return response;
  const text = await response.text();
  const message = errorMessage(text) ?? `it answered with status ${response.status}`;
  throw new CommandError(`${url}: ${message}`);
}

async function readJson<T>(response: Response): Promise<T> {
  const text = await response.text();
  try {
    // The API is this repository's own; its shapes are the shared types.
    return JSON.parse(text) as T;
  } catch {
    throw new CommandError(`${response.url} did not answer with JSON; is it the dashboard's address?`);
  }
}

function errorMessage(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    return typeof error?.message === "string" ? error.message : undefined;
  } catch {
    return undefined;
  }
}

// fetch says only "fetch failed"; the reason is its cause.
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : error.message;
}
