/** The few calls `npm start` makes to the dashboard's API. Everything else is the CLI's. */
import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { isIdle } from "../shared/operations.ts";

/** Where the dashboard is and its bearer token. */
export interface ApiConnection {
  url: string;
  token: string;
  /** Ends the waiting for an answer. */
  signal?: AbortSignal;
}

/** Ours: the dashboard finds the process Worker through wrangler's registry, a moment after both are ready. */
const CONNECT_TIMEOUT_MS = 20_000;
/** Between two looks. */
const POLL_MS = 200;
/** One look is not enough: see isIdle. */
const QUIET_LOOKS = 3;

const waiting = v.object({ unfinished: v.number(), queues: v.array(v.object({ messages: v.number() })) });

/** Resolves when the dashboard reaches the process Worker. @throws Error when it does not in time */
export async function waitUntilConnected(api: ApiConnection): Promise<void> {
  await call(api, { method: "GET", path: "/api/v1/status" });
}

/** Registers an address for an account. @throws Error when it is refused or the pipeline does not answer in time */
export async function register(api: ApiConnection, rua: string, account: string): Promise<void> {
  const path = `/api/v1/registry/${encodeURIComponent(rua)}`;
  await call(api, { method: "PUT", path, body: JSON.stringify({ account }) });
}

/** Lets a person see everything. @throws Error as `register` does */
export async function allowOperator(api: ApiConnection, email: string): Promise<void> {
  const path = `/api/v1/identities/${encodeURIComponent(email)}`;
  await call(api, { method: "PUT", path, body: JSON.stringify({ role: "operator", accounts: [] }) });
}

/** Has everything that was received and not finished enqueued again. @throws Error as `register` does */
export async function startReconcile(api: ApiConnection): Promise<void> {
  await call(api, { method: "POST", path: "/api/v1/reconcile" });
}

/** Has the reports about a domain read again. @throws Error as `register` does */
export async function startReprocess(api: ApiConnection, domain: string): Promise<void> {
  await call(api, { method: "POST", path: "/api/v1/reprocess", body: JSON.stringify({ filter: { domain } }) });
}

/** Resolves when nothing is waiting any more. @throws Error as `register` does; the signal's reason when aborted */
export async function waitUntilRead(api: ApiConnection): Promise<void> {
  for (let quiet = 0; quiet < QUIET_LOOKS; ) {
    const status = v.parse(waiting, JSON.parse(await call(api, { method: "GET", path: "/api/v1/status" })));
    quiet = isIdle(status) ? quiet + 1 : 0;
    await sleep(POLL_MS, undefined, api.signal === undefined ? {} : { signal: api.signal });
  }
}

interface Request {
  method: "GET" | "PUT" | "POST";
  path: string;
  body?: string;
}

// 5xx is tried again until the time is up: the Workers are up, but not yet connected to each other.
async function call(api: ApiConnection, request: Request): Promise<string> {
  const deadline = Date.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    const answer = await tryCall(api, request);
    if ("text" in answer) return answer.text;
    api.signal?.throwIfAborted();
    if (!answer.again || Date.now() > deadline) throw new Error(`${request.method} ${request.path}: ${answer.reason}`);
    await sleep(POLL_MS);
  }
}

async function tryCall(
  api: ApiConnection,
  { method, path, body }: Request,
): Promise<{ text: string } | { reason: string; again: boolean }> {
  try {
    const response = await fetch(api.url + path, {
      method,
      headers: { authorization: `Bearer ${api.token}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS),
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    if (response.ok) return { text };
    return { reason: `status ${response.status}: ${text.slice(0, 300)}`, again: response.status >= 500 };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error), again: true };
  }
}
