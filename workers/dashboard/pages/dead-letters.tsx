/** Dead letters: list, one of them whole, retrying them, discarding them and taking that back. For operators. */

import { type DeadLetter, type DeadLetterDetails, deadLetterOf } from "../../../shared/contract/incoming-shapes.ts";
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import type { ListPage } from "../../../shared/ledger/combine.ts";
import {
  type DeadLetterQuestion,
  deadLetterIdsQuery,
  deadLettersNamedQuery,
  isDeadLetterOrder,
} from "../../../shared/ledger/dead-letters.ts";
import { DASHBOARD_LIMITS } from "../../../shared/limits.ts";
import { decodedWords } from "../../../shared/mail/encoded-words.ts";
import { adviceOnDeadLetter } from "../../../shared/problem-advice.ts";
import { FORMAT_NAMES } from "../../../shared/sniff.ts";
import { isDatedId } from "../../../shared/storage.ts";
import { isoMinute } from "../data/days.ts";
import { formatBytes } from "../data/numbers.ts";
import { readRowRange, readTableState } from "../data/table.ts";
import { ApiError } from "../errors.ts";
import { ForeignJson, ForeignText, Name } from "../parts/foreign-text.tsx";
import { Pairs } from "../parts/marks.tsx";
import { inOrder, OperationsHead } from "../parts/operations-frame.tsx";
import type { PageResult } from "../parts/page.ts";
import { type PageRequest, requireOperator } from "../parts/page-request.ts";
import { rawFileAnswer } from "../parts/raw-file.ts";
import { type BoundTable, bindTable, type ViewColumn } from "../parts/table-view.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { Term } from "../parts/term.tsx";
import {
  BulkForm,
  ConfirmDiscard,
  ContinueForm,
  FilterForm,
  isDiscardedView,
  type ListFilter,
  listPath,
  DEAD_LETTERS_PATH as PATH,
  readFilter,
} from "./dead-letter-forms.tsx";

/** What the answer to a form adds to a page. No link shows it: what a press confirms must come from the press before. */
interface Asked {
  /** Whether to ask before they are discarded. */
  isDiscarding?: boolean;
  /** Where the change stopped, as there are more than one press may change. */
  rest?: { action: Action; cursor: string };
}

export async function deadLettersPage(request: PageRequest, { isDiscarding, rest }: Asked = {}): Promise<PageResult> {
  requireOperator(request);
  const { parameters, url } = request;
  const list = { filter: readFilter(parameters), isDiscarded: isDiscardedView(parameters) };
  const question = { ...list.filter, isDiscarded: list.isDiscarded };
  const [page, { items: reasons }] = await Promise.all([
    askLetters(request, question),
    request.read("deadLetterReasons", question),
  ]);
  const table = bindTable<DeadLetter>({
    caption: list.isDiscarded ? "Discarded dead letters" : "Open dead letters",
    ...TABLE,
    rows: page.rows,
    paged: { count: page.matching, sortable: isDeadLetterOrder },
    empty: <NoneHere {...list} />,
    columns: COLUMNS,
  });
  const byReason = reasonsTable(list, reasons);
  const { code } = list.filter;
  const matching = reasons.filter((reason) => code === undefined || reason.code === code);
  const count = matching.reduce((sum, reason) => sum + reason.deadLetters, 0);
  return {
    tables: [byReason, table],
    content: {
      title: "Dead letters",
      section: "operations",
      body: (
        <>
          <OperationsHead
            request={request}
            tab="dead-letters"
            title="Dead letters"
            lead="Reports that couldn't be processed. Fix the cause, then retry."
          />
          <UndoForm id={parameters.get("undo")} />
          {rest !== undefined && <ContinueForm filter={list.filter} {...rest} />}
          {isDiscarding && count > 0 && <ConfirmDiscard filter={list.filter} count={count} />}
          <Tabs label="Which dead letters" tabs={VIEWS} current={list.isDiscarded ? "discarded" : "open"} />
          <FilterForm {...list} reasons={reasons} />
          {page.matching > page.rows.length && byReason.view(url)}
          {table.view(url)}
          {page.rows.length > 0 && <BulkForm {...list} />}
        </>
      ),
    },
  };
}

type ReasonCount = Outputs["deadLetterReasons"]["items"][number];

