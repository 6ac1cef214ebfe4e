/** The head of the operations pages: title, tabs, and the result of the last change. */
import type { Child } from "hono/jsx";
import { ownValue } from "../../../shared/own-value.ts";
import { formatCount } from "../data/numbers.ts";
import { OPERATIONS_PRESETS, type Period } from "../data/period.ts";
import { Note } from "./marks.tsx";
import { PageHead } from "./page-head.tsx";
import type { PageRequest } from "./page-request.ts";
import { PeriodControl } from "./period-view.tsx";
import { type Tab, Tabs } from "./tabs.tsx";

export type OperationsTab = "status" | "dead-letters" | "conflicts" | "jobs" | "forwarding";

const TABS: (Tab & { key: OperationsTab })[] = [
  { key: "status", label: "Status", href: "/operations" },
  { key: "dead-letters", label: "Dead letters", href: "/operations/dead-letters" },
  { key: "conflicts", label: "Conflicts", href: "/operations/conflicts" },
  { key: "jobs", label: "Reprocessing", href: "/operations/jobs" },
  { key: "forwarding", label: "Forwarding", href: "/operations/forwarding" },
];

/** The result of a change, shown by the page it leads back to: `?done=…`. */
const DONE: Record<string, string> = {
  replace: "The new version replaces the current one as soon as its message is processed.",
  keep: "The current version stays.",
  keep_verified: "The verified reports stay.",
  keep_verified_part: "The verified reports stay. There are more than one press can decide: press again for the rest.",
  count_both: "The new version counts as a separate report as soon as its message is processed.",
  cancelled: "Cancelled. Files already enqueued and not processed yet are skipped, and counted.",
  started: "Started. This page shows its progress.",
};

/** The result of a change of dead letters; undefined = none of these. */
function changedLetters(done: string, count: number): string | undefined {
  const isOne = count === 1;
  switch (done) {
    case "requeued":
      return (
        `${formatCount(count)} queued for retry; ` +
        `${isOne ? "it leaves this list once it succeeds" : "they leave this list once they succeed"}.`
      );
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
  const done = changedLetters(asked, readCount("count")) ?? ownValue(DONE, asked);
  const refused = readCount("refused");
  return (
    <>
      <PageHead title={title} lead={lead}>
        {period !== undefined && <PeriodControl url={request.url} period={period} presets={OPERATIONS_PRESETS} />}
      </PageHead>
      <Tabs label="Operations" tabs={TABS} current={tab} />
      {done !== undefined && (
        <Note kind="done" isOutcome>
          {done} {refused > 0 && `${formatCount(refused)} couldn't be changed: open each to see why.`}
        </Note>
      )}
    </>
  );
}

/** Ours: rows that one statement names, so that a file of all fits into answers of D1. */
const NAMED_AT_ONCE = 2000;

/** The rows with these ids, in the order of the ids; one that went meanwhile is left out. */
export async function inOrder<Row extends { id: string }>(
  found: readonly { id: string }[],
  ask: (ids: string[]) => Promise<Row[]>,
): Promise<Row[]> {
  const ids = found.map(({ id }) => id);
  const rows = new Map<string, Row>();
  for (let first = 0; first < ids.length; first += NAMED_AT_ONCE) {
    for (const row of await ask(ids.slice(first, first + NAMED_AT_ONCE))) rows.set(row.id, row);
  }
  return ids.flatMap((id) => rows.get(id) ?? []);
}
