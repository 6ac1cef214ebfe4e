/** What to do next across all domains, what matters most first; or the domains that one line of it is about. */
import type { Outputs } from "../../../shared/contract/operations.ts";
import type { ListPage } from "../../../shared/ledger/combine.ts";
import { type WorkDomain, workDomainsQuery } from "../../../shared/ledger/worklist.ts";
import { WORK_LIMITS } from "../../../shared/limits.ts";
import { WORK_CODES, type WorkCause } from "../../../shared/watch/work.ts";
import { workWords } from "../../../shared/watch/work-words.ts";
import { withLink } from "../api/worklist.ts";
import { formatCount } from "../data/numbers.ts";
import { readRowRange, readTableState } from "../data/table.ts";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import type { PageResult } from "../parts/page.ts";
import { PageHead } from "../parts/page-head.tsx";
import type { PageRequest } from "../parts/page-request.ts";
import { type BoundTable, bindTable, type ViewColumn } from "../parts/table-view.tsx";
import { domainPath, workPath } from "../paths.ts";

type Line = Outputs["worklist"]["items"][number];

const PATH = "/worklist";
const DOMAINS_TABLE = { id: "domains", sort: "-weight" };

export async function worklistPage(request: PageRequest): Promise<PageResult> {
  const cause = causeOf(request.parameters);
  return cause === undefined ? allLines(request) : oneLine(request, cause);
}

/** The line that the link asks for; undefined = all. */
function causeOf(parameters: URLSearchParams): WorkCause | undefined {
  const code = WORK_CODES.find((one) => one === parameters.get("code"));
  return code === undefined ? undefined : { code, subject: parameters.get("subject") ?? "" };
}

async function allLines(request: PageRequest): Promise<PageResult> {
  const { items } = await request.read("worklist", {});
  const table = linesTable(items);
  return {
    tables: [table, domainsTable({ rows: [], matching: 0 }, { hasSeveralAccounts: true })],
    content: {
      title: "Worklist",
      section: "worklist",
      body: (
        <>
          <PageHead
            title="Worklist"
            lead="What to do next across all domains, from reports of the last 30 days. What puts most of your mail at risk comes first."
          />
          {table.view(request.url)}
        </>
      ),
    },
  };
}

function linesTable(lines: readonly Line[]): BoundTable {
  const hasSeveralAccounts = new Set(lines.flatMap(({ unfolded }) => unfolded.map(({ account }) => account))).size > 1;
  return bindTable<Line>({
    id: "work",
    caption: "What to do",
    rows: lines,
    sort: "-weight",
    size: WORK_LIMITS.linesOnPage,
    empty: "Nothing to do. New reports are checked within an hour.",
    columns: [
      {
        key: "title",
        label: "What",
        value: ({ title }) => title,
        cell: ({ title, action, link }) => (
          <span class="stack explained">
            <a href={link}>
              <ForeignText text={title} />
            </a>
            <span class="small muted">
              <ForeignText text={action} />
            </span>
          </span>
        ),
      },
      { key: "action", label: "To do", value: ({ action }) => action, exportOnly: true },
      {
        key: "domains",
        label: "Domains",
        align: "end",
        value: ({ domains }) => domains,
        cell: (line) => <Domains line={line} hasSeveralAccounts={hasSeveralAccounts} />,
      },
      ...messageColumns<Line>(),
      { key: "code", label: "Code", value: ({ code }) => code, exportOnly: true },
      { key: "subject", label: "Subject", value: ({ subject }) => subject, exportOnly: true },
      { key: "link", label: "Link", value: ({ link }) => link, exportOnly: true },
    ],
  });
}

/** Messages and weight, of a line or of one of its domains. */
function messageColumns<Row extends { messages: number; refused: number; weight: number }>(): ViewColumn<Row>[] {
  return [
    { key: "messages", label: "Failing a week", align: "end", value: ({ messages }) => messages },
    { key: "refused", label: "Refused a week", align: "end", value: ({ refused }) => refused },
    {
      key: "weight",
      label: "At risk",
      term: "At risk",
      align: "end",
      value: ({ weight }) => weight,
      cell: ({ weight }) => formatCount(Math.round(weight)),
    },
  ];
}

/** The domains of a line, unfolded. */
function Domains({ line, hasSeveralAccounts }: { line: Line; hasSeveralAccounts: boolean }) {
  const { domains, unfolded } = line;
  const rest = domains - unfolded.length;
  return (
    <details class="unfolds">
      <summary>
        {formatCount(domains)}
        <span class="hidden-label">{domains === 1 ? " domain" : " domains"}</span>
      </summary>
      <ul>
        {unfolded.map(({ domain, account, link, messages }) => (
          <li>
            <a href={link}>
              <Name text={domain} />
            </a>
            <span class="small muted">
              {messages > 0 && ` ${formatCount(messages)} a week`}
              {hasSeveralAccounts && (
                <>
                  , <ForeignText text={account} />
                </>
              )}
            </span>
          </li>
        ))}
        {rest > 0 && (
          <li>
            <a href={workPath(line)}>and {formatCount(rest)} more</a>
          </li>
        )}
      </ul>
    </details>
  );
}

async function oneLine(request: PageRequest, cause: WorkCause): Promise<PageResult> {
  const accounts = await request.accounts();
  const range = readRowRange(request.parameters, readTableState(request.parameters, DOMAINS_TABLE));
  const [found = { rows: [], matching: 0 }] = await request.ask(workDomainsQuery(accounts, cause, range));
  const rows = found.rows.map((one) => withLink(cause, one));
  const table = domainsTable({ ...found, rows }, { hasSeveralAccounts: accounts.length > 1 });
  const { title, action } = workWords(cause);
  return {
    tables: [linesTable([]), table],
    content: {
      title,
      section: "worklist",
      crumbs: [{ label: "Worklist", href: PATH }],
      body: (
        <>
          <PageHead title={<ForeignText text={title} />} lead={<ForeignText text={action} />} />
          {table.view(request.url)}
        </>
      ),
    },
  };
}

function domainsTable(
  { rows, matching }: ListPage<WorkDomain>,
  { hasSeveralAccounts }: { hasSeveralAccounts: boolean },
): BoundTable {
  const account: ViewColumn<WorkDomain> = { key: "account", label: "Account", value: (row) => row.account };
  return bindTable<WorkDomain>({
    ...DOMAINS_TABLE,
    caption: "Domains",
    rows,
    // In the order of the worklist alone.
    paged: { count: matching, sortable: () => false },
    empty: (
      <>
        No domain has this any more. <a href={PATH}>Worklist</a>
      </>
    ),
    columns: [
      {
        key: "domain",
        label: "Domain",
        value: ({ domain }) => domain,
        cell: ({ domain, link }) => (
          <span class="stack">
            <a href={link}>
              <Name text={domain} />
            </a>
            <a class="small" href={domainPath(domain)}>
              Overview
            </a>
          </span>
        ),
      },
      ...(hasSeveralAccounts ? [account] : []),
      ...messageColumns<WorkDomain>(),
      { key: "link", label: "Link", value: ({ link }) => link, exportOnly: true },
    ],
  });
}
