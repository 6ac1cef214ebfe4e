/** The few calls `npm start` makes to the dashboard's API. Everything else is the CLI's. */
import { setTimeout as sleep } from "node:timers/promises";
import { contractClient } from "../shared/contract/client.ts";
import type { Inputs, OperationName, Outputs } from "../shared/contract/operations.ts";
import { isIdle } from "../shared/operations.ts";

/** Where the dashboard is and its bearer token. */
export interface ApiConnection {
  url: string;
  token: string;
  /** Aborts waiting for an answer. */
  signal?: AbortSignal;
}

/** Ours: the dashboard finds the process Worker through wrangler's registry, a moment after both are ready. */
const CONNECT_TIMEOUT_MS = 20_000;
/** Pause between two polls. */
const POLL_MS = 200;
/** A single poll is not enough: see isIdle. */
const QUIET_LOOKS = 3;

/** Resolves when the dashboard reaches the process Worker. @throws Error when it does not in time */
export async function waitUntilConnected(api: ApiConnection): Promise<void> {
  await ask(api, "status", {});
}

/** Registers an address for an account. @throws Error when it is refused or the pipeline does not answer in time */
export async function register(api: ApiConnection, rua: string, account: string): Promise<void> {
  await ask(api, "putRegistration", { rua, entry: { account } });
}

/** Makes a person an operator. @throws Error as `register` does */
export async function allowOperator(api: ApiConnection, email: string): Promise<void> {
  await ask(api, "putIdentity", { email, entry: { role: "operator", accounts: [] } });
}

/** Enqueues everything that was received and not finished. @throws Error as `register` does */
export async function startReconcile(api: ApiConnection): Promise<void> {
  await ask(api, "startReconcile", {});
}

/** Runs a schedule of process. @throws Error as `register` does */
export async function runSchedule(api: ApiConnection, cron: string): Promise<void> {
  await ask(api, "runSchedule", { cron });
}

/** Reprocesses the reports about a domain. @throws Error as `register` does */
export async function startReprocess(api: ApiConnection, domain: string): Promise<void> {
  await ask(api, "startReprocess", { filter: { domain } });
}

/** Resolves when nothing is waiting. @throws Error as `register` does; the signal's reason when aborted */
export async function waitUntilRead(api: ApiConnection): Promise<void> {
  for (let quiet = 0; quiet < QUIET_LOOKS; ) {
    quiet = isIdle(await ask(api, "status", {})) ? quiet + 1 : 0;
    await sleep(POLL_MS, undefined, api.signal === undefined ? {} : { signal: api.signal });
  }
}

// Retries 5xx and missing answers until the time is up: the Workers may be up but not yet connected to each other.
async function ask<Name extends OperationName>(
  { url, token, signal }: ApiConnection,
  name: Name,
  input: Inputs[Name],
): Promise<Outputs[Name]> {
  const client = contractClient({
    url,
    token,
    fetch: (target, init) => fetch(target, { ...init, signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) }),
  });
  const deadline = Date.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    const answer = await client.ask(name, input);
    if (answer.ok) return answer.value;
    signal?.throwIfAborted();
    const { message, status } = answer.error;
    const isPassing = status === undefined || status >= 500;
    if (!isPassing || Date.now() > deadline) {
      throw new Error(`${name}: ${status === undefined ? "" : `status ${status}: `}${message}`);
    }
    await sleep(POLL_MS);
  }
}
