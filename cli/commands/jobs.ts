/** `dmarc reprocess` and `dmarc reconcile`: start jobs that rerun raw objects, by queue messages. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { Job } from "../../shared/contract/pipeline-shapes.ts";
import { PAGE_LIMITS } from "../../shared/limits.ts";
import type { ApiClient } from "../client.ts";
import { CommandError } from "../command-error.ts";
import { isAsking, isConfirmed } from "../confirm.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { readDomain } from "../domain-option.ts";
import { interruptible } from "../interrupt.ts";
import { readDay } from "../option-values.ts";
import { startProgress } from "../progress.ts";
import { noteLimit, printJson, printOut, renderPairs, renderTable } from "../terminal.ts";

type JobFilter = Job["filter"];

interface StatusOptions extends ConnectionOptions {
  json?: true;
  watch?: true;
}
type StartOptions = StatusOptions & JobFilter & { all?: true; dryRun?: true; yes?: true };

/** Ours: between two looks at a job, in milliseconds. */
const POLL_MS = 500;
/** Ours: an object takes seconds; if nothing has been waiting for a minute, the rest will not finish. */
const STILL_MS = 60_000;
const FILTER_FIELDS = ["key", "prefix", "domain", "since", "until"] as const;

const EXAMPLES = `
Examples:
  dmarc reprocess --since 2026-11-01 --until 2026-11-07 --dry-run
  dmarc reprocess --domain example.com --watch
  dmarc reprocess --prefix raw/2026/11/ --json
  dmarc reprocess --all --yes
  dmarc reprocess status
  dmarc reprocess cancel 20261121093000-0123abcd
  dmarc reconcile --watch

reprocess reads stored files again, from R2, and replaces their figures; the totals of the same data stay the same.
reconcile enqueues files that are still pending. Both keep running when this command ends;
cancel stops one: files it has enqueued that are not processed yet are skipped, and counted.`;

/** Adds both commands. */
export function addJobs(program: Command): void {
  const reprocess = program
    .command("reprocess")
    .description("Read stored files again, with today's code")
    .option("--prefix <prefix>", "files whose key begins with this, such as raw/2026/11/")
    .option("--key <key>", "one file")
    .option("--domain <domain>", "files with accepted reports about this policy domain", readDomain)
    .option("--all", "every stored file; asks first")
    .option("--yes", "do not ask")
    // Options after `status` belong to it.
    .enablePositionalOptions();
  addStart(reprocess).action(startReprocess);
  const status = reprocess
    .command("status")
    .description("The progress of a job; without an id, of all jobs")
    .argument("[id]", "the job")
    .option("--watch", "show the progress until the queues are empty")
    .option("--json", "one JSON document")
    .configureHelp({ showGlobalOptions: false });
  addConnectionOptions(status).addHelpText("after", EXAMPLES).action(showStatus);
  const cancel = reprocess
    .command("cancel")
    .description("Stop a job, of reprocess or reconcile")
    .argument("<id>", "the job")
    .option("--json", "one JSON document")
    .configureHelp({ showGlobalOptions: false });
  addConnectionOptions(cancel).addHelpText("after", EXAMPLES).action(cancelJob);
  const reconcile = program.command("reconcile").description("Enqueue files that are still pending");
  addStart(reconcile).action(startReconcile);
}

function addStart(command: Command): Command {
  command
    .option("--since <day>", "mail that arrived on this day or later (YYYY-MM-DD, UTC)", readDay)
    .option("--until <day>", "mail that arrived on this day or earlier", readDay)
    .option("--dry-run", "count the files, and enqueue nothing")
    .option("--watch", "show the progress until the queues are empty")
    .option("--json", "one JSON document");
  return addConnectionOptions(command).addHelpText("after", EXAMPLES);
}

async function startReprocess(options: StartOptions): Promise<void> {
  const filter = filterOf(options);
  const isEmpty = Object.keys(filter).length === 0;
  // No filter must not mean everything.
  if (isEmpty && !options.all) throw new CommandError("Say which files: --since, --prefix, --key, --domain, or --all.");
  if (!isEmpty && options.all) throw new CommandError("--all can't be combined with a filter.");
  const client = connect(options);
  if (isEmpty && !options.dryRun && !options.yes) await confirmAll(client);
  await follow(client, await client.ask("startReprocess", { filter, dryRun: options.dryRun === true }), options);
}

/** Asks the person at the terminal. @throws CommandError when there is nobody to ask, or the answer is no */
async function confirmAll(client: ApiClient): Promise<void> {
  if (!isAsking()) throw new CommandError("--all reads every file again: add --yes (or see with --dry-run how many).");
  const { reports } = await client.ask("stats", {});
  const question = `Read every stored file again (${reports.toLocaleString("en-US")} aggregate reports are counted)?`;
  if (!(await isConfirmed(question))) throw new CommandError("Nothing was started.");
}

