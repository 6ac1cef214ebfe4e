/**
 * Client of the dashboard's JSON API: one place that knows paths, the bearer token and the error form. It prints nothing.
 */
import * as v from "valibot";
import type { Activity, OutcomeCounts } from "../shared/ledger/activity.ts";
import type { Stats } from "../shared/ledger/stats.ts";
import { PAGE_LIMITS } from "../shared/limits.ts";
import type {
  DeadLetterDetails,
  DeadLetterFilter,
  DeadLetterResult,
  DeadLetterSelection,
  JobRequest,
  Page,
  PipelineStatus,
} from "../shared/operations.ts";
import type { Registration, RegistryEntry } from "../shared/registry.ts";
import type { Conflict, DeadLetter, Job } from "../shared/storage.ts";
import type { Viewer, ViewerEntry } from "../shared/viewers.ts";
import { CommandError, UnavailableError } from "./command-error.ts";

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
  /** Gives up. */
  signal?: AbortSignal;
}

/** Ours: a statement may take a minute; what takes longer than two does not answer any more. */
const CALL_TIMEOUT_MS = 120_000;

/** The API's operations; each throws a CommandError that says in one sentence what to do. */
export interface ApiClient {
  listRegistrations(): Promise<Registration[]>;
  /** undefined when it is not registered. */
  getRegistration(rua: string): Promise<Registration | undefined>;
  putRegistration(rua: string, entry: RegistryEntry): Promise<Registration>;
  removeRegistration(rua: string): Promise<void>;
  listIdentities(): Promise<Viewer[]>;
  putIdentity(email: string, entry: ViewerEntry): Promise<Viewer>;
  removeIdentity(email: string): Promise<void>;
  status(signal?: AbortSignal): Promise<Status>;
  stats(filter: { domain?: string; account?: string }): Promise<Stats>;
  /** The engine's answer as text, in the statement's format. */
  query(sql: string): Promise<string>;
  /** What happened lately, by span. */
  activity(): Promise<Activity[]>;
  listDeadLetters(filter?: DeadLetterFilter): AsyncGenerator<DeadLetter>;
  getDeadLetter(id: string): Promise<DeadLetterDetails>;
  /** One page after the other; each result is told when its page is done. */
  requeueDeadLetters(selection: LetterSelection): AsyncGenerator<DeadLetterResult>;
  discardDeadLetters(selection: LetterSelection): AsyncGenerator<DeadLetterResult>;
  /** The bytes of a raw object, as they came. */
  readRawObject(key: string): Promise<Response>;
  listConflicts(): AsyncGenerator<Conflict>;
  getConflict(id: string): Promise<Conflict>;
  acceptConflict(id: string): Promise<Conflict>;
  discardConflict(id: string): Promise<Conflict>;
  startReprocess(request: JobRequest): Promise<Job>;
  startReconcile(request: JobRequest): Promise<Job>;
  listJobs(): Promise<Job[]>;
  /** undefined when there is no such job. */
  getJob(id: string): Promise<Job | undefined>;
}

/** Dead letters by id, in whatever number, or by filter. */
export type LetterSelection = Pick<DeadLetterSelection, "ids" | "filter" | "dryRun">;

/** Builds the client of one deployment or one local stack. */
export function apiClient(connection: ApiConnection): ApiClient {
  const json = async <T>(path: string, call?: Call): Promise<T> => readJson(await request(connection, path, call));
  const identityPath = (email: string): string => `/identities/${encodeURIComponent(email)}`;
  const registryPath = (rua: string): string => `/registry/${encodeURIComponent(rua)}`;
  return {
    listRegistrations: async () => (await json<{ items: Registration[] }>("/registry")).items,
    async getRegistration(rua) {
      const response = await send(connection, registryPath(rua), {});
      return response.status === 404 ? undefined : readJson(await checked(connection, response));
    },
    putRegistration: (rua, entry) => json(registryPath(rua), { method: "PUT", body: JSON.stringify(entry) }),
    listIdentities: async () => (await json<{ items: Viewer[] }>("/identities")).items,
    putIdentity: (email, entry) => json(identityPath(email), { method: "PUT", body: JSON.stringify(entry) }),
    async removeIdentity(email) {
      await request(connection, identityPath(email), { method: "DELETE" });
    },
    async removeRegistration(rua) {
      await request(connection, registryPath(rua), { method: "DELETE" });
    },
    status: (signal) => json("/status", signal === undefined ? {} : { signal }),
    stats: (filter) => json(`/stats?${new URLSearchParams({ ...filter })}`),
    query: async (sql) => readText(await request(connection, "/query", { method: "POST", body: sql })),
    activity: async () => (await json<{ items: Activity[] }>("/activity")).items,
    listDeadLetters: (filter = {}) => pages(connection, "/dead-letters", { ...filter }),
    getDeadLetter: (id) => json(`/dead-letters/${encodeURIComponent(id)}`),
    requeueDeadLetters: (selection) => runSelection(connection, "requeue", selection),
    discardDeadLetters: (selection) => runSelection(connection, "discard", selection),
    readRawObject: (key) => request(connection, `/raw?${new URLSearchParams({ key })}`),
    listConflicts: () => pages(connection, "/conflicts", {}),
    getConflict: (id) => json(`/conflicts/${encodeURIComponent(id)}`),
    acceptConflict: (id) => json(`/conflicts/${encodeURIComponent(id)}/accept`, { method: "POST" }),
    discardConflict: (id) => json(`/conflicts/${encodeURIComponent(id)}/discard`, { method: "POST" }),
    startReprocess: (body) => json("/reprocess", { method: "POST", body: JSON.stringify(body) }),
    startReconcile: (body) => json("/reconcile", { method: "POST", body: JSON.stringify(body) }),
    listJobs: async () => (await json<{ items: Job[] }>("/jobs")).items,
    async getJob(id) {
      const response = await send(connection, `/jobs/${encodeURIComponent(id)}`, {});
      return response.status === 404 ? undefined : readJson(await checked(connection, response));
    },
  };
}

