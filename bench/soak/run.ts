/**
 * One soak run: the local stack on a state folder of its own, mails through its SMTP server, faults on the way, a kill in
 * the middle, and the balance at the end. It leaves neither processes nor the folder behind.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiClient, apiClient, changeDeadLetters } from "../../cli/client.ts";
import { type RunningStack, startStack } from "../../local/stack.ts";
import type { Job } from "../../shared/contract/pipeline-shapes.ts";
import { isIdle } from "../../shared/operations.ts";
import { freeStackPorts, type StackPorts } from "../../test/support/ports.ts";
import { Alerts } from "./alerts.ts";
import { addSent, type BalanceRow, differences, emptySent, readBalance, type Sent, waitingIn } from "./balance.ts";
import { type FaultyAnalytics, startFaultyAnalytics } from "./faulty-analytics.ts";
import { ADDRESSES, type SoakMail, soakMails } from "./mails.ts";
import { type SendCounts, sendMails } from "./sender.ts";

export interface SoakPlan {
  mails: number;
  seed: number;
  /** Share of writes to Analytics Engine, and of answers to mails, that fail. */
  faultRate: number;
  /** Domains that are watched and get a new sender on the way; 0 = no alerts. */
  alerts: number;
  /** Whether the stack is killed when half of the mails are sent. */
  kill: boolean;
  /** Whether the state folder stays, for a look at it. */
  keep: boolean;
  /** One line of progress. */
  say: (line: string) => void;
  /** Gives the run up. */
  signal: AbortSignal;
}

export interface SoakResult {
  rows: BalanceRow[];
  sent: SendCounts;
  faults: number;
  kills: number;
  /** Dead letters of exhausted retries that were sent again. */
  requeued: number;
  /** Notices that came again under the id they had. */
  repeatedNotices: number;
  sendSeconds: number;
  totalSeconds: number;
  /** State folder, where it was kept. */
  stateDir?: string;
}

/** Ours: nothing has changed for this long, so nothing will. */
const STILL_MS = 60_000;
const LOOK_MS = 1000;

