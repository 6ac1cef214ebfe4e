/** Conflicts: reports that came twice with different content; a person decides which one counts. For operators. */
import type { Conflict, ReportVersion } from "../../../shared/storage.ts";
import { unlessRefused } from "../api/call.ts";
import { isoMinute } from "../data/days.ts";
import { explain } from "../data/glossary.ts";
import { formatCount } from "../data/numbers.ts";
import { ApiError } from "../errors.ts";
import { Note } from "../parts/marks.tsx";
import { OperationsHead } from "../parts/operations-frame.tsx";
import type { PageResult } from "../parts/page.ts";
import { linkWith, type PageRequest, requireOperator } from "../parts/request.ts";
import { bindTable } from "../parts/table-view.tsx";

const PATH = "/operations/conflicts";

export async function conflictsPage(request: PageRequest): Promise<PageResult> {
  requireOperator(request);
  const cursor = request.parameters.get("cursor") ?? undefined;
  const page = await request.operate((operations) => operations.listConflicts(cursor));
  const table = bindTable<Conflict>({
    id: "conflicts",
    caption: "Conflicts",
    rows: page.items,
    sort: "-at",
    empty: "None. No report came a second time with other content.",
    partial: page.cursor !== undefined && (
      <Note>
        There are more. <a href={linkWith(request.url, { cursor: page.cursor })}>Next part</a>
      </Note>
    ),
    columns: [
      { key: "at", label: "Filed (UTC)", value: ({ at }) => at, cell: ({ at }) => at.slice(0, 16).replace("T", " ") },
      { key: "domain", label: "Domain", value: ({ domain }) => domain },
      { key: "account", label: "Account", value: ({ account }) => account },
      { key: "reporter", label: "Reporter", value: ({ reporter }) => reporter },
      { key: "report_id", label: "Report id", value: ({ reportId }) => reportId },
      {
        key: "accepted",
        label: "Counts now",
        value: ({ accepted }) => versionText(accepted),
      },
      { key: "other", label: "The other", value: ({ other }) => versionText(other) },
      { key: "id", label: "Decide", value: ({ id }) => id, cell: ({ id }) => <DecideForm id={id} /> },
    ],
  });
  return {
    tables: [table],
    content: {
      title: "Conflicts",
      section: "operations",
      body: (
        <>
          <OperationsHead {...{ request, tab: "conflicts", title: "Conflicts" }} lead={explain("Conflict")} />
          {table.view(request.url)}
        </>
      ),
    },
  };
}

/** Decides one conflict. @returns the page to go to */
export async function decideConflict(request: PageRequest, form: URLSearchParams): Promise<string> {
  requireOperator(request);
  const action = form.get("action");
  const id = form.get("id") ?? "";
  if (action === "accept") {
    unlessRefused(await request.operate((operations) => operations.acceptConflict(id)));
    return `${PATH}?done=accepted`;
  }
  if (action !== "discard") throw new ApiError("bad_request", "action is accept or discard.");
  unlessRefused(await request.operate((operations) => operations.discardConflict(id)));
  return `${PATH}?done=kept`;
}

function DecideForm({ id }: { id: string }) {
  return (
    <form class="inline" method="post" action={PATH}>
      <input type="hidden" name="id" value={id} />
      <button type="submit" name="action" value="accept">
        Take the other
      </button>
      <button type="submit" name="action" value="discard">
        Keep the first
      </button>
    </form>
  );
}

function versionText({ records, messages, receivedSeconds }: ReportVersion): string {
  return `${formatCount(messages)} messages in ${formatCount(records)} records, received ${isoMinute(receivedSeconds)}`;
}
