/**
 * Requests to a mail service's HTTPS API with an access token: waits where the service says so, asks again where it or the
 * network fails for a while, and says in a sentence what to do about a token that is not valid.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { CommandError } from "../command-error.ts";

export interface MailApiSettings {
  /** Without a trailing slash; what is requested stays below it. */
  base: string;
  /** The environment's variable that holds the token. */
  tokenVariable: string;
  headers?: Record<string, string>;
  /** Whether a refusal means that requests come too fast, besides 429 and 503. */
  isTooFast?: (status: number, text: string) => boolean;
  /** Whether a refusal is about the one mail asked for, and will not change. */
  isOfMail?: (status: number, text: string) => boolean;
}

/** Ours: how often a request is made, and how long a service may make us wait for the next. */
const MAX_ATTEMPTS = 8;
const MAX_WAIT_SECONDS = 300;
const MAX_REASON_CHARS = 300;
/** Ours: bytes of an answer; most that either service gives are one mail. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;
/** A service fails for a while, or was not reached in time; both services' documents say to ask again later. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
const AGAIN = "Run the same command again to continue.";

/** A mail service's API, asked with the token. Every method throws a CommandError with a sentence where it refuses. */
export class MailApi {
  readonly #settings: MailApiSettings;
  readonly #token: string;
  /** Whether there has been an answer: where there is none, asking again is waiting for nothing. */
  #isThere = false;

  /** @throws CommandError when the variable holds no token */
  constructor(settings: MailApiSettings) {
    this.#settings = settings;
    this.#token = tokenIn(settings.tokenVariable);
  }

  /** @param path below the base, or a whole address of the same origin, as a service gives for the next page */
  async json(path: string, maxBytes = MAX_ANSWER_BYTES): Promise<unknown> {
    const bytes = await this.bytes(path, maxBytes);
    try {
      return JSON.parse(Buffer.from(bytes).toString("utf8"));
    } catch {
      throw new CommandError(`${this.#settings.base} answered with something that is not its JSON: is it that API?`);
    }
  }

  /** @throws CommandError "too_large" where the answer has more bytes: not all of it is read then */
  async bytes(path: string, maxBytes: number): Promise<Uint8Array> {
    return this.#ask(path, { method: "GET" }, maxBytes);
  }

  async post(path: string, body: unknown): Promise<void> {
    const headers = { "content-type": "application/json" };
    await this.#ask(path, { method: "POST", body: JSON.stringify(body), headers }, MAX_ANSWER_BYTES);
  }

  async #ask(path: string, request: Request, maxBytes: number): Promise<Uint8Array> {
    const { headers } = this.#settings;
    const url = this.#urlOf(path);
    for (let attempt = 1; ; attempt++) {
      const answer = await reach(
        url,
        { ...request, headers: { ...headers, ...request.headers, authorization: `Bearer ${this.#token}` } },
        maxBytes,
      );
      this.#isThere ||= answer.isThere;
      if ("failure" in answer) {
        if (!this.#isThere) throw new CommandError(answer.failure);
        if (attempt >= MAX_ATTEMPTS) throw new CommandError(`${answer.failure} ${AGAIN}`);
        await sleep(waitSeconds(null, attempt) * 1000);
        continue;
      }
      const { status, bytes, retryAfter } = answer;
      if (status >= 200 && status < 300) {
        if (bytes !== undefined) return bytes;
        throw tooLarge(maxBytes);
      }
      const text = Buffer.from(bytes ?? "").toString("utf8");
      if (attempt >= MAX_ATTEMPTS || !this.#isPassing(status, text)) throw this.#refusal(status, text);
      await sleep(waitSeconds(retryAfter, attempt) * 1000);
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

  #isPassing(status: number, text: string): boolean {
    return this.#settings.isOfMail?.(status, text) !== true && (PASSING.has(status) || this.#isBusy(status, text));
  }

  /** Whether it is about no mail, whatever was asked for. */
  #isBusy(status: number, text: string): boolean {
    return status === 429 || status === 503 || this.#settings.isTooFast?.(status, text) === true;
  }

  #refusal(status: number, text: string): CommandError {
    const { base, tokenVariable, isOfMail } = this.#settings;
    if (status === 401) {
      return new CommandError(
        `${base} does not accept the access token: it has expired, or belongs to another account. Put a new one ` +
          `into ${tokenVariable} and run the same command again to continue.`,
      );
    }
    if (isOfMail?.(status, text) === true) return new CommandError(messageOf(text), "of_mail");
    const again = PASSING.has(status) ? ` ${AGAIN}` : "";
    const code = status === 404 ? "not_found" : this.#isBusy(status, text) ? undefined : "refused";
    return new CommandError(`${base} answered with status ${status}: ${messageOf(text)}${again}`, code);
  }
}

interface Request {
  method: string;
  body?: string;
  headers?: Record<string, string>;
}

/** Of a mail that is not read. */
export function tooLarge(maxBytes: number): CommandError {
  return new CommandError(`it is larger than ${maxBytes} bytes`, "too_large");
}

/** What a mail service gives where a mail cannot be read now or later: a reason. */
export interface Unreadable {
  reason: string;
}

/** What a refusal says of a mail, where it is about that one only; undefined for a failure of another kind. */
export function refusalOf(error: unknown): Unreadable | undefined {
  if (!(error instanceof CommandError) || error.code !== "refused") return undefined;
  return { reason: error.message.replace(` ${AGAIN}`, "") };
}

/**
 * Undefined where the service says that there is no such thing: a mail may be deleted meanwhile. A reason where it cannot give
 * this mail, or it is too large.
 */
export async function unlessGone<T>(ask: () => Promise<T>): Promise<T | Unreadable | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (error.code === "not_found") return undefined;
    if (error.code === "too_large" || error.code === "of_mail") return { reason: error.message };
    throw error;
  }
}

/** Reads an answer by its shape. @throws CommandError where it has another one */
export function readAs<Schema extends v.GenericSchema>(schema: Schema, answer: unknown): v.InferOutput<Schema> {
  const read = v.safeParse(schema, answer);
  if (read.success) return read.output;
  const where = v.getDotPath(read.issues[0]) ?? "all of it";
  throw new CommandError(`The mail service's answer is not as its documents say (${where}). ${AGAIN}`);
}

interface Reached {
  isThere: true;
  status: number;
  /** Undefined where there are more than may be read. */
  bytes: Uint8Array | undefined;
  retryAfter: string | null;
}

/** No answer, or none to its last byte. `isThere`: it began. */
interface Failure {
  isThere: boolean;
  failure: string;
}

/** An answer to its last byte; a connection that breaks before is a failure. */
async function reach(url: string, request: RequestInit, maxBytes: number): Promise<Reached | Failure> {
  let isThere = false;
  try {
    const response = await fetch(url, request);
    isThere = true;
    const { status, headers } = response;
    return { isThere, status, bytes: await readBounded(response, maxBytes), retryAfter: headers.get("retry-after") };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return { isThere, failure: `${new URL(url).origin} can't be reached: ${cause}.` };
  }
}

async function readBounded({ body }: Response, maxBytes: number): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body ?? []) {
    length += piece.byteLength;
    if (length > maxBytes) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
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
