/** What needs attention: open incidents of the person's domains, resolved ones, and what is muted. */
import { mutesQuery } from "../../../shared/ledger/notices.ts";
import { PAGE_LIMITS } from "../../../shared/limits.ts";
import { type Incident, type Mute, RULE_CODES, type RuleCode, SEVERITIES } from "../../../shared/watch/finding.ts";
import { type Access, mayAdminister } from "../access.ts";
import { isoMinute } from "../data/days.ts";
import { ApiError } from "../errors.ts";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import { limitNote } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { PageHead } from "../parts/page-head.tsx";
import type { PageRequest } from "../parts/page-request.ts";
import { saying } from "../parts/said-note.tsx";
import { type BoundTable, bindTable, type ViewColumn } from "../parts/table-view.tsx";
import { domainPath } from "../paths.ts";

const PATH = "/alerts";

/** What rules are called. */
const RULE_WORDS: Record<RuleCode, string> = {
  ownMailRefused: "Own mail refused",
  ownSenderFails: "Sender fails",
  mtaStsBreaksMail: "MTA-STS",
  recordBroke: "Record broken",
  reportsStopped: "No reports",
  newSender: "New sender",
  spoofingRises: "Spoofing",
  tlsFails: "TLS failures",
  passRateDrops: "Pass rate",
  verdictChanged: "Verdict",
  reporterSilent: "Silent reporter",
  recordChanged: "Record changed",
  pipelineBehind: "Pipeline",
};

const SEVERITY_WORDS = { urgent: "Urgent", attention: "Attention", info: "Info" } as const;

export async function alertsPage(request: PageRequest): Promise<PageResult> {
  const accounts = await request.accounts();
  const nowSeconds = Math.floor(Date.now() / 1000);
  const [{ items: open }, { items: resolved }, mutes] = await Promise.all([
    request.read("listIncidents", {}),
    request.read("listIncidents", { state: "resolved" }),
    request.ask(mutesQuery(accounts, nowSeconds)),
  ]);
  const tables = [openTable(request.access, open), resolvedTable(resolved), mutesTable(request.access, mutes)];
  return {
    tables,
    content: {
      title: "Alerts",
      section: "alerts",
      body: (
        <>
          <PageHead title="Alerts" lead="Findings in reports and DNS records that need your attention">
            <a href="/channels">Channels: who gets alerts</a>
          </PageHead>
          {tables.map((table) => table.view(request.url))}
        </>
      ),
    },
  };
}

/** Mutes or unmutes. @returns the page to go to */
export async function changeMutes(request: PageRequest, form: URLSearchParams): Promise<string> {
  const field = (name: string): string | undefined => form.get(name) || undefined;
  const account = field("account") ?? "";
  if (!(await request.accounts()).includes(account)) throw new ApiError("not_found", "There is no such account.");
  const ruleText = field("rule");
  const rule = RULE_CODES.find((code) => code === ruleText);
  if (rule === undefined && ruleText !== undefined) throw new ApiError("bad_request", "There is no such rule.");
  const name = { account, domain: field("domain"), rule, subject: field("subject") };
  if (form.get("action") === "unmute") await request.operate("unmute", name);
  else await request.operate("mute", { ...name, days: field("days") === undefined ? undefined : readDays(form) });
  return saying("saved", PATH);
}

function readDays(form: URLSearchParams): number {
  const days = Number(form.get("days"));
  if (!Number.isInteger(days) || days < 1 || days > 3650) throw new ApiError("bad_request", "Enter 1 to 3650 days.");
  return days;
}

/** What both lists of incidents show. */
function incidentColumns(): ViewColumn<Incident>[] {
  return [
    {
      key: "severity",
      label: "Severity",
      value: ({ severity }) => SEVERITIES.indexOf(severity) + 1,
      cell: ({ severity }) => <span class="tag">{SEVERITY_WORDS[severity]}</span>,
    },
    {
      key: "title",
      label: "What",
      value: ({ title }) => title,
      cell: (incident) => <What incident={incident} />,
    },
    {
      key: "domain",
      label: "Domain",
      value: ({ domain }) => domain,
      cell: ({ domain }) =>
        domain === "" ? (
          ""
        ) : (
          <a href={domainPath(domain)}>
            <Name text={domain} />
          </a>
        ),
    },
    { key: "rule", label: "Rule", value: ({ rule }) => RULE_WORDS[rule] },
    { key: "opened", label: "Since", value: ({ openedSeconds }) => isoMinute(openedSeconds) },
    { key: "account", label: "Account", value: ({ account }) => account, exportOnly: true },
    { key: "subject", label: "Subject", value: ({ subject }) => subject, exportOnly: true },
    { key: "evidence", label: "Evidence", value: ({ evidence }) => evidence.join("\n"), exportOnly: true },
    {
      key: "cause",
      label: "Cause",
      value: ({ causes }) => causes.map(({ sentence }) => sentence).join("\n"),
      exportOnly: true,
    },
  ];
}

