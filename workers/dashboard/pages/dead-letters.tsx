/** The list of dead letters: open or discarded ones, by reason, with the forms that change many. For operators. */

import { type DeadLetter, deadLetterOf } from "../../../shared/contract/incoming-shapes.ts";
import type { Outputs } from "../../../shared/contract/operations.ts";
import type { ListPage } from "../../../shared/ledger/combine.ts";
import {
  type DeadLetterQuestion,
  deadLetterIdsQuery,
  deadLettersNamedQuery,
  isDeadLetterOrder,
} from "../../../shared/ledger/dead-letters.ts";
import { adviceOnDeadLetter } from "../../../shared/problem-advice.ts";
import { isDatedId } from "../../../shared/storage.ts";
import { readRowRange, readTableState } from "../data/table.ts";
import { ApiError } from "../errors.ts";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import { inOrder, OperationsHead } from "../parts/operations-frame.tsx";
import type { PageResult } from "../parts/page.ts";
import { type PageRequest, requireOperator } from "../parts/page-request.ts";
import { type BoundTable, bindTable, type ViewColumn } from "../parts/table-view.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { fileFacts, MAIL_FACTS } from "./dead-letter.tsx";
import {
  BulkForm,
  ConfirmDiscard,
  ContinueForm,
  DEAD_LETTERS_PATH,
  FilterForm,
  isDiscardedView,
  type ListFilter,
  listPath,
  readFilter,
} from "./dead-letter-forms.tsx";

/** What the answer to a form adds to a page. No link shows it: what a press confirms must come from the press before. */
interface Asked {
  /** Whether to ask before they are discarded. */
  isDiscarding?: boolean;
  /** Where the change stopped, as there are more than one press may change. */
  rest?: { action: string; cursor: string };
}

export async function deadLettersPage(request: PageRequest, { isDiscarding, rest }: Asked = {}): Promise<PageResult> {
  requireOperator(request);
  const { parameters, url } = request;
  const list = { filter: readFilter(parameters), isDiscarded: isDiscardedView(parameters) };
  const question = { ...list.filter, isDiscarded: list.isDiscarded };
  const isSearched = readTableState(parameters, TABLE).text !== "";
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
          {page.rows.length > 0 && (isSearched ? <p class="muted">{SEARCHED}</p> : <BulkForm {...list} />)}
        </>
      ),
    },
  };
}

/** In place of the forms that change all: they take what the filter has, which may be far more than the search found. */
const SEARCHED = "To retry or discard many at once, clear the search: they are chosen by the filter above.";

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
  { key: "open", label: "Open", href: DEAD_LETTERS_PATH },
  { key: "discarded", label: "Discarded", href: `${DEAD_LETTERS_PATH}?discarded=yes` },
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
    <form class="inline" method="post" action={DEAD_LETTERS_PATH}>
      <input type="hidden" name="id" value={id} />
      <button type="submit" name="action" value="restore">
        Undo: reopen it
      </button>
      <a href={`${DEAD_LETTERS_PATH}/${id}`}>Show it</a>
    </form>
  );
}

const COLUMNS: ViewColumn<DeadLetter>[] = [
  {
    key: "at",
    label: "Failed at (UTC)",
    value: ({ at }) => at,
    cell: ({ id, at }) => (
      <a class="nowrap" href={`${DEAD_LETTERS_PATH}/${encodeURIComponent(id)}`}>
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
