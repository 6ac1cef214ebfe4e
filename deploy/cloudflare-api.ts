/**
 * Cloudflare's API (developers.cloudflare.com/api), as far as a deployment needs it: the one file that knows its paths
 * and answers. Each answer is validated; what it refuses is a value, with its code and a sentence. It never asks more
 * often than the API allows, and waits when the API says so.
 */
import * as v from "valibot";
import { CLOUDFLARE_API_LIMITS } from "../shared/limits.ts";
import { fail, ok, type Result } from "../shared/result.ts";

/** Why Cloudflare did not do what was asked. */
export interface ApiProblem {
  /** Cloudflare's own number, such as 10042; 0 where it gave none. */
  code: number;
  /** HTTP status; 0 where nothing answered. */
  status: number;
  /** One sentence. */
  message: string;
}

export type ApiAnswer<T> = Result<T, ApiProblem>;

/** How the API is reached. */
export interface ApiConnection {
  /** Without a slash at its end. */
  baseUrl: string;
  token: string;
  fetch(url: string, init: RequestInit): Promise<Response>;
  nowMilliseconds(): number;
  sleep(milliseconds: number): Promise<void>;
}

export const API_BASE_URL = "https://api.cloudflare.com/client/v4";

/** Numbers of refusals that a deployment reacts to. */
export const API_CODES = {
  /** Not allowed, or not to this token. */
  authentication: 10000,
  unauthorized: 9109,
  /** A Worker, or the account's workers.dev subdomain, is not there. */
  workersNotFound: 10007,
  /** R2 was never switched on in the account. */
  r2NotEnabled: 10042,
  /** Analytics Engine was never switched on in the account. */
  analyticsNotEnabled: 10089,
  /** `[limits]` in the configuration of a Worker. */
  cpuLimitOnFreePlan: 100328,
  /** No Zero Trust organization yet. */
  accessNotEnabled: 9999,
  /** A bucket that still holds objects cannot be deleted. */
  bucketNotEmpty: 10008,
  /** What was to be removed is gone already, by store. */
  scriptNotFound: 10007,
} as const;

const id = v.pipe(v.string(), v.minLength(1));
const envelope = v.object({
  success: v.boolean(),
  errors: v.optional(v.nullable(v.array(v.object({ code: v.optional(v.number()), message: v.optional(v.string()) })))),
  result: v.optional(v.unknown()),
  result_info: v.optional(
    v.nullable(
      v.object({
        page: v.optional(v.number()),
        total_pages: v.optional(v.number()),
        per_page: v.optional(v.number()),
        total_count: v.optional(v.number()),
        cursor: v.optional(v.nullable(v.string())),
      }),
    ),
  ),
});
type Envelope = v.InferOutput<typeof envelope>;

const account = v.object({ id, name: v.string() });
const database = v.object({ uuid: id, name: v.string() });
const namespace = v.object({ id, title: v.string() });
const bucket = v.object({ name: v.string() });
const queue = v.object({
  queue_id: id,
  queue_name: v.string(),
  settings: v.optional(v.object({ message_retention_period: v.optional(v.number()) })),
});
const script = v.object({ id });
const secret = v.object({ name: v.string() });
const zone = v.object({ id, name: v.string() });
const routing = v.object({
  enabled: v.boolean(),
  status: v.optional(v.string()),
  support_subaddress: v.optional(v.boolean()),
});
/** Of a host below the zone: what it lacks. One that lacks nothing has its records, in a list or under a name. */
const hostRecords = v.union([
  v.object({
    errors: v.nullish(v.array(v.object({ missing: v.optional(v.object({ type: v.optional(v.string()) })) }))),
  }),
  v.array(v.unknown()),
]);
const rule = v.object({
  id: v.optional(v.string()),
  name: v.optional(v.string()),
  enabled: v.optional(v.boolean()),
  matchers: v.array(v.object({ type: v.string(), field: v.optional(v.string()), value: v.optional(v.string()) })),
  actions: v.array(v.object({ type: v.string(), value: v.optional(v.array(v.string())) })),
});
const lifecycle = v.object({
  rules: v.optional(
    v.array(
      v.looseObject({
        id: v.string(),
        enabled: v.boolean(),
        conditions: v.optional(v.object({ prefix: v.optional(v.string()) })),
        deleteObjectsTransition: v.optional(v.unknown()),
        storageClassTransitions: v.optional(v.array(v.unknown())),
      }),
    ),
  ),
});
const subscription = v.object({ rate_plan: v.optional(v.object({ id: v.optional(v.string()) })) });

