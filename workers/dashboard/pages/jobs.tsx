/** Reprocessing and reconciling: starting a job, and how far each one is. For operators. */
import type { Job } from "../../../shared/contract/shapes.ts";
import { isoMinute } from "../data/days.ts";
import { explain } from "../data/glossary.ts";
import { ApiError } from "../errors.ts";
import { Field } from "../parts/field.tsx";
import { OperationsHead } from "../parts/operations-frame.tsx";
import type { PageResult } from "../parts/page.ts";
import { type PageRequest, requireOperator } from "../parts/request.ts";
import { bindTable } from "../parts/table-view.tsx";

const PATH = "/operations/jobs";
const REFRESH_SECONDS = 4;
const FIELDS = ["domain", "since", "until"] as const;
const LABELS = { domain: "Domain", since: "Received since", until: "until" };

export async function jobsPage(request: PageRequest): Promise<PageResult> {
  requireOperator(request);
  const { items: jobs } = await request.read("listJobs", {});
  const isRunning = jobs.some(({ state }) => state === "running");
  const table = bindTable<Job>({
    id: "jobs",
    caption: "Jobs",
    rows: jobs,
    sort: "-started",
    empty: "No job was started yet.",
    columns: [
      { key: "started", label: "Started", value: ({ startedSeconds }) => isoMinute(startedSeconds) },
      { key: "kind", label: "Job", value: ({ kind, dryRun }) => (dryRun ? `${kind}, dry run` : kind) },
      { key: "filter", label: "About", value: ({ filter }) => filterText(filter) },
      {
        key: "state",
        label: "State",
        value: ({ state }) => state,
        cell: ({ state }) =>
          state === "done" ? <span class="result pass">✓ done</span> : <span class="result warn">… running</span>,
      },
      { key: "scanned", label: "Looked at", align: "end", value: ({ scanned }) => scanned },
      { key: "enqueued", label: "Sent again", align: "end", value: ({ enqueued }) => enqueued },
      { key: "updated", label: "Last step", value: ({ updatedSeconds }) => isoMinute(updatedSeconds) },
      { key: "id", label: "Id", value: ({ id }) => id, exportOnly: true },
    ],
  });
  return {
    tables: [table],
    content: {
      title: "Reprocessing",
      section: "operations",
      ...(isRunning ? { refreshSeconds: REFRESH_SECONDS } : {}),
      body: (
        <>
          <OperationsHead request={request} tab="jobs" title="Reprocessing" lead={explain("Reprocessing")} />
          <StartForm />
          {table.view(request.url)}
        </>
      ),
    },
  };
}

/** Starts a job. @returns the page to go to */
export async function startJob(request: PageRequest, form: URLSearchParams): Promise<string> {
  requireOperator(request);
  const kind = form.get("kind");
  if (kind !== "reprocess" && kind !== "reconcile")
    throw new ApiError("bad_request", "kind is reprocess or reconcile.");
  const given = FIELDS.map((name) => [name, form.get(name)?.trim() ?? ""] as const).filter(([, value]) => value !== "");
  const filter: Job["filter"] = Object.fromEntries(given);
  const dryRun = form.get("dryRun") === "yes";
  await request.operate(kind === "reprocess" ? "startReprocess" : "startReconcile", { dryRun, filter });
  return `${PATH}?done=started`;
}

function filterText(filter: Job["filter"]): string {
  const parts = Object.entries(filter).filter(([, value]) => value !== undefined);
  return parts.length === 0 ? "everything" : parts.map(([name, value]) => `${name} ${value}`).join(", ");
}

function StartForm() {
  return (
    <section class="card">
      <h2>Start a job</h2>
      <p class="lead">
        Reprocess reads stored reports again, for instance after an update. Reconcile sends again what was received and
        never dealt with. Without a filter it is about everything; totals do not change by running a report again.
      </p>
      <form class="inline" method="post" action={PATH}>
        <Field id="kind" label="Job">
          <select id="kind" name="kind">
            <option value="reprocess">reprocess</option>
            <option value="reconcile">reconcile</option>
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
            />
          </Field>
        ))}
        <label>
          <input type="checkbox" name="dryRun" value="yes" /> dry run: only count
        </label>
        <button class="primary" type="submit">
          Start
        </button>
      </form>
    </section>
  );
}
