/** Where accepted reports are forwarded to, for operators: targets with their state, what was not taken, and adding one. */
import type { Child } from "hono/jsx";
import type { Outputs } from "../../../shared/contract/operations.ts";
import { TARGET_KINDS, type TargetKind } from "../../../shared/forward/target.ts";
import { type UnsentReport, unsentReportsQuery } from "../../../shared/ledger/forwards.ts";
import { FORWARD_LIMITS, NOTIFY_LIMITS } from "../../../shared/limits.ts";
import { shownTarget } from "../../../shared/notify/channel.ts";
import { isoMinute } from "../data/days.ts";
import { formatCount } from "../data/numbers.ts";
import { ApiError, isWrongInput } from "../errors.ts";
import { AccountOptions } from "../parts/account-options.tsx";
import { Field } from "../parts/field.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import { limitNote } from "../parts/marks.tsx";
import { OperationsHead } from "../parts/operations-frame.tsx";
import type { PageResult } from "../parts/page.ts";
import type { PageRequest } from "../parts/page-request.ts";
import { KindField, NameField } from "../parts/receiver-fields.tsx";
import { type Said, SaidNote, typedFor } from "../parts/said-note.tsx";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";
import { domainPath, reportPath } from "../paths.ts";

const PATH = "/operations/forwarding";

type Target = Outputs["listForwards"]["items"][number];

const KIND_WORDS: Record<TargetKind, string> = {
  http: "HTTP endpoint",
  splunk: "Splunk",
  s3: "S3 bucket",
};

export async function forwardingPage(request: PageRequest, said?: Said): Promise<PageResult> {
  const [{ items: targets }, unsent, accounts] = await Promise.all([
    request.operate("listForwards", {}),
    request.ask(unsentReportsQuery(FORWARD_LIMITS.unsentShown)),
    request.accounts(),
  ]);
  const tables = [targetsTable(targets), unsentTable(unsent.slice(0, FORWARD_LIMITS.unsentShown), targets)];
  return {
    tables,
    content: {
      title: "Forwarding",
      section: "operations",
      crumbs: [{ label: "Operations", href: "/operations" }],
      body: (
        <>
          <OperationsHead
            request={request}
            tab="forwarding"
            title="Forwarding"
            lead="Reports accepted after a target is added are forwarded to it as JSON, within a minute or two."
          />
          {said !== undefined && <SaidNote said={said} secretIs="Its requests are signed with this key" />}
          {tables[0]?.view(request.url)}
          {targets.length > 0 && tables[1]?.view(request.url)}
          <section class="card" aria-labelledby="add-target">
            <h2 id="add-target">Add a target</h2>
            <AddForm accounts={accounts} typed={typedFor(said, "add")} />
          </section>
        </>
      ),
    },
  };
}

/** Whether the target takes reports, in a word or two. */
function stateOf({ failures, failed, sent, waiting }: Target): string {
  if (failures > 0) return "not answering";
  if (failed > 0) return "some refused";
  if (waiting > 0) return "sending";
  return sent > 0 ? "in use" : "nothing sent yet";
}

function targetsTable(rows: readonly Target[]): BoundTable {
  return bindTable<Target>({
    id: "targets",
    caption: "Targets",
    rows,
    sort: "name",
    empty: "No targets yet: reports stay here. Add one below.",
    columns: [
      { key: "name", label: "Name", value: ({ name }) => name, cell: nameCell },
      { key: "kind", label: "Kind", value: ({ kind }) => KIND_WORDS[kind], exportOnly: true },
      { key: "target", label: "To", value: ({ target }) => target, exportOnly: true },
      { key: "state", label: "State", value: stateOf, cell: stateCell },
      { key: "account", label: "Account", value: ({ account }) => (account === "" ? "(all)" : account) },
      { key: "records", label: "Records", value: ({ withRecords }) => (withRecords ? "yes" : "no") },
      { key: "sent", label: "Sent", align: "end", value: ({ sent }) => sent, cell: sentCell },
      { key: "last_sent", label: "Last sent", value: lastSent, exportOnly: true },
      { key: "waiting", label: "Waiting", align: "end", value: ({ waiting }) => waiting, cell: waitingCell },
      { key: "failed", label: "Given up", align: "end", value: ({ failed }) => failed },
      { key: "result", label: "Last answer", value: answerOf, cell: (row) => <ForeignText text={answerOf(row)} /> },
      { key: "next", label: "Next attempt", value: nextAttempt, exportOnly: true },
      { key: "by", label: "Added by", value: ({ createdBy }) => createdBy },
      { key: "change", label: "Change", value: () => "", cell: (target) => <ChangeForm target={target} /> },
    ],
  });
}

