/** The head of the operations pages: title, tabs, and what the last change came to. */
import type { Child } from "hono/jsx";
import { DASHBOARD_LIMITS } from "../../../shared/limits.ts";
import { formatCount } from "../data/numbers.ts";
import { OPERATIONS_PRESETS, type Period } from "../data/period.ts";
import { Note } from "./marks.tsx";
import { PageHead } from "./page-head.tsx";
import { PeriodControl } from "./period-view.tsx";
import { linkWith, type PageRequest } from "./request.ts";
import { type Tab, Tabs } from "./tabs.tsx";

export type OperationsTab = "status" | "dead-letters" | "conflicts" | "jobs";

const TABS: (Tab & { key: OperationsTab })[] = [
  { key: "status", label: "Status", href: "/operations" },
  { key: "dead-letters", label: "Dead letters", href: "/operations/dead-letters" },
  { key: "conflicts", label: "Conflicts", href: "/operations/conflicts" },
  { key: "jobs", label: "Reprocessing", href: "/operations/jobs" },
];

/** What a change came to, shown by the page it leads back to: `?done=…`. */
const DONE: Record<string, string> = {
  replace: "The new version replaces the current one as soon as its message is processed.",
  keep: "The current version stays.",
  keep_verified: "The verified reports stay.",
  count_both: "The new version counts as a report of its own as soon as its message is processed.",
  cancelled: "Cancelled. Files already enqueued and not processed yet are skipped, and counted.",
  started: "Started. This page shows its progress.",
};

/** What a change of dead letters came to; undefined = none of these. */
function changedLetters(done: string, count: number): string | undefined {
  const isOne = count === 1;
  switch (done) {
    case "requeued":
      return `${formatCount(count)} queued for retry; ${isOne ? "it leaves this list once it succeeds" : "they leave this list once they succeed"}.`;
    case "discarded":
      return `${formatCount(count)} discarded. Reprocessing does not bring ${isOne ? "it" : "them"} back; the raw files are kept.`;
    case "restored":
      return `${formatCount(count)} reopened.`;
    default:
      return undefined;
  }
}

interface HeadProps {
  request: PageRequest;
  tab: OperationsTab;
  title: Child;
  lead?: Child;
  period?: Period;
}

export function OperationsHead({ request, tab, title, lead, period }: HeadProps) {
  const readCount = (name: string): number => Number(request.parameters.get(name) ?? "") || 0;
  const asked = request.parameters.get("done") ?? "";
  const done = changedLetters(asked, readCount("count")) ?? DONE[asked];
  const refused = readCount("refused");
  return (
    <>
      <PageHead title={title} lead={lead}>
        {period !== undefined && <PeriodControl url={request.url} period={period} presets={OPERATIONS_PRESETS} />}
      </PageHead>
      <Tabs label="Operations" tabs={TABS} current={tab} />
      {done !== undefined && (
        <Note kind="done">
          {done} {refused > 0 && `${formatCount(refused)} couldn't be changed: open each to see why.`}
        </Note>
      )}
    </>
  );
}

interface ListPage<Item> {
  items: Item[];
  cursor?: string | undefined;
}

/** What a table of a long list has: one part of it on a page, all of it in a file, up to the bound of any file. */
export async function listRows<Item>(
  request: PageRequest,
  ask: (cursor: string | undefined) => Promise<ListPage<Item>>,
): Promise<ListPage<Item>> {
  if (!request.parameters.has("export")) return ask(request.parameters.get("cursor") ?? undefined);
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page: ListPage<Item> = await ask(cursor);
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined && items.length < DASHBOARD_LIMITS.maxExportRows);
  return { items: items.slice(0, DASHBOARD_LIMITS.maxExportRows) };
}

/** Long lists come a part at a time: the way to the next part, and back to the first. */
export function ListParts({ url, next }: { url: URL; next: string | undefined }) {
  const isFirst = !url.searchParams.has("cursor");
  if (isFirst && next === undefined) return null;
  return (
    <Note>
      This is one part of the list; sorting and filter apply to this part, exports have the whole list.{" "}
      {!isFirst && <a href={linkWith(url, { cursor: undefined })}>First part</a>}{" "}
      {next !== undefined && <a href={linkWith(url, { cursor: next })}>Next part</a>}
    </Note>
  );
}