function What({ incident: { title, link, evidence, causes } }: { incident: Incident }) {
  return (
    <>
      <a href={link}>
        <ForeignText text={title} />
      </a>
      {evidence.map((sentence) => (
        <div class="small">
          <ForeignText text={sentence} />
        </div>
      ))}
      {causes.slice(0, 1).map(({ sentence }) => (
        <div class="small muted">
          <ForeignText text={sentence} />
        </div>
      ))}
    </>
  );
}

function openTable(access: Access, rows: readonly Incident[]): BoundTable {
  return bindTable<Incident>({
    id: "open",
    caption: "Open",
    rows,
    sort: "severity",
    empty: "Nothing needs your attention. New findings appear here.",
    partial: limitNote(rows, PAGE_LIMITS.incidents, "the urgent ones come first"),
    columns: [
      ...incidentColumns(),
      {
        key: "mute",
        label: "Mute",
        value: () => "",
        cell: (incident) => mayAdminister(access, incident.account) && <MuteForm incident={incident} />,
      },
    ],
  });
}

type MuteName = Pick<Mute, "account" | "domain" | "rule" | "subject">;

/** What is muted, as fields of a form. */
function MutedFields({ account, domain, rule, subject }: MuteName) {
  return (
    <>
      <input type="hidden" name="account" value={account} />
      <input type="hidden" name="domain" value={domain} />
      <input type="hidden" name="rule" value={rule} />
      <input type="hidden" name="subject" value={subject} />
    </>
  );
}

function MuteForm({ incident: muted }: { incident: Incident }) {
  if (muted.account === "") return null;
  return (
    <form class="inline" method="post" action={PATH}>
      <MutedFields {...muted} />
      <button type="submit" name="days" value="30">
        Mute for 30 days
      </button>
    </form>
  );
}

function resolvedTable(rows: readonly Incident[]): BoundTable {
  return bindTable<Incident>({
    id: "resolved",
    caption: "Resolved",
    rows,
    sort: "-resolved",
    empty: "Nothing has been resolved yet.",
    partial: limitNote(rows, PAGE_LIMITS.incidents, "the newest come first"),
    columns: [
      ...incidentColumns(),
      { key: "resolved", label: "Resolved", value: ({ resolvedSeconds }) => isoMinute(resolvedSeconds) },
    ],
  });
}

function mutesTable(access: Access, rows: readonly Mute[]): BoundTable {
  return bindTable<Mute>({
    id: "mutes",
    caption: "Muted",
    rows,
    sort: "domain",
    empty: "Nothing is muted.",
    columns: [
      { key: "rule", label: "Rule", value: ({ rule }) => (rule === "" ? "All rules" : RULE_WORDS[rule]) },
      {
        key: "domain",
        label: "Domain",
        value: ({ domain }) => domain,
        cell: ({ domain }) => (domain === "" ? "All domains" : <Name text={domain} />),
      },
      {
        key: "subject",
        label: "Subject",
        value: ({ subject }) => subject,
        cell: ({ subject }) => (subject === "" ? "All" : <ForeignText text={subject} />),
      },
      { key: "account", label: "Account", value: ({ account }) => account },
      {
        key: "until",
        label: "Until",
        value: ({ untilSeconds }) => (untilSeconds === 0 ? "for good" : isoMinute(untilSeconds)),
      },
      { key: "by", label: "By", value: ({ mutedBy }) => mutedBy },
      { key: "note", label: "Note", value: ({ note }) => note },
      {
        key: "unmute",
        label: "Unmute",
        value: () => "",
        cell: (mute) => mayAdminister(access, mute.account) && <UnmuteForm mute={mute} />,
      },
    ],
  });
}

function UnmuteForm({ mute: muted }: { mute: Mute }) {
  return (
    <form class="inline" method="post" action={PATH}>
      <MutedFields {...muted} />
      <button type="submit" name="action" value="unmute">
        Unmute
      </button>
    </form>
  );
}