async function* pages<T>(
  connection: ApiConnection,
  path: string,
  filter: Record<string, string | undefined>,
): AsyncGenerator<T> {
  const given = Object.entries(filter).filter((entry): entry is [string, string] => entry[1] !== undefined);
  let cursor: string | undefined;
  do {
    const parameters = new URLSearchParams(cursor === undefined ? given : [...given, ["cursor", cursor]]);
    const page: Page<T> = await readJson(await request(connection, `${path}?${parameters}`));
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

// Ids go as many a call as the API takes; a filter's letters a page a call.
async function* runSelection(
  connection: ApiConnection,
  action: "requeue" | "discard",
  { ids, filter, dryRun }: LetterSelection,
): AsyncGenerator<DeadLetterResult> {
  const call = async (body: DeadLetterSelection): Promise<Page<DeadLetterResult>> =>
    readJson(await request(connection, `/dead-letters/${action}`, { method: "POST", body: JSON.stringify(body) }));
  for (let i = 0; i < (ids?.length ?? 0); i += PAGE_LIMITS.letters) {
    yield* (await call({ ids: ids?.slice(i, i + PAGE_LIMITS.letters), dryRun })).items;
  }
  if (ids !== undefined) return;
  let cursor: string | undefined;
  do {
    const page = await call({ filter: filter ?? {}, cursor, dryRun });
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

async function request(connection: ApiConnection, path: string, call: Call = {}): Promise<Response> {
  return checked(connection, await send(connection, path, call));
}

async function send({ url, token }: ApiConnection, path: string, call: Call): Promise<Response> {
  const timeout = AbortSignal.timeout(CALL_TIMEOUT_MS);
  const signal = call.signal === undefined ? timeout : AbortSignal.any([timeout, call.signal]);
  try {
    return await fetch(`${url}/api/v1${path}`, { ...call, signal, headers: { authorization: `Bearer ${token}` } });
  } catch (error) {
    const sentence = `Nothing answers at ${url}: ${reasonOf(error)}. Is the stack running (npm start)?`;
    throw new UnavailableError(sentence, { isThere: false });
  }
}

async function checked({ url }: ApiConnection, response: Response): Promise<Response> {
  if (response.ok) return response;
  const { message, code } = readError(await readText(response));
  const sentence = `${url}: ${message ?? `it answered with status ${response.status}`}`;
  if (response.status >= 500) throw new UnavailableError(sentence, { isThere: true });
  throw new CommandError(sentence, code);
}

async function readText(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    const sentence = `${response.url} broke off in the middle of its answer: ${reasonOf(error)}.`;
    throw new UnavailableError(sentence, { isThere: true });
  }
}

async function readJson<T>(response: Response): Promise<T> {
  const text = await readText(response);
  try {
    // The API is this repository's own; its shapes are the shared types.
    return JSON.parse(text) as T;
  } catch {
    throw new CommandError(`${response.url} did not answer with JSON; is it the dashboard's address?`);
  }
}

const errorAnswer = v.object({ error: v.object({ code: v.optional(v.string()), message: v.optional(v.string()) }) });

function readError(text: string): { code?: string | undefined; message?: string | undefined } {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), errorAnswer), text);
  return parsed.success ? parsed.output.error : {};
}

// fetch says only "fetch failed"; the reason is its cause.
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : error.message;
}