/** Where to begin if there are many: how many each reason has, and what is done about all of these at once. */
function reasonsTable({ filter, isDiscarded }: List, reasons: readonly ReasonCount[]): BoundTable {
  return bindTable<ReasonCount>({
    id: "reasons",
    caption: "By reason",
    rows: reasons,
    sort: "-letters",
    size: 10,
    empty: "No dead letters.",
    columns: [
      {
        key: "code",
        label: "Reason",
        value: ({ code }) => code,
        cell: ({ code }) => (
          <a class="mono" href={listPath({ filter: { ...filter, code }, isDiscarded })}>
            {code}
          </a>
        ),
      },
      { key: "letters", label: "Dead letters", align: "end", value: ({ deadLetters }) => deadLetters },
      { key: "advice", label: "What to do", value: ({ code }) => adviceOnDeadLetter(code) },
    ],
  });
}

interface List {
  filter: ListFilter;
  isDiscarded: boolean;
}

const TABLE = { id: "letters", sort: "-at" };

/** The page of the list that the link asks for; all of it for an export. */
async function askLetters(request: PageRequest, question: DeadLetterQuestion): Promise<ListPage<DeadLetter>> {
  const state = readTableState(request.parameters, TABLE);
  const { sort, descending, text } = state;
  const isOrder = isDeadLetterOrder(sort);
  const ids = deadLetterIdsQuery(question, {
    order: isOrder ? sort : "at",
    descending: isOrder ? descending : true,
    text,
    ...readRowRange(request.parameters, state),
  });
  if (!ids.ok) throw new ApiError("bad_request", ids.error);
  const [found = { rows: [], matching: 0 }] = await request.ask(ids.value);
  const letters = await inOrder(found.rows, (ids) => request.ask(deadLettersNamedQuery(ids)));
  return { rows: letters.map(deadLetterOf), matching: found.matching };
}

const VIEWS = [
  { key: "open", label: "Open", href: PATH },
  { key: "discarded", label: "Discarded", href: `${PATH}?discarded=yes` },
];

function NoneHere({ filter, isDiscarded }: { filter: ListFilter; isDiscarded: boolean }) {
  const name = isDiscarded ? "discarded" : "open";
  if (Object.keys(filter).length > 0) {
    return (
      <>
        No {name} dead letter matches this filter. <a href={listPath({ filter: {}, isDiscarded })}>Show all</a>
      </>
    );
  }
  if (isDiscarded) return <>No discarded dead letters.</>;
  return <>No open dead letters.</>;
}

/** Takes back what has just been discarded. */
function UndoForm({ id }: { id: string | null }) {
  if (id === null || !isDatedId(id)) return null;
  return (
    <form class="inline" method="post" action={PATH}>
      <input type="hidden" name="id" value={id} />
      <button type="submit" name="action" value="restore">
        Undo: reopen it
      </button>
      <a href={`${PATH}/${id}`}>Show it</a>
    </form>
  );
}

export async function deadLetterPage(
  request: PageRequest,
  id: string,
  { isDiscarding }: Asked = {},
): Promise<PageResult> {
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
          {isDiscarding && letter.discarded === undefined && <ConfirmDiscard id={letter.id} filter={{}} count={1} />}
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
      <Pairs pairs={factsOf(letter)} />
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
        {letter.discarded === undefined ? (
          <>
            <button class="primary" type="submit" name="action" value="requeue">
              Retry
            </button>
            <button class="danger" type="submit" name="action" value="discard">
              Discard …
            </button>
          </>
        ) : (
          <button class="primary" type="submit" name="action" value="restore">
            Reopen
          </button>
        )}
      </form>
    </section>
  );
}

/** The raw object of a dead letter. */
export async function deadLetterRawFile(request: PageRequest, id: string): Promise<Response> {
  requireOperator(request);
  const { letter } = await request.read("getDeadLetter", { id });
  const read = request.operate("readRawObject", { key: letter.rawKey });
  return rawFileAnswer(read, { rawKey: letter.rawKey, missing: "The raw file is no longer stored." });
}

const ACTIONS = {
  requeue: { operation: "requeueDeadLetters", done: "requeued" },
  discard: { operation: "discardDeadLetters", done: "discarded" },
  restore: { operation: "restoreDeadLetters", done: "restored" },
} as const;

type Action = keyof typeof ACTIONS;

function isAction(text: string | null): text is Action {
  return text !== null && Object.hasOwn(ACTIONS, text);
}

/**
 * Retries dead letters, discards them, or reopens them: one by id, or all of a filter. Discarding is asked about
 * first.
 *
 * @returns the page to go to; or the page that asks, or that has the button for those that are left
 */
