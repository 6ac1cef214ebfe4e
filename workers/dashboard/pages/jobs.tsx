/** Reprocessing and reconciling: starting and cancelling a job, and how far each one is. For operators. */

import type { Job } from "../../../shared/contract/pipeline-shapes.ts";
import { PAGE_LIMITS } from "../../../shared/limits.ts";
import { countText } from "../../../shared/watch/words.ts";
import { isoMinute } from "../data/days.ts";
import { explain } from "../data/glossary.ts";
import { formatCount, formatDuration } from "../data/numbers.ts";
import { ApiError, unless } from "../errors.ts";
import { Field } from "../parts/field.tsx";
import { limitNote, ProblemNote } from "../parts/marks.tsx";
import { OperationsHead } from "../parts/operations-frame.tsx";
import type { PageResult } from "../parts/page.ts";
import { type PageRequest, requireOperator } from "../parts/page-request.ts";
import { bindTable } from "../parts/table-view.tsx";

const PATH = "/operations/jobs";
const REFRESH_SECONDS = 4;
const FIELDS = ["domain", "since", "until"] as const;
const LABELS = { domain: "Domain", since: "Received from", until: "to" };

/** What was typed into the form, and why it was not done. */
interface Typed {
  form: URLSearchParams;
  /** Why it was refused; absent when it has to be confirmed. */
  problem?: string;
}

export async function jobsPage(request: PageRequest, typed?: Typed): Promise<PageResult> {
  requireOperator(request);
  const { items: jobs } = await request.read("listJobs", {});
  const nowSeconds = Math.floor(Date.now() / 1000);
  const isRunning = jobs.some((job) => job.state === "running" || isInWork(job));
  const table = bindTable<Job>({
    id: "jobs",
    caption: "Jobs",
    rows: jobs,
    sort: "-started",
    empty: "No jobs yet.",
    partial: limitNote(jobs, PAGE_LIMITS.jobs, "these are the newest"),
    columns: [
      { key: "started", label: "Started", value: ({ startedSeconds }) => isoMinute(startedSeconds) },
      {
        key: "state",
        label: "State",
        value: ({ state }) => state,
        cell: (job) => <State job={job} />,
      },
      {
        key: "finished",
        label: "Progress",
        value: ({ finished }) => finished ?? "",
        cell: (job) => <Progress job={job} nowSeconds={nowSeconds} />,
      },
      { key: "kind", label: "Job", value: ({ kind, dryRun }) => (dryRun ? `${kind}, dry run` : kind) },
      { key: "filter", label: "Scope", value: filterText },
      { key: "total", label: "Files, about", align: "end", value: ({ total }) => total || "" },
      { key: "scanned", label: "Scanned", align: "end", value: ({ scanned }) => scanned },
      { key: "enqueued", label: "Enqueued", align: "end", value: ({ enqueued }) => enqueued },
      { key: "skipped", label: "Skipped", value: ({ skipped }) => skipped, exportOnly: true },
      { key: "updated", label: "Last step", value: ({ updatedSeconds }) => isoMinute(updatedSeconds) },
      { key: "id", label: "Id", value: ({ id }) => id, exportOnly: true },
    ],
  });
  return {
    tables: [table],
    content: {
      title: "Reprocessing",
      section: "operations",
      ...(isRunning && typed === undefined ? { refreshSeconds: REFRESH_SECONDS } : {}),
      body: (
        <>
          <OperationsHead request={request} tab="jobs" title="Reprocessing" lead={explain("Reprocessing")} />
          {typed?.problem !== undefined && <ProblemNote problem={typed.problem} />}
          {typed !== undefined && typed.problem === undefined && <ConfirmAll form={typed.form} />}
          <StartForm form={typed?.form ?? new URLSearchParams()} />
          {table.view(request.url)}
        </>
      ),
    },
  };
}

/**
 * Starts or cancels a job. Reprocessing everything has to be confirmed first.
 *
 * @returns the page to go to; or the page with what was typed, when it was refused or has to be confirmed
 */
export async function changeJobs(request: PageRequest, form: URLSearchParams): Promise<string | PageResult> {
  requireOperator(request);
  const cancelled = form.get("cancel");
  if (cancelled !== null) {
    await request.operate("cancelJob", { id: cancelled });
    return `${PATH}?done=cancelled`;
  }
  const kind = form.get("kind");
  if (kind !== "reprocess" && kind !== "reconcile")
    throw new ApiError("bad_request", "kind must be reprocess or reconcile.");
  const filter = filterOf(form);
  const dryRun = form.get("dryRun") === "yes";
  const isEverything = kind === "reprocess" && Object.keys(filter).length === 0;
  if (isEverything && !dryRun && form.get("confirmed") !== "yes") return jobsPage(request, { form });
  const operation = kind === "reprocess" ? "startReprocess" : "startReconcile";
  const started = await unless(["bad_request"], request.operate(operation, { dryRun, filter }));
  return started.ok ? `${PATH}?done=started` : jobsPage(request, { form, problem: started.error });
}

