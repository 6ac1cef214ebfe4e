/**
 * The whole pipeline on one machine: local Analytics Engine, the Workers in workerd, and the two ports, for mail and
 * for the dashboard. Used by `npm start` and by tests. Starts everything or nothing, and leaves no process behind
 * however it ends. Workers that die or hang are restarted, and what was waiting in their queues is enqueued again; so is
 * the Analytics Engine, which has what it took in its journal.
 */
import { join, resolve } from "node:path";
import { KeptAnalytics } from "./analytics/kept-analytics.ts";
import { BrokenDataError, StateInUseError } from "./analytics/start.ts";
import { type ApiConnection, allowOperator, startReconcile, waitUntilConnected } from "./api.ts";
import { type RunningCron, startCron } from "./cron.ts";
import { openFront, type RunningFront } from "./front/front.ts";
import { KeptWorkers } from "./kept-workers.ts";
import { type Log, openLog } from "./log.ts";
import { viewLine } from "./log-lines.ts";
import { type MailOut, openMailOut } from "./mail-out.ts";
import { applyMigrations } from "./migrations.ts";
import type { LocalOptions } from "./options.ts";
import { portProblem } from "./ports.ts";
import { giveSamples, type SamplesUnderWay } from "./samples/send.ts";
import { ensureLocalSecret, type LocalSecret, makeSecret, readLocalSecret } from "./secret.ts";
import { openSmtpServer, type RunningSmtpServer } from "./smtp/server.ts";
import { explainFault, keptDatabases, prepareStateFolder, roomProblem, StartError } from "./state-folder.ts";
import { DEVELOPER, type OutsideServers } from "./workers.ts";

export { StartError } from "./state-folder.ts";

export interface StackOptions extends Omit<LocalOptions, "watch"> {
  /** Absent = false. */
  watch?: boolean;
  /** One line for people; absent = silent. Everything is in `<stateDir>/logs` too. */
  log?: (line: string) => void;
  /** Aborts a start in progress. */
  signal?: AbortSignal;
  /** How long the Workers may take for a mail; absent = the SMTP server's default. */
  mailTimeoutMilliseconds?: number;
  /**
   * Tests only: receives the engine's address and returns the one the Workers write points to instead, to inject
   * faults.
   */
  interceptPoints?: (engineUrl: string) => string;
  /** Tests only: another main module of process, absolute, such as its own behind a clock that can be moved. */
  processMain?: string;
  /** Tests only: true: no schedule runs by itself, as a test does that moves the clock and runs them. */
  withoutCron?: boolean;
}

export interface RunningStack {
  ports: { http: number; smtp: number; sql: number };
  /** Bearer token of the dashboard's API and of the SQL API. */
  token: string;
  /** Opens the dashboard in a browser: an address with the key, which the browser keeps as a cookie. */
  link: string;
  logFile: string;
  /** Resolves with a sentence when a part has died permanently; the rest is still running then. */
  failed: Promise<string>;
  /** Stops everything in order; resolves when no process is left. Calling it again waits for the same stop. */
  stop(): Promise<void>;
  /** Stops everything at once, like a power cut. */
  kill(): void;
}

interface Parts {
  analytics?: KeptAnalytics;
  workers?: KeptWorkers;
  smtp?: RunningSmtpServer;
  front?: RunningFront;
  samples?: SamplesUnderWay | undefined;
  mailOut?: MailOut;
  cron?: RunningCron;
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
  prepareStateFolder(stateDir);
  const { secret, isNew } = readSecrets(stateDir);
  const databases = keptDatabases(stateDir, options.databases);
  const log = openLog(stateDir, options.log);
  const parts: Parts = {};
  await startOrClean({ ...options, stateDir, databases }, { parts, secret, log, isNew });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= stopParts(parts).then(() => log.close());
    return stopping;
  };
  const ports = { http: options.httpPort, smtp: parts.smtp?.port ?? 0, sql: parts.analytics?.port ?? 0 };
  const link = `http://127.0.0.1:${ports.http}/?key=${secret.browserKey}`;
  const failed = firstDeath(parts, () => stopping !== undefined);
  return { ports, token: secret.apiToken, link, logFile: log.path, failed, stop, kill: () => killParts(parts) };
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

function readSecrets(stateDir: string): { secret: LocalSecret; isNew: boolean } {
  try {
    const isNew = readLocalSecret(stateDir) === undefined;
    return { secret: ensureLocalSecret(stateDir), isNew };
  } catch (error) {
    if (error instanceof Error && "code" in error) throw new StartError(explainFault(stateDir, error));
    throw error;
  }
}

interface StartContext {
  parts: Parts;
  secret: LocalSecret;
  log: Log;
  /** Whether the state folder is new. */
  isNew: boolean;
}

// A part that was still starting when the start was aborted may appear later, so everything is stopped a second time.
async function startOrClean(options: StackOptions, context: StartContext): Promise<void> {
  const aborted = abortOf(options.signal);
  const started = startParts(options, context);
  try {
    await Promise.race([started, aborted.promise]);
  } catch (error) {
    await stopParts(context.parts);
    await started.catch(() => undefined);
    await stopParts(context.parts);
    context.log.close();
    const isSaid = error instanceof StateInUseError || error instanceof BrokenDataError;
    throw isSaid ? new StartError(error.message) : error;
  } finally {
    aborted.forget();
  }
}

