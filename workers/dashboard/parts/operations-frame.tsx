/** The head of the operations pages: title, tabs, and what the last change came to. */
import type { Child } from "hono/jsx";
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

/** What a change came to, told by the page it leads back to: `?done=…`. */
const DONE: Record<string, string> = {
  requeued: "Sent again. A dead letter stays until its message has succeeded.",
  discarded: "Discarded. Reprocessing does not bring it back; the raw file stays where it is.",
  restored: "Open again.",
  replace: "The other version takes the place of the first one as soon as its message is processed.",
  keep: "The version accepted first stays.",
  keep_verified: "The verified reports stay; the versions in their reporter's name that nothing proves count no more.",
  count_both: "The other version counts as a report of its own as soon as its message is processed.",
  cancelled: "Cancelled. Files it had sent and that had not been looked at yet are skipped, and counted.",
  started: "Started. The page shows how far it is.",
};

interface HeadProps {
  request: PageRequest;
  tab: OperationsTab;
  title: Child;
  lead?: Child;
  period?: Period;
}

export function OperationsHead({ request, tab, title, lead, period }: HeadProps) {
  const done = DONE[request.parameters.get("done") ?? ""];
  const count = Number(request.parameters.get("count") ?? "");
  const refused = Number(request.parameters.get("refused") ?? "");
  return (
    <>
      <PageHead title={title} lead={lead}>
        {period !== undefined && <PeriodControl url={request.url} period={period} presets={OPERATIONS_PRESETS} />}
      </PageHead>
      <Tabs label="Operations" tabs={TABS} current={tab} />
      {done !== undefined && (
        <Note kind="done">
          {count > 0 && `${count}: `}
          {done} {refused > 0 && `${refused} could not be: look at each to see why.`}
        </Note>
      )}
    </>
  );
}

/** Long lists come a part at a time: the way to the next part, and back to the first. */
export function ListParts({ url, next }: { url: URL; next: string | undefined }) {
  const isFirst = !url.searchParams.has("cursor");
  if (isFirst && next === undefined) return null;
  return (
    <Note>
      This is one part of the list; sorting, filter and files are about this part.{" "}
      {!isFirst && <a href={linkWith(url, { cursor: undefined })}>First part</a>}{" "}
      {next !== undefined && <a href={linkWith(url, { cursor: next })}>Next part</a>}
    </Note>
  );
}
