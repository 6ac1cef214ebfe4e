/**
 * The whole pipeline on one machine: local Analytics Engine, the Workers in workerd, the SMTP front door. Used by
 * `npm start` and by tests. It starts everything or nothing, and leaves no process behind however it ends.
 */
import { createWriteStream, mkdirSync, readdirSync, rmSync, type WriteStream } from "node:fs";
import { join, resolve } from "node:path";
import { type RunningAnalytics, StateInUseError, startAnalytics } from "./analytics/start.ts";
import { type ApiConnection, allowOperator, startReconcile, waitUntilConnected } from "./api.ts";
import { viewLine } from "./log-lines.ts";
import type { LocalOptions } from "./options.ts";
import { portProblem } from "./ports.ts";
import { ensureLocalSecret, readLocalSecret } from "./secret.ts";
import { giveSamples, type SamplesUnderWay } from "./send-samples.ts";
import { openDoor, type RunningDoor } from "./smtp/door.ts";
import { DEVELOPER, type RunningWorkers, startWorkers } from "./workers.ts";

export interface StackOptions extends LocalOptions {
  /** One line for people; absent = silent. Everything is in `<stateDir>/logs` too. */
  log?: (line: string) => void;
  /** Gives up a start that is under way. */
  signal?: AbortSignal;
  /** Tests only: told where the engine is, says where the Workers are to write points instead; for faults on the way. */
  interceptPoints?: (engineUrl: string) => string;
}

export interface RunningStack {
  ports: { http: number; smtp: number; sql: number };
  /** Bearer token of the dashboard's API and of the SQL API. */
  token: string;
  logFile: string;
  /** Resolves with a sentence when a part has died unasked; the rest is still running then. */
  failed: Promise<string>;
  /** Ends everything in order; resolves when no process is left. Calling it again waits for the same end. */
  stop(): Promise<void>;
  /** Ends everything at once, as a power cut would. */
  kill(): void;
}

/** A start that cannot succeed for a reason outside the program, said in one sentence. */
export class StartError extends Error {
  override name = "StartError";
}

/** Ours: logs of earlier starts that are kept. */
const KEPT_LOGS = 10;

interface Parts {
  analytics?: RunningAnalytics;
  workers?: RunningWorkers;
  door?: RunningDoor;
  samples?: SamplesUnderWay | undefined;
}

/**
 * Starts the stack and resolves when mail and queries are answered.
 *
 * @throws StartError when a port is taken or the state folder cannot be used; Error when a part does not start; the
 * signal's reason when it was aborted. Nothing is running then.
 */
export async function startStack(options: StackOptions): Promise<RunningStack> {
  const stateDir = resolve(options.stateDir);
  await checkPorts(options);
  const isNew = readLocalSecret(stateDir) === undefined;
  const { apiToken: token } = ensureLocalSecret(stateDir);
  const log = openLog(stateDir, options.log);
  const parts: Parts = {};
  await startOrClean({ ...options, stateDir }, { parts, token, log, isNew });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= stopParts(parts).then(() => void log.file.end());
    return stopping;
  };
  const ports = { http: options.httpPort, smtp: parts.door?.port ?? 0, sql: parts.analytics?.port ?? 0 };
  const failed = firstDeath(parts, () => stopping !== undefined);
  return { ports, token, logFile: log.path, failed, stop, kill: () => killParts(parts) };
}

async function checkPorts({ httpPort, smtpPort, sqlPort }: StackOptions): Promise<void> {
  const wanted = [
    { port: httpPort, use: "the dashboard", flag: "--http" },
    { port: smtpPort, use: "mail", flag: "--smtp" },
    { port: sqlPort, use: "the SQL API", flag: "--sql" },
  ];
  for (const { port, use, flag } of wanted) {
    const problem = await portProblem(port);
    if (problem !== undefined) {
      throw new StartError(`Port ${port} for ${use} ${problem}; choose another one with ${flag}.`);
    }
  }
}

interface Log {
  path: string;
  file: WriteStream;
  show: (line: string) => void;
}

function openLog(stateDir: string, show: ((line: string) => void) | undefined): Log {
  const folder = join(stateDir, "logs");
  mkdirSync(folder, { recursive: true });
  const old = readdirSync(folder).filter((name) => name.endsWith(".log"));
  for (const name of old.sort().slice(0, -KEPT_LOGS)) rmSync(join(folder, name), { force: true });
  const path = join(folder, `${new Date().toISOString().replaceAll(":", "").slice(0, 17)}.log`);
  const file = createWriteStream(path, { flags: "a" });
  // A full disk must not end the stack, and a child's last words may come after the end.
  file.on("error", () => undefined);
  return { path, file, show: show ?? (() => undefined) };
}

interface StartContext {
  parts: Parts;
  token: string;
  log: Log;
  /** The state folder has never been started with. */
  isNew: boolean;
}

