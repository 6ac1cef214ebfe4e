/**
 * Requests to a mail service's HTTPS API with an access token: waits where the service says so, and says in a sentence what to
 * do about a token that is not valid.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { CommandError } from "../command-error.ts";

export interface MailApiSettings {
  /** Without a trailing slash; what is requested stays below it. */
  base: string;
  /** The environment's variable that holds the token. */
  tokenVariable: string;
  headers?: Record<string, string>;
  /** Whether a refusal means that requests come too fast, besides 429 and 503. */
  isTooFast?: (status: number, text: string) => boolean;
}

/** Ours: how often a request is made, and how long a service may make us wait for the next. */
const MAX_ATTEMPTS = 8;
const MAX_WAIT_SECONDS = 300;
const MAX_REASON_CHARS = 300;

/** A mail service's API, asked with the token. Every method throws a CommandError with a sentence where it refuses. */
export class MailApi {
  readonly #settings: MailApiSettings;
  readonly #token: string;

  /** @throws CommandError when the variable holds no token */
  constructor(settings: MailApiSettings) {
    this.#settings = settings;
    this.#token = tokenIn(settings.tokenVariable);
  }

  /** @param path below the base, or a whole address of the same origin, as a service gives for the next page */
  async json(path: string): Promise<unknown> {
    return (await this.#ask(path, { method: "GET" })).json();
  }

  async bytes(path: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.#ask(path, { method: "GET" })).arrayBuffer());
  }

  async post(path: string, body: unknown): Promise<void> {
    const headers = { "content-type": "application/json" };
    await (await this.#ask(path, { method: "POST", body: JSON.stringify(body), headers })).body?.cancel();
  }

  async #ask(path: string, request: { method: string; body?: string; headers?: Record<string, string> }) {
    const { headers } = this.#settings;
    const url = this.#urlOf(path);
    for (let attempt = 1; ; attempt++) {
      const response = await reach(url, {
        ...request,
        headers: { ...headers, ...request.headers, authorization: `Bearer ${this.#token}` },
      });
      if (response.ok) return response;
      const text = (await response.text()).slice(0, 4000);
      if (attempt >= MAX_ATTEMPTS || !this.#isTooFast(response.status, text))
        throw this.#refusal(response.status, text);
      await sleep(waitSeconds(response.headers.get("retry-after"), attempt) * 1000);
    }
  }

  // The token goes to the service alone, whatever an answer names.
  #urlOf(path: string): string {
    const { base } = this.#settings;
    if (!path.startsWith("http")) return base + path;
    if (new URL(path).origin !== new URL(base).origin)
      throw new CommandError(`${base} names a page elsewhere: ${path}`);
    return path;
  }

  #isTooFast(status: number, text: string): boolean {
    return status === 429 || status === 503 || this.#settings.isTooFast?.(status, text) === true;
  }

  #refusal(status: number, text: string): CommandError {
    const { base, tokenVariable } = this.#settings;
    if (status === 401) {
      return new CommandError(
        `${base} does not accept the access token: it has expired, or belongs to another account. Put a new one ` +
          `into ${tokenVariable} and run the same command again to continue.`,
      );
    }
    const code = status === 404 ? "not_found" : undefined;
    return new CommandError(`${base} answered with status ${status}: ${messageOf(text)}`, code);
  }
}

/** Undefined where the service says that there is no such thing: a mail may be deleted meanwhile. */
export async function unlessGone<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof CommandError && error.code === "not_found") return undefined;
    throw error;
  }
}

async function reach(url: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new CommandError(`${new URL(url).origin} cannot be reached: ${cause}.`);
  }
}

/** RFC 9110 section 10.2.3: seconds, or a date; without either, longer each time. */
function waitSeconds(header: string | null, attempt: number): number {
  const text = header?.trim() ?? "";
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  const wanted = Number.isFinite(seconds) ? seconds : 2 ** (attempt - 1);
  return Math.min(Math.max(wanted, 0), MAX_WAIT_SECONDS);
}

// Both services answer with {"error": {"message": …}}.
function messageOf(text: string): string {
  try {
    const message: unknown = JSON.parse(text)?.error?.message;
    if (typeof message === "string") return message.slice(0, MAX_REASON_CHARS);
  } catch {
    // Not JSON.
  }
  return text.slice(0, MAX_REASON_CHARS);
}

function tokenIn(variable: string): string {
  const token = process.env[variable] ?? "";
  if (/^\S+$/.test(token)) return token;
  throw new CommandError(`${variable} must contain an access token (docs/import.md says how to get one).`);
}
