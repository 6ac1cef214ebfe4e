/** Dead letters: list, one dead letter whole, sending them again, discarding them. For operators. */
import type { Inputs } from "../../../shared/contract/operations.ts";
import type { DeadLetter, DeadLetterDetails } from "../../../shared/contract/shapes.ts";
import { isoMinute } from "../data/days.ts";
import { formatBytes } from "../data/numbers.ts";
import { ApiError } from "../errors.ts";
import { ForeignJson, ForeignText } from "../parts/foreign-text.tsx";
import { Pairs } from "../parts/marks.tsx";
import { ListParts, OperationsHead } from "../parts/operations-frame.tsx";
import type { PageResult } from "../parts/page.ts";
import { rawFileAnswer } from "../parts/raw-file.ts";
import { type PageRequest, requireOperator } from "../parts/request.ts";
import { bindTable, type ViewColumn } from "../parts/table-view.tsx";
import { Term } from "../parts/term.tsx";
import { BulkForm, FilterForm, DEAD_LETTERS_PATH as PATH, readFilter } from "./dead-letter-forms.tsx";

export async function deadLettersPage(request: PageRequest): Promise<PageResult> {
  requireOperator(request);
  const filter = readFilter(request.parameters);
  const cursor = request.parameters.get("cursor") ?? undefined;
  const page = await request.read("listDeadLetters", { ...filter, cursor });
  const table = bindTable<DeadLetter>({
    id: "letters",
    caption: "Dead letters",
    rows: page.items,
    sort: "-at",
    empty: "None here. Every report that came in was read, or is waiting.",
    columns: COLUMNS,
    partial: <ListParts url={request.url} next={page.cursor} />,
  });
  return {
    tables: [table],
    content: {
      title: "Dead letters",
      section: "operations",
      body: (
        <>
          <OperationsHead
            request={request}
            tab="dead-letters"
            title="Dead letters"
            lead="What could not become data, each with its reason. Repair what the reason names, then send it again."
          />
          <FilterForm filter={filter} />
          {table.view(request.url)}
          {page.items.length > 0 && <BulkForm filter={filter} />}
        </>
      ),
    },
  };
}

export async function deadLetterPage(request: PageRequest, id: string): Promise<PageResult> {
  requireOperator(request);
  const details = await request.read("getDeadLetter", { id });
  const { letter } = details;
  return {
    tables: [],
    content: {
      title: `Dead letter ${id}`,
      section: "operations",
      crumbs: [{ label: "Dead letters", href: PATH }],
      body: (
        <>
          <OperationsHead request={request} tab="dead-letters" title={<ForeignText text={letter.reason.message} />} />
          <DeadLetterCard {...details} />
          <section class="card">
            <h2>Message</h2>
            <ForeignJson value={letter.message} />
          </section>
        </>
      ),
    },
  };
}

function DeadLetterCard({ letter, raw }: DeadLetterDetails) {
  return (
    <section class="card">
      <h2>
        <Term name="Dead letter" />
      </h2>
      <Pairs pairs={deadLetterPairs(letter)} />
      {raw === undefined ? (
        <p class="muted">No raw file is stored for it.</p>
      ) : (
        <p>
          <a class="button" href={`${PATH}/${encodeURIComponent(letter.id)}/raw`}>
            Download the raw file
          </a>{" "}
          <span class="muted">{formatBytes(raw.sizeBytes)}</span>
        </p>
      )}
      <form class="inline" method="post" action={PATH}>
        <input type="hidden" name="id" value={letter.id} />
        <button class="primary" type="submit" name="action" value="requeue">
          Send again
        </button>
        <button class="danger" type="submit" name="action" value="discard">
          Discard
        </button>
      </form>
    </section>
  );
}

/** The raw object of a dead letter. */
export async function deadLetterRawFile(request: PageRequest, id: string): Promise<Response> {
  requireOperator(request);
  const { letter } = await request.read("getDeadLetter", { id });
  return rawFileAnswer(request, { rawKey: letter.rawKey, missing: "The raw file is not stored any more." });
}

/** Sends dead letters again or discards them: one by id, or all of a filter. @returns the page to go to */
export async function changeDeadLetters(request: PageRequest, form: URLSearchParams): Promise<string> {
  requireOperator(request);
  const action = form.get("action");
  if (action !== "requeue" && action !== "discard") throw new ApiError("bad_request", "action is requeue or discard.");
  const id = form.get("id");
  const { changed, refused } = await changeAll(request, {
    action,
    selection: id === null ? { filter: readFilter(form) } : { ids: [id] },
  });
  if (id !== null && refused.count > 0) throw new ApiError("bad_request", refused.reason);
  const parameters = new URLSearchParams({
    done: action === "requeue" ? "requeued" : "discarded",
    count: String(changed),
    refused: String(refused.count),
  });
  return `${PATH}?${parameters}`;
}

interface Change {
  action: "requeue" | "discard";
  selection: Inputs["requeueDeadLetters"];
}

/** What a change came to. */
interface Changed {
  changed: number;
  /** `reason`: of the last one. */
  refused: { count: number; reason: string };
}

// One page of dead letters a call, until there is none left; there may be very many, so they are only counted.
async function changeAll(request: PageRequest, { action, selection }: Change): Promise<Changed> {
  const done: Changed = { changed: 0, refused: { count: 0, reason: "It was refused." } };
  let cursor: string | undefined;
  do {
    const operation = action === "requeue" ? "requeueDeadLetters" : "discardDeadLetters";
    const page = await request.operate(operation, { ...selection, cursor });
    for (const { result, reason } of page.items) {
      if (result !== "refused") done.changed++;
      else done.refused = { count: done.refused.count + 1, reason: reason ?? done.refused.reason };
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return done;
}

const COLUMNS: ViewColumn<DeadLetter>[] = [
  {
    key: "at",
    label: "Filed (UTC)",
    value: ({ at }) => at,
    cell: ({ id, at }) => (
      <a class="nowrap" href={`${PATH}/${encodeURIComponent(id)}`}>
        {at.slice(0, 16).replace("T", " ")}
      </a>
    ),
  },
  {
    key: "code",
    label: "Reason",
    value: ({ reason }) => reason.code,
    cell: ({ reason }) => (
      <span class="stack explained">
        <span class="mono">{reason.code}</span>
        <span class="small muted">
          <ForeignText text={reason.message} />
        </span>
      </span>
    ),
  },
  { key: "message", label: "Sentence", value: ({ reason }) => reason.message, exportOnly: true },
  { key: "domain", label: "Domain", value: ({ domain }) => domain },
  { key: "account", label: "Account", value: ({ account }) => account },
  { key: "rua", label: "Sent to", term: "RUA", value: ({ rua }) => rua },
  { key: "attempts", label: "Attempts", align: "end", value: ({ attempts }) => attempts },
  { key: "id", label: "Id", value: ({ id }) => id, exportOnly: true },
  { key: "raw_key", label: "Raw key", value: ({ rawKey }) => rawKey, exportOnly: true },
];

function deadLetterPairs(letter: DeadLetter): [string, string][] {
  return [
    ["Id", letter.id],
    ["Reason", `${letter.reason.code}: ${letter.reason.message}`],
    ["Filed", isoMinute(Date.parse(letter.at) / 1000)],
    ["Stage", letter.stage],
    ["Attempts", String(letter.attempts)],
    ["Account", letter.account || "–"],
    ["Sent to", letter.rua || "–"],
    ["Domain", letter.domain || "–"],
    ["Raw key", letter.rawKey || "–"],
    ["Part", letter.part || "the whole file"],
    ["Last error", letter.lastError ?? "–"],
  ];
}