// What is being started when it is given up appears only later, so everything is ended a second time.
async function startOrClean(options: StackOptions, context: StartContext): Promise<void> {
  const aborted = abortOf(options.signal);
  const started = startParts(options, context);
  try {
    await Promise.race([started, aborted.promise]);
  } catch (error) {
    await stopParts(context.parts);
    await started.catch(() => undefined);
    await stopParts(context.parts);
    context.log.file.end();
    throw error instanceof StateInUseError ? new StartError(error.message) : error;
  } finally {
    aborted.forget();
  }
}

async function startParts(options: StackOptions, { parts, token, log, isNew }: StartContext): Promise<void> {
  const { stateDir, signal } = options;
  parts.analytics = await startAnalytics({
    ...{ stateDir, token, port: options.sqlPort },
    log: (line) => void log.file.write(`analytics: ${line}\n`),
  });
  signal?.throwIfAborted();
  const analyticsUrl = parts.analytics.url;
  const api = { url: `http://127.0.0.1:${options.httpPort}`, token, ...(signal === undefined ? {} : { signal }) };
  const onLine = lineHandler({ parts, log }, () => void reconcileAfterReload(api, { parts, log }));
  const pointsUrl = options.interceptPoints?.(analyticsUrl) ?? analyticsUrl;
  parts.workers = startWorkers({ stateDir, token, analyticsUrl, pointsUrl, httpPort: options.httpPort, onLine });
  const [ingestPort] = await Promise.all([parts.workers.pipeline.ready, parts.workers.dashboard.ready]);
  signal?.throwIfAborted();
  parts.door = await openDoor({
    port: options.smtpPort,
    ingestUrl: `http://127.0.0.1:${ingestPort}`,
    // A refusal by the Worker is in its own log line.
    onRefused: ({ to, code, message }) => code !== 550 && log.show(`mail      ${code}  ${to}  ${message}`),
  });
  await allowOperator(api, DEVELOPER);
  // Only an earlier run can have left something; a new folder's first mails would only be read twice.
  if (isNew) await waitUntilConnected(api);
  else await startReconcile(api);
  if (!options.samples) return;
  parts.samples = await giveSamples(api, { stateDir, smtpPort: parts.door.port, log: log.show });
}

// wrangler reloads when a source file changes, and its queues are memory only: what was waiting is enqueued again.
async function reconcileAfterReload(api: ApiConnection, { parts, log }: { parts: Parts; log: Log }): Promise<void> {
  if (parts.door === undefined) return;
  log.show("start     a source file has changed: the Workers were reloaded, and what was waiting is enqueued again");
  try {
    await startReconcile(api);
  } catch (error) {
    log.show(`error     ${error instanceof Error ? error.message : String(error)}`);
  }
}

type LineHandler = (process: "pipeline" | "dashboard", line: string) => void;

function lineHandler({ parts, log }: { parts: Parts; log: Log }, onReload: () => void): LineHandler {
  let lastError = "";
  return (process, line) => {
    log.file.write(`${process}: ${line}\n`);
    if (process === "pipeline" && line.includes("Local server updated and ready")) onReload();
    const view = viewLine(line, process);
    // Hundreds of samples would push everything else off the screen.
    const isSample = view.kind === "event" && view.isRoutine && parts.samples?.isUnderWay() === true;
    if (view.kind === "event" && process === "pipeline" && !isSample) log.show(view.text);
    if (view.kind !== "error") return;
    // A fault under load repeats itself hundreds of times.
    if (view.text !== lastError) log.show(`error     ${view.text}  (more in ${log.path})`);
    lastError = view.text;
  };
}

// Mail first, so that nothing new comes in; the engine last, because process still writes to it.
async function stopParts(parts: Parts): Promise<void> {
  const { samples, door, workers, analytics } = parts;
  delete parts.door;
  await samples?.stop();
  await door?.stop();
  await Promise.all([workers?.dashboard.stop(), workers?.pipeline.stop()]);
  await analytics?.stop();
}

function killParts({ samples, workers, analytics }: Parts): void {
  void samples?.stop();
  workers?.dashboard.kill();
  workers?.pipeline.kill();
  analytics?.kill();
}

async function firstDeath({ workers, analytics }: Parts, isStopping: () => boolean): Promise<string> {
  const deaths: Promise<string>[] = [];
  const watch = (name: string, exited: Promise<string> | undefined): void => {
    if (exited !== undefined) deaths.push(exited.then((reason) => `${name} has ended unexpectedly (${reason}).`));
  };
  watch("The local Analytics Engine", analytics?.exited);
  watch("The pipeline's wrangler", workers?.pipeline.exited);
  watch("The dashboard's wrangler", workers?.dashboard.exited);
  const death = await Promise.race(deaths);
  return isStopping() ? new Promise<never>(() => undefined) : death;
}

function abortOf(signal: AbortSignal | undefined): { promise: Promise<never>; forget: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  promise.catch(() => undefined);
  return { promise, forget: () => signal?.removeEventListener("abort", onAbort) };
}