async function cancelJob(id: string, options: StatusOptions): Promise<void> {
  const job = await connect(options).ask("cancelJob", { id });
  if (options.json) return printJson(job);
  printOut(renderJob(job));
}

async function startReconcile(options: StartOptions): Promise<void> {
  const client = connect(options);
  const request = { filter: filterOf(options), dryRun: options.dryRun === true };
  await follow(client, await client.ask("startReconcile", request), options);
}

async function showStatus(id: string | undefined, options: StatusOptions): Promise<void> {
  const client = connect(options);
  if (id !== undefined) return follow(client, await readJob(client, id), options);
  const { items: jobs } = await client.ask("listJobs", {});
  noteLimit(jobs, PAGE_LIMITS.jobs, "the newest");
  if (options.json) return printJson(jobs);
  if (jobs.length === 0) return printOut("No job has been started.");
  const rows = jobs.map((job) => [
    job.id,
    job.kind,
    job.skipped > 0 ? `${stateOf(job)}: ${job.skipped} skipped` : stateOf(job),
    job.scanned,
    job.enqueued,
    job.finished ?? "",
    renderFilter(job),
  ]);
  printOut(renderTable(["job", "kind", "state", "scanned", "enqueued", "reprocessed", "scope"], rows));
}

async function follow(client: ApiClient, started: Job, options: StatusOptions): Promise<void> {
  const goOn = `The job goes on; see it with: dmarc reprocess status ${started.id}`;
  const job = options.watch ? await interruptible(goOn, () => watch(client, started, options)) : started;
  if (options.json) return printJson(job);
  printOut(renderJob(job));
  if (job.state === "running") printOut(`\nIt keeps running; check it with: dmarc reprocess status ${job.id}`);
}

/**
 * Waits until everything the job enqueued has been processed according to the ledger, or until there is no more
 * progress.
 */
async function watch(client: ApiClient, started: Job, { json }: StatusOptions): Promise<Job> {
  const progress = startProgress(FORMAT, { silent: json === true });
  let moved = { finished: -1, atMilliseconds: performance.now() };
  try {
    for (let job = started; ; job = await readJob(client, job.id)) {
      const { scanned, dryRun, state, total, enqueued } = job;
      const all = dryRun ? 0 : enqueued;
      const { finished = all } = job;
      progress.update(finished, state === "running" ? Math.max(total, all) : all, { scanned, state });
      if (state === "cancelled" || (state === "done" && finished >= all)) return job;
      if (finished !== moved.finished) moved = { finished, atMilliseconds: performance.now() };
      if (state === "done" && performance.now() - moved.atMilliseconds > STILL_MS && (await isEmpty(client)))
        return job;
      await sleep(POLL_MS);
    }
  } finally {
    progress.stop();
  }
}

const FORMAT = "{bar} {value}/{total} files, {scanned} scanned, {state}, {duration_formatted}, {eta_formatted} left";

async function isEmpty(client: ApiClient): Promise<boolean> {
  const { queues } = await client.ask("status", {});
  return queues.every(({ messages }) => messages === 0);
}

async function readJob(client: ApiClient, id: string): Promise<Job> {
  const job = await client.find("getJob", { id });
  if (job === undefined) throw new CommandError(`There is no job '${id}'.`);
  return job;
}

function filterOf(options: JobFilter): JobFilter {
  const given = FILTER_FIELDS.map((name) => [name, options[name]] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

function renderJob(job: Job): string {
  const { id, kind, dryRun, scanned, enqueued, startedSeconds, updatedSeconds } = job;
  return renderPairs([
    ["job", id],
    ["kind", kind],
    ["scope", renderFilter(job)],
    ["state", stateOf(job)],
    ["scanned", scanned],
    [dryRun ? "would enqueue" : "enqueued", enqueued],
    ...(job.finished === undefined ? [] : [["reprocessed", job.finished] satisfies [string, unknown]]),
    ...(job.kind === "forget" ? [["removed", job.removed] satisfies [string, unknown]] : []),
    ...(job.state === "cancelled" ? [["skipped", job.skipped] satisfies [string, unknown]] : []),
    ...(job.total > 0 ? [["files, about", job.total] satisfies [string, unknown]] : []),
    ["started", new Date(startedSeconds * 1000).toISOString()],
    ["last page", new Date(updatedSeconds * 1000).toISOString()],
  ]);
}

function stateOf({ state, dryRun }: Job): string {
  return dryRun ? `${state} (dry run)` : state;
}

function renderFilter({ kind, filter }: Job): string {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined);
  if (given.length === 0) return kind === "forget" ? "an account" : "all reports";
  return given.map(([name, value]) => `${name} ${value}`).join(", ");
}