export type Account = v.InferOutput<typeof account>;
export type Queue = v.InferOutput<typeof queue>;
export type Rule = v.InferOutput<typeof rule>;
export type Lifecycle = v.InferOutput<typeof lifecycle>;

interface Request {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  query?: Record<string, string | number>;
  body?: unknown;
  /** Bytes or a form in place of JSON. */
  content?: Uint8Array<ArrayBuffer> | FormData;
}

export type CloudflareApi = ReturnType<typeof cloudflareApi>;

/** Builds the client. Each call answers with a value or a problem; none throws for what the API says. */
export function cloudflareApi(connection: ApiConnection) {
  const calls = callsBy(sender(connection));
  return {
    ...accountCalls(calls),
    ...databaseCalls(calls),
    ...namespaceCalls(calls),
    ...bucketCalls(calls),
    ...queueCalls(calls),
    ...workerCalls(calls),
    ...routingCalls(calls),
  };
}

/** The three usual forms of an answer, and the plain way to send other requests. */
interface Calls {
  send: Send;
  /** One thing, checked against its schema. */
  one<T>(schema: v.GenericSchema<unknown, T>, request: Request): Promise<ApiAnswer<T>>;
  /** Nothing but that it succeeded. */
  done(request: Request): Promise<ApiAnswer<undefined>>;
  /** Every item of a listing. */
  list<T>(item: v.GenericSchema<unknown, T>, path: string, query?: Record<string, string>): Promise<ApiAnswer<T[]>>;
}

function callsBy(send: Send): Calls {
  return {
    send,
    async one(schema, request) {
      const answer = await send(request);
      return answer.ok ? readResult(schema, answer.value.result, request) : answer;
    },
    async done(request) {
      const answer = await send(request);
      return answer.ok ? ok(undefined) : answer;
    },
    list: (item, path, query = {}) => allPages(send, item, { path, query }),
  };
}

function inAccount(accountId: string, path: string): string {
  return `/accounts/${accountId}${path}`;
}

function accountCalls({ list }: Calls) {
  return {
    accounts: () => list(account, "/accounts"),
    /** Rate plans of the account, such as `workers_paid`; needs the permission Billing Read. */
    subscriptions: (accountId: string) => list(subscription, inAccount(accountId, "/subscriptions")),
  };
}

function databaseCalls({ one, done, list }: Calls) {
  return {
    databases: (accountId: string) => list(database, inAccount(accountId, "/d1/database")),
    createDatabase: (accountId: string, name: string) =>
      one(database, { method: "POST", path: inAccount(accountId, "/d1/database"), body: { name } }),
    deleteDatabase: (accountId: string, databaseId: string) =>
      done({ method: "DELETE", path: inAccount(accountId, `/d1/database/${databaseId}`) }),
  };
}

function namespaceCalls({ one, done, list }: Calls) {
  return {
    namespaces: (accountId: string) => list(namespace, inAccount(accountId, "/storage/kv/namespaces")),
    createNamespace: (accountId: string, title: string) =>
      one(namespace, { method: "POST", path: inAccount(accountId, "/storage/kv/namespaces"), body: { title } }),
    deleteNamespace: (accountId: string, namespaceId: string) =>
      done({ method: "DELETE", path: inAccount(accountId, `/storage/kv/namespaces/${namespaceId}`) }),
  };
}

