/**
 * Hostile mails through a whole local stack, one after the other, each followed at once by an innocent one: how long that
 * takes to be accepted by mail and to be seen in the figures. It leaves neither processes nor the state folder behind.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createTransport } from "nodemailer";
import { type ApiClient, apiClient } from "../../cli/client.ts";
import { type RunningStack, startStack } from "../../local/stack.ts";
import { isIdle } from "../../shared/operations.ts";
import { freeStackPorts } from "../../test/support/ports.ts";
import { gzipReport, mailOf, STYLES } from "../../test/support/seeded-reports.ts";
import type { Address } from "../large-mail/chain.ts";

/** An innocent mail has so long to be taken and read. */
export const INNOCENT_SECONDS = 3;
/** Ours: the innocent mail follows an attack that is not answered by then. */
const HEAD_START_MS = 1000;
const LOOK_MS = 50;
const GIVE_UP_MS = 60_000;

const INNOCENT: Address = { rua: "dmarc@acme.example", entry: { account: "innocent", domains: ["acme.example"] } };

export interface StackLine {
  mail: string;
  /** How the attack was answered: 250, another code, or why there was no answer; "waits" when there was none in time. */
  answer: string;
  /** From the first byte of the innocent mail to its 250, and to its records in the answer to a query, seconds. */
  takenSeconds: number;
  readSeconds: number;
  /** What is wrong; "" when nothing is. */
  breach: string;
}

export interface StackResult {
  lines: StackLine[];
  /** From the last mail until nothing is left to do; infinite when that was not so within a minute. */
  idleSeconds: number;
}

export interface StackMail {
  name: string;
  bytes: Uint8Array;
}

/**
 * Runs the mails through a separate stack.
 *
 * @param onLine called for each mail when it is done
 * @throws when the stack does not start, or an address cannot be registered
 */
export async function attackStack(
  mails: StackMail[],
  victim: Address,
  onLine: (line: StackLine) => void,
): Promise<StackResult> {
  const stateDir = await mkdtemp(join(tmpdir(), "dmarc-attacks-"));
  const ports = await freeStackPorts();
  let stack: RunningStack | undefined;
  try {
    stack = await startStack({ stateDir, ...ports, samples: false });
    const client = apiClient({ url: `http://127.0.0.1:${ports.httpPort}`, token: stack.token });
    for (const { rua, entry } of [victim, INNOCENT]) await client.ask("putRegistration", { rua, entry });
    const sender = new Sender(ports.smtpPort, client);
    // The first mail of a stack also pays for its start.
    await sender.sendInnocent();
    const lines: StackLine[] = [];
    for (const mail of mails) {
      const line = await attackOnce(sender, mail, victim.rua);
      onLine(line);
      lines.push(line);
    }
    return { lines, idleSeconds: await waitUntilIdle(client) };
  } finally {
    await stack?.stop();
    await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function attackOnce(sender: Sender, { name, bytes }: StackMail, rua: string): Promise<StackLine> {
  const answered = sender.send(rua, bytes);
  const answer = await Promise.race([answered, sleep(HEAD_START_MS, "waits")]);
  const { takenSeconds, readSeconds, failure } = await sender.sendInnocent();
  const breach = failure !== "" || readSeconds <= INNOCENT_SECONDS ? failure : `read after ${readSeconds.toFixed(1)} s`;
  const last = answer === "waits" ? `waits, then ${await answered}` : answer;
  return { mail: name, answer: last, takenSeconds, readSeconds, breach };
}

class Sender {
  readonly #port: number;
  readonly #client: ApiClient;
  #innocents = 0;

  constructor(port: number, client: ApiClient) {
    this.#port = port;
    this.#client = client;
  }

  /** Sends a mail as it is. @returns the code of the answer, or why there was none */
  async send(to: string, bytes: Uint8Array): Promise<string> {
    const transport = createTransport({
      host: "127.0.0.1",
      port: this.#port,
      ignoreTLS: true,
      socketTimeout: GIVE_UP_MS,
    });
    try {
      const { response } = await transport.sendMail({
        envelope: { from: "noreply@sender.example", to },
        raw: Buffer.from(bytes),
      });
      return response.slice(0, 3);
    } catch (error) {
      const { responseCode, message } = error as { responseCode?: number; message: string };
      return String(responseCode ?? message);
    } finally {
      transport.close();
    }
  }

  /** Sends an innocent report and waits until its records are in the figures. */
  async sendInnocent(): Promise<{ takenSeconds: number; readSeconds: number; failure: string }> {
    const [style] = STYLES;
    if (style === undefined) throw new Error("no styles");
    const { bytes } = await gzipReport({ records: 3, seed: ++this.#innocents, style });
    const mail = mailOf(`${this.#innocents}.xml.gz`, bytes);
    const start = performance.now();
    const seconds = (): number => (performance.now() - start) / 1000;
    const answer = await this.send(INNOCENT.rua, mail);
    const takenSeconds = seconds();
    if (answer !== "250") return { takenSeconds, readSeconds: takenSeconds, failure: `answered ${answer}` };
    while (seconds() * 1000 < GIVE_UP_MS) {
      if ((await this.#countInnocents()) === this.#innocents)
        return { takenSeconds, readSeconds: seconds(), failure: "" };
      await sleep(LOOK_MS);
    }
    return { takenSeconds, readSeconds: seconds(), failure: "not read" };
  }

  // A stack that restarts a Worker may fail to answer once; the time runs on.
  async #countInnocents(): Promise<number> {
    const { reports } = await this.#client.ask("stats", { account: "innocent" }).catch(() => ({ reports: 0 }));
    return reports;
  }
}

async function waitUntilIdle(client: ApiClient): Promise<number> {
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  while (seconds() * 1000 < GIVE_UP_MS) {
    if (isIdle(await client.ask("status", {}))) return seconds();
    await sleep(LOOK_MS);
  }
  return Number.POSITIVE_INFINITY;
}