/** What is wrong, or else the result of the last attempt. */
function answerOf({ failures, problem, result }: Target): string {
  return failures > 0 || problem === "" ? result : problem;
}

function nameCell({ name, kind, target }: Target): Child {
  return (
    <>
      <ForeignText text={name} />
      <div class="small muted">
        {KIND_WORDS[kind]} {target !== name && <ForeignText text={target} />}
      </div>
    </>
  );
}

function lastSent({ sentSeconds }: Target): string {
  return sentSeconds > 0 ? isoMinute(sentSeconds) : "";
}

function nextAttempt({ failures, nextSeconds }: Target): string {
  return failures > 0 ? isoMinute(nextSeconds) : "";
}

function stateCell(target: Target): Child {
  const next = nextAttempt(target);
  return (
    <>
      {stateOf(target)}
      {next !== "" && <div class="small muted">next attempt {next}</div>}
    </>
  );
}

function sentCell(target: Target): Child {
  const last = lastSent(target);
  return (
    <>
      {formatCount(target.sent)}
      {last !== "" && <div class="small muted">last {last}</div>}
    </>
  );
}

function waitingCell({ waiting, oldestSeconds }: Target): Child {
  if (waiting === 0) return "0";
  return (
    <>
      {formatCount(waiting)}
      <div class="small muted">since {isoMinute(oldestSeconds)}</div>
    </>
  );
}

function ChangeForm({ target: { id, name, waiting, failed } }: { target: Target }) {
  return (
    <form class="inline" method="post" action={PATH}>
      <input type="hidden" name="id" value={id} />
      <input type="hidden" name="name" value={name} />
      <button type="submit" name="action" value="test" aria-label={`Send a test to ${name}`}>
        Test
      </button>
      {waiting + failed > 0 && (
        <button type="submit" name="action" value="retry" aria-label={`Retry reports that ${name} did not accept`}>
          Retry
        </button>
      )}
      <button type="submit" name="action" value="remove" aria-label={`Remove ${name}`}>
        Remove
      </button>
    </form>
  );
}

function unsentTable(rows: readonly UnsentReport[], targets: readonly Target[]): BoundTable {
  const names = new Map(targets.map(({ id, name }) => [id, name]));
  const nameOf = ({ target }: UnsentReport): string => names.get(target) ?? target;
  return bindTable<UnsentReport>({
    id: "unsent",
    caption: "Not accepted yet",
    rows,
    sort: "-since",
    empty: "Nothing is waiting: every report was accepted.",
    partial: limitNote(rows, FORWARD_LIMITS.unsentShown, "those given up and refused come first"),
    columns: [
      { key: "since", label: "Since", value: ({ createdSeconds }) => isoMinute(createdSeconds) },
      { key: "target", label: "Target", value: nameOf, cell: (row) => <ForeignText text={nameOf(row)} /> },
      { key: "state", label: "State", value: ({ state }) => (state === "failed" ? "given up" : "waiting") },
      {
        key: "domain",
        label: "Domain",
        value: ({ domain }) => domain,
        cell: ({ domain }) => (domain === "" ? "" : <a href={domainPath(domain)}>{domain}</a>),
      },
      {
        key: "report",
        label: "Report",
        value: ({ reportUid }) => reportUid,
        cell: (row) => <a href={reportPath(row)}>{row.kind} report</a>,
      },
      { key: "attempts", label: "Refused", value: ({ attempts }) => attempts },
      {
        key: "result",
        label: "Answer",
        value: ({ result }) => result,
        cell: ({ result }) => <ForeignText text={result} />,
      },
      {
        key: "next",
        label: "Next attempt",
        value: ({ state, attempts, nextSeconds }) =>
          state === "waiting" && attempts > 0 ? isoMinute(nextSeconds) : "",
      },
    ],
  });
}