export async function changeDeadLetters(request: PageRequest, form: URLSearchParams): Promise<string | PageResult> {
  requireOperator(request);
  const action = form.get("action");
  if (!isAction(action)) throw new ApiError("bad_request", "action must be requeue, discard or restore.");
  const id = form.get("id");
  const filter = readFilter(form);
  const list = { filter, isDiscarded: action === "restore" };
  if (action === "discard" && form.get("confirmed") !== "yes") {
    const asked = { isDiscarding: true };
    const page = id === null ? deadLettersPage(at(listPath(list), request), asked) : deadLetterPage(request, id, asked);
    return { ...(await page), status: 200 };
  }
  const selection = id === null ? { filter } : { ids: [id] };
  const cursor = form.get("cursor") ?? undefined;
  const { changed, refused, next } = await changeAll(request, { action, selection: { ...selection, cursor } });
  if (id !== null && refused.count > 0) throw new ApiError("bad_request", refused.reason);
  const parameters = new URLSearchParams({
    done: ACTIONS[action].done,
    count: String(changed),
    refused: String(refused.count),
  });
  if (action === "discard" && id !== null) parameters.set("undo", id);
  if (next === undefined) return `${PATH}?${parameters}`;
  const said = at(listPath(list, Object.fromEntries(parameters)), request);
  return { ...(await deadLettersPage(said, { rest: { action, cursor: next } })), status: 200 };
}

/** The request as a link to this path would make it. */
function at(path: string, request: PageRequest): PageRequest {
  const url = new URL(path, request.url);
  return { ...request, url, parameters: url.searchParams };
}

interface Change {
  action: Action;
  selection: Inputs["requeueDeadLetters"];
}

/** What a change came to. */
interface Changed {
  changed: number;
  /** `reason`: of the last one. */
  refused: { count: number; reason: string };
  /** Where another press goes on: there are more than one request may change. */
  next: string | undefined;
}

// One page of dead letters a call, as many calls as a request may make; there may be very many, so they are only counted.
async function changeAll(request: PageRequest, { action, selection }: Change): Promise<Changed> {
  const done: Changed = { changed: 0, refused: { count: 0, reason: "It was refused." }, next: selection.cursor };
  for (let calls = 0; calls < DASHBOARD_LIMITS.callsPerForm; calls++) {
    const page = await request.operate(ACTIONS[action].operation, { ...selection, cursor: done.next });
    for (const { result, reason } of page.items) {
      if (result !== "refused") done.changed++;
      else done.refused = { count: done.refused.count + 1, reason: reason ?? done.refused.reason };
    }
    done.next = page.cursor;
    if (done.next === undefined) break;
  }
  return done;
}