function bucketCalls({ send, one, done }: Calls) {
  return {
    buckets: (accountId: string) => listBuckets(send, inAccount(accountId, "/r2/buckets")),
    createBucket: (accountId: string, name: string) =>
      one(bucket, { method: "POST", path: inAccount(accountId, "/r2/buckets"), body: { name } }),
    deleteBucket: (accountId: string, name: string) =>
      done({ method: "DELETE", path: inAccount(accountId, `/r2/buckets/${name}`) }),
    lifecycle: (accountId: string, name: string) =>
      one(lifecycle, { method: "GET", path: inAccount(accountId, `/r2/buckets/${name}/lifecycle`) }),
    putLifecycle: (accountId: string, name: string, rules: Lifecycle["rules"]) =>
      done({ method: "PUT", path: inAccount(accountId, `/r2/buckets/${name}/lifecycle`), body: { rules } }),
    putObject: (accountId: string, place: { bucket: string; key: string }, content: Uint8Array<ArrayBuffer>) =>
      done({ method: "PUT", path: inAccount(accountId, `/r2/buckets/${place.bucket}/objects/${place.key}`), content }),
  };
}

function queueCalls({ one, done, list }: Calls) {
  return {
    queues: (accountId: string) => list(queue, inAccount(accountId, "/queues")),
    createQueue: (accountId: string, name: string) =>
      one(queue, { method: "POST", path: inAccount(accountId, "/queues"), body: { queue_name: name } }),
    setRetention: (accountId: string, queueId: string, seconds: number) =>
      one(queue, {
        method: "PATCH",
        path: inAccount(accountId, `/queues/${queueId}`),
        body: { settings: { message_retention_period: seconds } },
      }),
    deleteQueue: (accountId: string, queueId: string) =>
      done({ method: "DELETE", path: inAccount(accountId, `/queues/${queueId}`) }),
    pushMessage: (accountId: string, queueId: string, body: unknown) =>
      done({
        method: "POST",
        path: inAccount(accountId, `/queues/${queueId}/messages`),
        body: { body, content_type: "json" },
      }),
  };
}

function workerCalls({ one, done, list }: Calls) {
  return {
    scripts: (accountId: string) => list(script, inAccount(accountId, "/workers/scripts")),
    /** Uploads a Worker with one dataset bound: the way to find out whether Analytics Engine is switched on. */
    uploadProbe: (accountId: string, name: string) =>
      done({ method: "PUT", path: inAccount(accountId, `/workers/scripts/${name}`), content: probeForm() }),
    deleteScript: (accountId: string, name: string) =>
      done({ method: "DELETE", path: inAccount(accountId, `/workers/scripts/${name}`), query: { force: "true" } }),
    secrets: (accountId: string, name: string) =>
      list(secret, inAccount(accountId, `/workers/scripts/${name}/secrets`)),
    putSecret: (accountId: string, worker: string, { name, text }: { name: string; text: string }) =>
      done({
        method: "PUT",
        path: inAccount(accountId, `/workers/scripts/${worker}/secrets`),
        body: { name, text, type: "secret_text" },
      }),
    subdomain: (accountId: string) =>
      one(v.object({ subdomain: id }), { method: "GET", path: inAccount(accountId, "/workers/subdomain") }),
    accessOrganization: (accountId: string) =>
      one(v.object({ auth_domain: v.optional(v.string()) }), {
        method: "GET",
        path: inAccount(accountId, "/access/organizations"),
      }),
  };
}