function AddForm({ accounts, typed }: { accounts: readonly string[]; typed: URLSearchParams | undefined }) {
  return (
    <form class="stacked" method="post" action={PATH}>
      <KindField id="target-kind" kinds={TARGET_KINDS} nameOf={(kind) => KIND_WORDS[kind]} typed={typed} />
      <Field id="target-url" label="URL">
        <input
          id="target-url"
          name="url"
          type="url"
          required
          maxlength={NOTIFY_LIMITS.targetChars}
          placeholder="https://…"
          value={typed?.get("url") ?? ""}
        />
      </Field>
      <NameField id="target-name" typed={typed} />
      <Field id="target-account" label="Reports of">
        <select id="target-account" name="account">
          <option value="">all accounts</option>
          <AccountOptions accounts={accounts} chosen={typed?.get("account") ?? undefined} />
        </select>
      </Field>
      <label>
        <input type="checkbox" name="records" value="yes" checked={typed?.get("records") === "yes"} /> Include the
        records of each report
      </label>
      <Credentials typed={typed} />
      <button class="primary" type="submit" name="action" value="add">
        Add
      </button>
      <p class="small muted">
        The URL of an endpoint, of Splunk&apos;s HTTP Event Collector, or of a bucket, with a prefix if you like; public
        https addresses only. Failed requests are retried for seven days. Secrets are never shown again.
      </p>
    </form>
  );
}

/** A secret has to be typed again: no page shows it. */
function Credentials({ typed }: { typed: URLSearchParams | undefined }) {
  return (
    <>
      <Field id="target-secret" label="Splunk: token; S3: secret access key">
        <input id="target-secret" name="secret" type="password" autocomplete="off" maxlength={1000} />
      </Field>
      <Field id="target-key" label="S3: access key id">
        <input
          id="target-key"
          name="accessKeyId"
          type="text"
          autocomplete="off"
          maxlength={200}
          value={typed?.get("accessKeyId") ?? ""}
        />
      </Field>
      <Field id="target-region" label="S3: region">
        <input
          id="target-region"
          name="region"
          type="text"
          maxlength={100}
          placeholder="auto"
          value={typed?.get("region") ?? ""}
        />
      </Field>
    </>
  );
}

/**
 * Adds, tests, retries or removes a target.
 *
 * @returns the page with the result
 * @throws ApiError when process cannot be asked
 */
export async function changeForwarding(request: PageRequest, form: URLSearchParams): Promise<string | PageResult> {
  try {
    const said = await change(request, form);
    return { ...(await forwardingPage(request, said)), status: 200 };
  } catch (error) {
    if (!isWrongInput(error)) throw error;
    return forwardingPage(request, { kind: "fault", sentence: error.message, typed: form });
  }
}

async function change(request: PageRequest, form: URLSearchParams): Promise<Said> {
  const id = form.get("id") ?? "";
  const name = form.get("name")?.trim() ?? "";
  switch (form.get("action")) {
    case "test": {
      const { isTaken, result } = await request.operate("testForward", { id });
      if (isTaken) return { kind: "done", sentence: `${name} accepted the test: ${result}` };
      return { kind: "fault", sentence: `${name} did not accept the test: ${result}` };
    }
    case "retry":
      await request.operate("retryForward", { id });
      return { kind: "done", sentence: `Reports that ${name} did not accept are being sent again.` };
    case "remove":
      await request.operate("removeForward", { id });
      return { kind: "done", sentence: `${name} was removed, with everything that was waiting for it.` };
    default: {
      const added = await request.operate("addForward", settingsOf(form));
      const secret = added.secret === "" ? {} : { secret: added.secret };
      return { kind: "done", sentence: `${added.name} was added. Test it before you rely on it.`, ...secret };
    }
  }
}

function settingsOf(form: URLSearchParams) {
  const kind = TARGET_KINDS.find((one) => one === form.get("kind"));
  if (kind === undefined) throw new ApiError("bad_request", "Choose a kind of target.");
  const text = (name: string): string => form.get(name)?.trim() ?? "";
  const url = text("url");
  return {
    account: text("account"),
    kind,
    name: text("name") || shownTarget({ kind: "webhook", target: url }).slice(0, NOTIFY_LIMITS.nameChars),
    url,
    secret: kind === "http" ? "" : text("secret"),
    accessKeyId: kind === "s3" ? text("accessKeyId") : "",
    region: kind === "s3" ? text("region") || "auto" : "",
    withRecords: form.get("records") === "yes",
  };
}