const COLUMNS: ViewColumn<DeadLetter>[] = [
  {
    key: "at",
    label: "Failed at (UTC)",
    value: ({ at }) => at,
    cell: ({ id, at }) => (
      <a class="nowrap" href={`${PATH}/${encodeURIComponent(id)}`}>
        {at.slice(0, 16).replace("T", " ")}
      </a>
    ),
  },
  {
    key: "code",
    label: "Reason, and what to do",
    value: ({ reason }) => reason.code,
    cell: ({ reason, advice }) => (
      <span class="stack explained">
        <span class="mono">{reason.code}</span>
        <span class="small muted">
          <ForeignText text={reason.message} />
        </span>
        <span class="small">{advice}</span>
      </span>
    ),
  },
  { key: "message", label: "Sentence", value: ({ reason }) => reason.message, exportOnly: true },
  { key: "advice", label: "What to do", value: ({ advice }) => advice, exportOnly: true },
  {
    key: "file",
    label: "File",
    value: ({ file }) => file?.name ?? "",
    cell: ({ file, part }) => (
      <span class="stack explained">
        <span>{file === undefined || file.name === "" ? "–" : <Name text={file.name} />}</span>
        {part !== "" && part !== file?.name && (
          <span class="small muted">
            part <Name text={part} />
          </span>
        )}
        <span class="small muted">
          <ForeignText text={fileFacts(file)} />
        </span>
      </span>
    ),
  },
  {
    key: "from",
    label: "Mail",
    value: ({ mail }) => mail?.from ?? "",
    cell: ({ mail }) =>
      mail === undefined ? (
        "–"
      ) : (
        <span class="stack explained">
          {MAIL_FACTS.map(([label, read]) => (
            <span class="small">
              <span class="muted">{label}:</span> {read(mail) === "" ? "none" : <Name text={read(mail)} />}
            </span>
          ))}
        </span>
      ),
  },
  {
    key: "domain",
    label: "Domain",
    value: ({ domain }) => domain,
    cell: ({ domain, isDomainGuessed }) => (
      <span class="stack">
        <span>{domain === "" ? "–" : <Name text={domain} />}</span>
        {isDomainGuessed && <span class="small muted">from its file name</span>}
      </span>
    ),
  },
  {
    key: "rua",
    label: "Sent to",
    term: "RUA",
    value: ({ rua }) => rua,
    cell: ({ rua, account }) => (
      <span class="stack">
        <span>{rua === "" ? "–" : <Name text={rua} />}</span>
        {account !== "" && (
          <span class="small muted">
            account <ForeignText text={account} />
          </span>
        )}
      </span>
    ),
  },
  { key: "account", label: "Account", value: ({ account }) => account, exportOnly: true },
  { key: "attempts", label: "Attempts", align: "end", value: ({ attempts }) => attempts },
  { key: "part", label: "Part", value: ({ part }) => part, exportOnly: true },
  { key: "type", label: "Declared type", value: ({ file }) => file?.mimeType ?? "", exportOnly: true },
  { key: "format", label: "Recognized as", value: ({ file }) => file?.format ?? "", exportOnly: true },
  { key: "bytes", label: "Bytes", value: ({ file }) => file?.sizeBytes ?? "", exportOnly: true },
  { key: "sender", label: "Envelope sender", value: ({ mail }) => mail?.sender ?? "", exportOnly: true },
  { key: "subject", label: "Subject", value: ({ mail }) => mail?.subject ?? "", exportOnly: true },
  { key: "message_id", label: "Message-ID", value: ({ mail }) => mail?.messageId ?? "", exportOnly: true },
  { key: "id", label: "Id", value: ({ id }) => id, exportOnly: true },
  { key: "raw_key", label: "Raw key", value: ({ rawKey }) => rawKey, exportOnly: true },
];

type Mail = NonNullable<DeadLetter["mail"]>;

const MAIL_FACTS: readonly [string, (mail: Mail) => string][] = [
  ["From", ({ from }) => decodedWords(from)],
  ["Subject", ({ subject }) => decodedWords(subject)],
  ["Envelope sender", ({ sender }) => sender],
  ["Message-ID", ({ messageId }) => messageId],
];

/** Size, what its bytes are, and what it was declared as. */
function fileFacts(file: DeadLetter["file"]): string {
  if (file === undefined) return "";
  const { sizeBytes, format, mimeType } = file;
  const facts = [
    sizeBytes === undefined ? "" : formatBytes(sizeBytes),
    format === undefined ? "" : `recognized as ${formatName(format)}`,
    mimeType === "" ? "no type declared" : `declared as ${mimeType}`,
  ];
  return facts.filter((fact) => fact !== "").join(", ");
}

/** A format in words; one that this version does not know, as it is. */
function formatName(format: string): string {
  return new Map<string, string>(Object.entries(FORMAT_NAMES)).get(format) ?? format;
}

function factsOf(letter: DeadLetter): [string, string][] {
  const { mail, file, discarded } = letter;
  const facts: [string, string | undefined][] = [
    ["Reason", `${letter.reason.code}: ${letter.reason.message}`],
    ["What to do", letter.advice],
    [
      "Discarded",
      discarded === undefined ? undefined : `${isoMinute(Date.parse(discarded.at) / 1000)}, by ${discarded.by}`,
    ],
    ["Sent to", letter.rua || "–"],
    ["Account", letter.account || "–"],
    ["Domain", `${letter.domain || "–"}${letter.isDomainGuessed ? " (from its file name)" : ""}`],
    ...MAIL_FACTS.map(([label, read]): [string, string] => [
      label,
      mail === undefined ? "unknown" : read(mail) || "none",
    ]),
    ["File", file?.name || "–"],
    ["Type, size", file === undefined ? "unknown" : fileFacts(file)],
    ["Part", letter.part || "the whole file"],
    ["Attempts", String(letter.attempts)],
    ["Failed while", letter.stage === "read" ? "reading it" : "waiting in the queue"],
    ["Last error", letter.lastError],
    ["Mail received", isoMinute(letter.receivedSeconds)],
    ["Failed at", isoMinute(Date.parse(letter.at) / 1000)],
    ["Raw key", letter.rawKey || "–"],
    ["Id", letter.id],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
}
