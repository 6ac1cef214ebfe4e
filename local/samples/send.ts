/**
 * Gives a new state folder its samples: registers their address and sends them through the SMTP server, as reporters
 * would, while the stack is already in use. It never makes up their content.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiConnection, register, runSchedule, startReprocess, waitUntilRead } from "../api.ts";
import { createTransport } from "../smtp/transport.ts";
import { PARKED_DOMAIN } from "./data.ts";
import { SAMPLE_RUA, type Sample } from "./mail.ts";
import { buildSamples } from "./samples.ts";

/** The address registered at the first start, and whose it is. */
export const DEMO = { rua: SAMPLE_RUA, account: "demo" } as const;

/** Ours: SMTP connections at once: the stack is already in use. */
const CONNECTIONS = 2;
/** Between two tries of a mail that was refused for now, and how long it is tried. */
const RETRY_MS = 500;
const PATIENCE_MS = 60_000;

/** Samples on their way through the pipeline. */
export interface SamplesUnderWay {
  isUnderWay(): boolean;
  /** Sends no more; resolves when the last one has been answered. */
  stop(): Promise<void>;
}

interface SampleOptions {
  stateDir: string;
  smtpPort: number;
  /** One line for people. */
  log: (line: string) => void;
}

/**
 * Registers the address, and has everything else done in the background. Once a state folder, however often it is
 * started: what its owner removes stays removed.
 *
 * @returns undefined when this folder has had its samples
 * @throws Error when the address cannot be registered
 */
export async function giveSamples(api: ApiConnection, options: SampleOptions): Promise<SamplesUnderWay | undefined> {
  const marker = join(options.stateDir, "samples-sent");
  if (existsSync(marker)) return undefined;
  await register(api, DEMO.rua, DEMO.account);
  const abort = new AbortController();
  let isUnderWay = true;
  const given = give({ ...api, signal: abort.signal }, { ...options, marker, signal: abort.signal })
    .catch((error: unknown) => {
      // The stack is usable without them, and the next start tries again.
      const reason = error instanceof Error ? error.message : String(error);
      if (!abort.signal.aborted) options.log(`error     the samples were not accepted: ${reason}`);
    })
    .finally(() => {
      isUnderWay = false;
    });
  const stop = (): Promise<void> => {
    abort.abort();
    return given;
  };
  return { isUnderWay: () => isUnderWay, stop };
}

interface GivingOptions extends SampleOptions {
  marker: string;
  signal: AbortSignal;
}

async function give(api: ApiConnection, { smtpPort, log, marker, signal }: GivingOptions): Promise<void> {
  const samples = await buildSamples(Date.now() / 1000);
  await sendAll(samples, { smtpPort, signal });
  writeFileSync(marker, `${new Date().toISOString()}\n`);
  log(`start     sent ${samples.length} sample mails to ${DEMO.rua}`);
  await waitUntilRead(api);
  // So that the page about jobs has one to show; reading a report again changes no total.
  await startReprocess(api, PARKED_DOMAIN);
  await waitUntilRead(api);
  // So that lists have verdicts at once, and not only after the next minute.
  await runSchedule(api, "* * * * *");
  log(`start     the samples have been read; a job reprocessed those about ${PARKED_DOMAIN}`);
}

// Each connection takes the next mail when the one before is answered, so that they arrive in about their order.
async function sendAll(
  samples: readonly Sample[],
  { smtpPort, signal }: { smtpPort: number; signal: AbortSignal },
): Promise<void> {
  const transport = createTransport({
    host: "127.0.0.1",
    port: smtpPort,
    ignoreTLS: true,
    pool: true,
    maxConnections: CONNECTIONS,
  });
  const waiting = samples.values();
  const sendNext = async (): Promise<void> => {
    for (const { from, to, raw } of waiting) {
      await sendPatiently(() => transport.sendMail({ envelope: { from, to }, raw }), signal);
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, sendNext));
  } finally {
    transport.close();
  }
}

// As any mail server does: what is refused for now is sent again.
async function sendPatiently(send: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    signal.throwIfAborted();
    try {
      await send();
      return;
    } catch (error) {
      const code = error instanceof Error && "responseCode" in error ? Number(error.responseCode) : 0;
      if (code < 400 || code >= 500 || Date.now() > deadline) throw error;
    }
    await sleep(RETRY_MS);
  }
}
