/** The few calls `npm start` makes to the dashboard's API. Everything else is the CLI's. */

/** Where the dashboard is and its bearer token. */
export interface ApiConnection {
  url: string;
  token: string;
  /** Ends the waiting for an answer. */
  signal?: AbortSignal;
}

/** Ours: the dashboard finds the process Worker through wrangler's registry, a moment after both are ready. */
const CONNECT_TIMEOUT_MS = 20_000;

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

// 5xx is tried again until the time is up: the Workers are up, but not yet connected to each other.
async function call(api: ApiConnection, request: { method: string; path: string; body?: string }): Promise<void> {
  const deadline = Date.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    const problem = await tryCall(api, request);
    if (problem === undefined) return;
    api.signal?.throwIfAborted();
    if (!problem.again || Date.now() > deadline)
      throw new Error(`${request.method} ${request.path}: ${problem.reason}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function tryCall(
  api: ApiConnection,
  { method, path, body }: { method: string; path: string; body?: string },
): Promise<{ reason: string; again: boolean } | undefined> {
  try {
    const response = await fetch(api.url + path, {
      method,
      headers: { authorization: `Bearer ${api.token}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS),
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    if (response.ok) return undefined;
    return { reason: `status ${response.status}: ${text.slice(0, 300)}`, again: response.status >= 500 };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error), again: true };
  }
}