/** Runs it. @throws when the stack does not start or dies unasked */
export async function runSoak(plan: SoakPlan): Promise<SoakResult> {
  const stateDir = mkdtempSync(join(tmpdir(), "dmarc-soak-"));
  const analytics = await startFaultyAnalytics({ rate: plan.faultRate, seed: plan.seed });
  const { alerts: count, faultRate, seed } = plan;
  const alerts = count === 0 ? undefined : await Alerts.start({ count, faultRate, seed });
  const run = new SoakRun(plan, { stateDir, analytics, alerts, ports: await freeStackPorts() });
  try {
    const result = await run.run();
    return plan.keep ? { ...result, stateDir } : result;
  } finally {
    await run.stop();
    await analytics.stop();
    await alerts?.stop();
    if (!plan.keep) rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Surroundings {
  stateDir: string;
  analytics: FaultyAnalytics;
  alerts: Alerts | undefined;
  ports: StackPorts;
}

class SoakRun {
  readonly #plan: SoakPlan;
  readonly #surroundings: Surroundings;
  readonly #sent: Sent = emptySent();
  #stack: RunningStack | undefined;
  #kills = 0;
  #killing: Promise<void> | undefined;
  readonly #dead = new AbortController();

  constructor(plan: SoakPlan, surroundings: Surroundings) {
    this.#plan = plan;
    this.#surroundings = surroundings;
    plan.signal.addEventListener("abort", () => this.#dead.abort(new Error("The run was stopped.")));
  }

  async run(): Promise<SoakResult> {
    const { plan, started } = { plan: this.#plan, started: performance.now() };
    const client = await this.#start();
    for (const { rua, account } of ADDRESSES) await client.ask("putRegistration", { rua, entry: { account } });
    const before = await this.#watchDomains(client);
    const sendStarted = performance.now();
    const sent = addCounts(before, await this.#send(client));
    await this.#killing;
    const sendSeconds = secondsSince(sendStarted);
    plan.say(`all mails sent in ${Math.round(sendSeconds)} s`);
    await this.#waitUntilStill(client);
    const requeued = await this.#requeueExhausted(client);
    const { alerts } = this.#surroundings;
    await alerts?.finish(() => this.#stepOfAlerts(client, alerts));
    const told = (await alerts?.balance(client)) ?? [];
    const rows = [...(await this.#balance(client, sent)), ...told];
    const faults = this.#surroundings.analytics.faults();
    const counts = { faults, kills: this.#kills, requeued, repeatedNotices: alerts?.repeats ?? 0 };
    return { rows, sent, ...counts, sendSeconds, totalSeconds: secondsSince(started) };
  }

  /** What the watched domains sent before, so that a sender can be new. */
  async #watchDomains(client: ApiClient): Promise<SendCounts> {
    const { alerts } = this.#surroundings;
    if (alerts === undefined) return { delivered: 0, rejected: 0, retried: 0, repeated: 0 };
    await alerts.addChannels(client);
    const sent = await this.#sendAll(alerts.histories(), () => undefined);
    await this.#waitUntilStill(client);
    await this.#stepOfAlerts(client, alerts);
    return sent;
  }

  async #stepOfAlerts(client: ApiClient, alerts: Alerts): Promise<boolean> {
    const isDone = await patiently(() => alerts.step(client));
    if (!isDone) await this.#waitUntilStill(client);
    return isDone;
  }

  async stop(): Promise<void> {
    await this.#killing?.catch(() => undefined);
    await this.#stack?.stop();
  }

  async #start(): Promise<ApiClient> {
    const { stateDir, analytics, alerts, ports } = this.#surroundings;
    const interceptPoints = (engineUrl: string): string => {
      analytics.aimAt(engineUrl);
      return analytics.url;
    };
    const stack = await startStack({ stateDir, ...ports, samples: false, interceptPoints, ...alerts?.options });
    this.#stack = stack;
    stack.failed.then((reason) => {
      if (this.#stack === stack) this.#dead.abort(new Error(`${reason} The log is ${stack.logFile}`));
    });
    return apiClient({ url: `http://127.0.0.1:${ports.httpPort}`, token: stack.token });
  }

  #send(client: ApiClient): Promise<SendCounts> {
    const { mails, kill, say } = this.#plan;
    const { alerts } = this.#surroundings;
    const started = performance.now();
    return this.#sendAll(this.#withNewSenders(), ({ delivered, rejected }) => {
      const done = delivered + rejected;
      if (kill && this.#killing === undefined && done >= mails / 2) this.#killing = this.#killAndRestart();
      // Whatever becomes of it: the stack may be killed meanwhile.
      if (done % 50 === 0) alerts?.step(client).catch(() => undefined);
      if (done % 250 === 0)
        say(`${done} of ${mails} mails sent, ${(done / secondsSince(started)).toFixed(1)} a second`);
    });
  }

  #sendAll(mails: Iterable<SoakMail>, onDone: (counts: SendCounts) => void): Promise<SendCounts> {
    const { seed, faultRate } = this.#plan;
    return sendMails({
      port: this.#surroundings.ports.smtpPort,
      faultRate,
      seed,
      signal: this.#dead.signal,
      mails: this.#account(mails),
      onDone: (_mail, _outcome, counts) => onDone(counts),
    });
  }

  /** The mails of the run, and evenly among them those that show new senders. */
  *#withNewSenders(): Generator<SoakMail> {
    const { mails, seed, alerts: count } = this.#plan;
    let done = 0;
    let shown = 0;
    for (const mail of soakMails({ count: mails, seed })) {
      yield mail;
      done += 1;
      for (; shown < (done * count) / mails; shown++) {
        const told = this.#surroundings.alerts?.newSender(shown);
        if (told !== undefined) yield told;
      }
    }
  }

  *#account(mails: Iterable<SoakMail>): Generator<SoakMail> {
    for (const mail of mails) {
      addSent(this.#sent, mail);
      yield mail;
    }
  }

  // SIGKILL to every process of the stack, whatever is in its queues and on its way; then the same state again.
  async #killAndRestart(): Promise<void> {
    const stack = this.#stack;
    if (stack === undefined) return;
    this.#plan.say("killing the stack");
    this.#stack = undefined;
    stack.kill();
    await stack.stop();
    this.#kills++;
    await this.#start();
    this.#plan.say("the stack is back");
  }

  // Everything is done, or nothing has changed for so long that nothing will.
  async #waitUntilStill(client: ApiClient): Promise<void> {
    let seen = "";
    let since = performance.now();
    let quiet = 0;
    for (;;) {
      this.#dead.signal.throwIfAborted();
      const status = await patiently(() => client.ask("status", {}));
      const now = JSON.stringify([status.queues.map(({ messages }) => messages), status.unfinished, status.outcomes]);
      if (now !== seen) since = performance.now();
      seen = now;
      quiet = isIdle(status) ? quiet + 1 : 0;
      if (performance.now() - since > STILL_MS) return;
      // One look is not enough (isIdle), and status counts some objects only.
      if (quiet >= 3 && (await this.#countUnfinished(client)) === 0) return;
      this.#plan.say(`${status.unfinished} unfinished, ${waitingIn(status)} messages waiting`);
      await sleep(LOOK_MS);
    }
  }

  async #countUnfinished(client: ApiClient): Promise<number> {
    return (await patiently(() => finishedJob(client, "startReconcile"))).enqueued;
  }

  // Faults that went on for all retries are what an operator sends again; the balance has to be right after that.
  async #requeueExhausted(client: ApiClient): Promise<number> {
    let requeued = 0;
    for (let round = 0; round < 3; round++) {
      const ids: string[] = [];
      for await (const { id } of client.each("listDeadLetters", { code: "retries_exhausted" })) ids.push(id);
      if (ids.length === 0) break;
      for await (const { result } of changeDeadLetters(client, "requeueDeadLetters", { ids }))
        if (result === "requeued") requeued++;
      await this.#waitUntilStill(client);
    }
    return requeued;
  }

  // What is seen may lag behind what was acknowledged, so a difference is looked at until it stays.
  async #balance(client: ApiClient, taken: SendCounts): Promise<BalanceRow[]> {
    const rawObjects = await patiently(async () => (await finishedJob(client, "startReprocess")).enqueued);
    const read = async (): Promise<BalanceRow[]> => {
      const unfinished = await this.#countUnfinished(client);
      return readBalance(client, { sent: this.#sent, taken, rawObjects, unfinished });
    };
    let rows = await patiently(read);
    for (const end = performance.now() + STILL_MS; differences(rows).length > 0 && performance.now() < end; ) {
      await sleep(LOOK_MS);
      rows = await patiently(read);
    }
    return rows;
  }
}

function addCounts(a: SendCounts, b: SendCounts): SendCounts {
  return {
    delivered: a.delivered + b.delivered,
    rejected: a.rejected + b.rejected,
    retried: a.retried + b.retried,
    repeated: a.repeated + b.repeated,
  };
}

// A dry run counts all of them.
async function finishedJob(client: ApiClient, start: "startReprocess" | "startReconcile"): Promise<Job> {
  const started = await client.ask(start, { dryRun: true });
  for (let job = started; ; job = (await client.find("getJob", { id: started.id })) ?? job) {
    if (job.state === "done") return job;
    await sleep(LOOK_MS);
  }
}

// A stack under load, or one that reloads, may fail to answer once; only one that stays silent is broken.
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + STILL_MS; ; await sleep(LOOK_MS)) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