function filterOf(form: URLSearchParams): Job["filter"] {
  return Object.fromEntries(
    FIELDS.map((name) => [name, form.get(name)?.trim() ?? ""] as const).filter(([, value]) => value !== ""),
  );
}

function isInWork({ finished, enqueued, state }: Job): boolean {
  return finished !== undefined && finished < enqueued && state !== "cancelled";
}

function State({ job }: { job: Job }) {
  if (job.state === "cancelled") return <span class="result">⊘ cancelled</span>;
  if (job.state === "done" && !isInWork(job)) return <span class="result pass">✓ done</span>;
  return (
    <span class="stack">
      <span class="result warn">… running</span>
      {job.kind !== "forget" && (job.state === "running" || job.kind === "reprocess") && (
        <form method="post" action={PATH}>
          <button type="submit" name="cancel" value={job.id}>
            Cancel
          </button>
        </form>
      )}
    </span>
  );
}

/** A bar of the reprocessed files, and about how long the rest takes. */
function Progress({ job, nowSeconds }: { job: Job; nowSeconds: number }) {
  const { finished, enqueued, total, startedSeconds, state, skipped } = job;
  if (finished === undefined) return skipped > 0 ? `${countText(skipped, "file")} skipped` : "–";
  const all = state === "running" ? Math.max(total, enqueued) : enqueued;
  const rest = all - finished;
  const seconds = nowSeconds - startedSeconds;
  return (
    <span class="stack">
      <progress value={finished} max={Math.max(1, all)} aria-label="Files reprocessed" />
      <span class="small muted">
        {formatCount(finished)} of {state === "running" ? "about " : ""}
        {countText(all, "file")}
        {skipped > 0 && `, ${formatCount(skipped)} skipped`}
        {rest > 0 &&
          finished > 0 &&
          state !== "cancelled" &&
          `, about ${formatDuration((seconds * rest) / finished)} left`}
      </span>
    </span>
  );
}

/** Asks before everything is reprocessed. */
function ConfirmAll({ form }: { form: URLSearchParams }) {
  return (
    <section class="card" aria-labelledby="confirm-all">
      <h2 id="confirm-all">Reprocess everything?</h2>
      <p>
        No filter = all reports: every stored file is read again. Totals stay the same; new mail waits meanwhile, and
        you can cancel it.
      </p>
      <form class="inline" method="post" action={PATH}>
        {["kind", "dryRun"].map(
          (name) => form.has(name) && <input type="hidden" name={name} value={form.get(name) ?? ""} />,
        )}
        <input type="hidden" name="confirmed" value="yes" />
        <button class="danger" type="submit">
          Reprocess everything
        </button>
        <a href={PATH}>Cancel</a>
      </form>
    </section>
  );
}

function filterText({ kind, filter }: Pick<Job, "kind" | "filter">): string {
  const parts = Object.entries(filter).filter(([, value]) => value !== undefined);
  // Which one is in no job that has ended: its name goes, too.
  if (parts.length === 0) return kind === "forget" ? "an account" : "all reports";
  return parts.map(([name, value]) => `${name} ${value}`).join(", ");
}

function StartForm({ form }: { form: URLSearchParams }) {
  return (
    <section class="card">
      <h2>Start a job</h2>
      <p class="lead">
        Reprocess reads stored reports again, for instance after an update. Reconcile enqueues reports that are still
        pending. Neither changes a total by itself. No filter = all reports.
      </p>
      <form class="inline" method="post" action={PATH}>
        <Field id="kind" label="Job">
          <select id="kind" name="kind">
            <option value="reprocess">reprocess</option>
            <option value="reconcile" selected={form.get("kind") === "reconcile"}>
              reconcile
            </option>
          </select>
        </Field>
        {FIELDS.map((name) => (
          <Field id={`job-${name}`} label={LABELS[name]}>
            <input
              id={`job-${name}`}
              name={name}
              type="text"
              class={name === "domain" ? undefined : "day"}
              placeholder={name === "domain" ? undefined : "YYYY-MM-DD"}
              value={form.get(name) ?? ""}
            />
          </Field>
        ))}
        <label>
          <input type="checkbox" name="dryRun" value="yes" checked={form.get("dryRun") === "yes"} /> dry run: only count
        </label>
        <button class="primary" type="submit">
          Start
        </button>
      </form>
    </section>
  );
}