/** Starts everything in order: storage, the Workers, the ports, and the set-up of the Workers. */
async function startParts(options: StackOptions, context: StartContext): Promise<void> {
  const { stateDir, signal } = options;
  const { parts, log, secret, isNew } = context;
  const api = apiOf(options, secret);
  // Both take time to load, each on its own core.
  const outside = startOutside(options, context);
  parts.workers = startKeptWorkers(options, context, outside);
  await outside;
  await parts.workers.ready;
  signal?.throwIfAborted();
  if (parts.workers.address !== undefined) await applyMigrations(parts.workers.address);
  await openPorts(options, context, parts.workers);
  await allowOperator(api, DEVELOPER);
  // Only an earlier run can have left something; in a new folder the first mails would merely be read twice.
  if (isNew) await waitUntilConnected(api);
  else await startReconcile(api);
  if (options.withoutCron !== true) parts.cron = startCron(api, log.write);
  if (!options.samples || parts.smtp === undefined) return;
  parts.samples = await giveSamples(api, { stateDir, smtpPort: parts.smtp.port, log: log.show });
}

/** Starts what the Workers need outside of them. */
async function startOutside(options: StackOptions, { parts, log, secret }: StartContext): Promise<OutsideServers> {
  const { stateDir, signal, mailRelayUrl = "" } = options;
  parts.analytics = await KeptAnalytics.start({
    stateDir,
    token: secret.apiToken,
    port: options.sqlPort,
    log: (line) => log.write(`analytics: ${line}`),
    say: log.show,
  });
  signal?.throwIfAborted();
  const mailToken = makeSecret();
  parts.mailOut = await openMailOut({ folder: join(stateDir, "outbox"), relayUrl: mailRelayUrl, token: mailToken });
  const analyticsUrl = parts.analytics.url;
  const pointsUrl = options.interceptPoints?.(analyticsUrl) ?? analyticsUrl;
  return { analyticsUrl, pointsUrl, mailUrl: parts.mailOut.url, mailToken };
}

function apiOf({ httpPort, signal }: StackOptions, { apiToken: token }: LocalSecret): ApiConnection {
  return { url: `http://127.0.0.1:${httpPort}`, token, ...(signal === undefined ? {} : { signal }) };
}

function startKeptWorkers(options: StackOptions, context: StartContext, outside: Promise<OutsideServers>): KeptWorkers {
  const { log, secret, parts } = context;
  const reconcile = async (): Promise<void> => {
    // Not before the initial start has got this far.
    if (parts.smtp === undefined) return;
    await startReconcile({ ...apiOf(options, secret) });
  };
  return new KeptWorkers({
    settings: {
      stateDir: options.stateDir,
      databases: options.databases ?? 1,
      token: secret.apiToken,
      dnsUrl: options.dnsUrl ?? "",
      dashboardUrl: `http://127.0.0.1:${options.httpPort}`,
      webhookOrigin: options.webhookOrigin ?? "",
      watch: options.watch ?? false,
      processMain: options.processMain ?? "",
      outside,
    },
    onLine: lineHandler(context),
    say: log.show,
    reconcile,
  });
}

async function openPorts(
  options: StackOptions,
  { parts, log, secret }: StartContext,
  workers: KeptWorkers,
): Promise<void> {
  const { stateDir, mailTimeoutMilliseconds } = options;
  const findWorkers = () => workers.address;
  parts.front = await openFront({ port: options.httpPort, secret, findWorkers });
  parts.smtp = await openSmtpServer({
    port: options.smtpPort,
    findWorkers,
    findRoomProblem: () => log.showOnce(roomProblem(stateDir)),
    // The Worker logs its refusals itself.
    onRefused: ({ to, code, message }) => code !== 550 && log.show(`mail      ${code}  ${to}  ${message}`),
    onNoAnswer: (address) => workers.checkHealth(address),
    ...(mailTimeoutMilliseconds === undefined ? {} : { timeoutMilliseconds: mailTimeoutMilliseconds }),
  });
}

function lineHandler({ parts, log }: StartContext): (line: string) => void {
  let lastError = "";
  return (line) => {
    log.write(`workers: ${line}`);
    const view = viewLine(line);
    // Hundreds of sample mails would push everything else off the screen.
    const isSample = view.kind === "event" && view.isRoutine && parts.samples?.isUnderWay() === true;
    if (view.kind === "event" && !isSample) log.show(view.text);
    if (view.kind !== "error") return;
    // A fault under load repeats itself hundreds of times.
    if (view.text !== lastError) log.show(`error     ${view.text}  (more in ${log.path})`);
    lastError = view.text;
  };
}

// Mail first, so that nothing new comes in; the engine last, because process still writes to it.
async function stopParts(parts: Parts): Promise<void> {
  const { samples, cron, smtp, front, workers, analytics, mailOut } = parts;
  delete parts.smtp;
  delete parts.front;
  // Ctrl-C reaches it as well: it may end before its turn.
  analytics?.expectEnd();
  await Promise.all([samples?.stop(), cron?.stop()]);
  await Promise.all([smtp?.stop(), front?.stop()]);
  await workers?.stop();
  await mailOut?.stop();
  await analytics?.stop();
}

function killParts({ samples, workers, analytics, mailOut, cron }: Parts): void {
  void samples?.stop();
  void mailOut?.stop();
  void cron?.stop();
  workers?.kill();
  analytics?.kill();
}

async function firstDeath({ workers, analytics }: Parts, isStopping: () => boolean): Promise<string> {
  const deaths = [analytics?.failed, workers?.failed].filter((end) => end !== undefined);
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