function routingCalls({ one, done, list }: Calls) {
  return {
    zones: (name: string, accountId: string) => list(zone, "/zones", { name, "account.id": accountId }),
    routing: (zoneId: string) => one(routing, { method: "GET", path: `/zones/${zoneId}/email/routing` }),
    hostRecords: (zoneId: string, host: string) =>
      one(hostRecords, { method: "GET", path: `/zones/${zoneId}/email/routing/dns`, query: { subdomain: host } }),
    addHostRecords: (zoneId: string, host: string) =>
      done({ method: "POST", path: `/zones/${zoneId}/email/routing/dns`, body: { name: host } }),
    // Marked as deprecated; users found that what is named in its place refuses a zone itself, or does nothing.
    enableRouting: (zoneId: string) =>
      one(routing, { method: "POST", path: `/zones/${zoneId}/email/routing/enable`, body: {} }),
    allowSubaddresses: (zoneId: string) =>
      one(routing, { method: "PATCH", path: `/zones/${zoneId}/email/routing`, body: { support_subaddress: true } }),
    rules: (zoneId: string) => list(rule, `/zones/${zoneId}/email/routing/rules`),
    createRule: (zoneId: string, body: Rule) =>
      one(rule, { method: "POST", path: `/zones/${zoneId}/email/routing/rules`, body }),
    updateRule: (zoneId: string, ruleId: string, body: Rule) =>
      one(rule, { method: "PUT", path: `/zones/${zoneId}/email/routing/rules/${ruleId}`, body }),
    deleteRule: (zoneId: string, ruleId: string) =>
      done({ method: "DELETE", path: `/zones/${zoneId}/email/routing/rules/${ruleId}` }),
    catchAll: (zoneId: string) => one(rule, { method: "GET", path: `/zones/${zoneId}/email/routing/rules/catch_all` }),
    putCatchAll: (zoneId: string, body: Rule) =>
      one(rule, { method: "PUT", path: `/zones/${zoneId}/email/routing/rules/catch_all`, body }),
  };
}

type Send = (request: Request) => Promise<ApiAnswer<Envelope>>;

/** Sends requests: no more in five minutes than allowed, and again when the API says it was too much. */
function sender(connection: ApiConnection): Send {
  const { windowMilliseconds, requestsPerWindow, maxAttempts } = CLOUDFLARE_API_LIMITS;
  const sent: number[] = [];
  const takeTurn = async (): Promise<void> => {
    const now = connection.nowMilliseconds();
    while ((sent[0] ?? now) <= now - windowMilliseconds) sent.shift();
    const oldest = sent[0];
    if (oldest !== undefined && sent.length >= requestsPerWindow) {
      await connection.sleep(oldest + windowMilliseconds - now);
      sent.shift();
    }
    sent.push(connection.nowMilliseconds());
  };
  return async (request) => {
    for (let attempt = 1; ; attempt++) {
      await takeTurn();
      const response = await fetchOnce(connection, request);
      if (!response.ok) return response;
      if (response.value.status !== 429 || attempt === maxAttempts) return readEnvelope(response.value, request);
      await connection.sleep(retryAfterMilliseconds(response.value));
    }
  };
}

async function fetchOnce(
  { baseUrl, token, fetch }: ApiConnection,
  { method, path, query = {}, body, content }: Request,
): Promise<ApiAnswer<Response>> {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) search.set(name, String(value));
  const headers = new Headers({ authorization: `Bearer ${token}` });
  if (body !== undefined) headers.set("content-type", "application/json");
  const sent = content ?? (body === undefined ? null : JSON.stringify(body));
  const url = `${baseUrl}${path}${search.size === 0 ? "" : `?${search}`}`;
  try {
    return ok(await fetch(url, { method, headers, body: sent }));
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return fail({ code: 0, status: 0, message: `Nothing answers at ${baseUrl}: ${reason}.` });
  }
}

/** Seconds, or a date (RFC 9110 section 10.2.3); without one, our own wait. */
function retryAfterMilliseconds(response: Response): number {
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  const { defaultRetryMilliseconds, windowMilliseconds } = CLOUDFLARE_API_LIMITS;
  if (!Number.isFinite(seconds) || seconds < 0) return defaultRetryMilliseconds;
  return Math.min(seconds * 1000, windowMilliseconds);
}

async function readEnvelope(response: Response, { method, path }: Request): Promise<ApiAnswer<Envelope>> {
  const { status } = response;
  const text = await response.text();
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), envelope), text === "" ? '{"success":true}' : text);
  if (!parsed.success) {
    const message = `${method} ${path}: status ${status}, and no answer of Cloudflare's API.`;
    return fail({ code: 0, status, message });
  }
  if (response.ok && parsed.output.success) return ok(parsed.output);
  const [first] = parsed.output.errors ?? [];
  const code = first?.code ?? 0;
  return fail({ code, status, message: sentence(`${method} ${path}`, status, first) });
}

function sentence(
  request: string,
  status: number,
  error: { code?: number | undefined; message?: string | undefined } = {},
): string {
  const { code, message = "no reason given" } = error;
  return `${request}: ${message.replace(/[.\s]+$/, "")} (${code === undefined ? `status ${status}` : `code ${code}`}).`;
}

function readResult<T>(
  schema: v.GenericSchema<unknown, T>,
  result: unknown,
  { method, path }: Pick<Request, "method" | "path">,
): ApiAnswer<T> {
  const parsed = v.safeParse(schema, result);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  const message =
    `${method} ${path}: this version does not know the form of the answer: ${v.getDotPath(issue) ?? "result"}: ` +
    `${issue.message}.`;
  return fail({ code: 0, status: 200, message });
}

/** All items of a listing, page after page. */
async function allPages<T>(
  send: Send,
  item: v.GenericSchema<unknown, T>,
  { path, query }: { path: string; query: Record<string, string> },
): Promise<ApiAnswer<T[]>> {
  const items: T[] = [];
  for (let page = 1; ; page++) {
    const request: Request = {
      method: "GET",
      path,
      query: { ...query, page, per_page: CLOUDFLARE_API_LIMITS.perPage },
    };
    const answer = await send(request);
    if (!answer.ok) return answer;
    const read = readResult(v.array(item), answer.value.result ?? [], request);
    if (!read.ok) return read;
    items.push(...read.value);
    if (page >= pagesOf(answer.value.result_info) || read.value.length === 0) return ok(items);
  }
}

/** How many pages a listing has: not all say it, and some only how many items there are. */
function pagesOf(info: Envelope["result_info"]): number {
  const { total_pages, total_count = 0, per_page = 0 } = info ?? {};
  return total_pages ?? (per_page > 0 ? Math.ceil(total_count / per_page) : 1);
}

/** R2 alone has pages by cursor, and an object around its list. */
async function listBuckets(send: Send, path: string): Promise<ApiAnswer<v.InferOutput<typeof bucket>[]>> {
  const buckets: v.InferOutput<typeof bucket>[] = [];
  let cursor = "";
  do {
    const request: Request = {
      method: "GET",
      path,
      query: { per_page: CLOUDFLARE_API_LIMITS.perPage, ...(cursor !== "" && { cursor }) },
    };
    const answer = await send(request);
    if (!answer.ok) return answer;
    const read = readResult(v.object({ buckets: v.array(bucket) }), answer.value.result, request);
    if (!read.ok) return read;
    buckets.push(...read.value.buckets);
    cursor = answer.value.result_info?.cursor ?? "";
  } while (cursor !== "");
  return ok(buckets);
}

function probeForm(): FormData {
  const metadata = {
    main_module: "probe.js",
    compatibility_date: "2026-11-01",
    bindings: [{ type: "analytics_engine", name: "PROBE", dataset: "dmarc_probe" }],
  };
  const form = new FormData();
  form.set("metadata", new Blob([JSON.stringify(metadata)], { type: "application/json" }));
  const module = "export default { fetch: () => new Response(null, { status: 404 }) };\n";
  form.set("probe.js", new File([module], "probe.js", { type: "application/javascript+module" }));
  return form;
}
