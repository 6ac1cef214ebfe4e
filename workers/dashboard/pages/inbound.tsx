/** Inbound security of a domain: the MTA-STS policy that is served for it, what its mail hosts are, and what to do next. */
import type { Outputs } from "../../../shared/contract/operations.ts";
import { MTA_STS_MODES, type MtaStsMode } from "../../../shared/guidance/mta-sts-policy.ts";
import { type NeededRecord, tlsRecordToPublish } from "../../../shared/guidance/records-to-publish.ts";
import { tlsRecordsOf } from "../../../shared/guidance/stored-check.ts";
import { accountOfDomainQuery, checksQuery } from "../../../shared/ledger/domain-checks.ts";
import { registeredDomainQuery } from "../../../shared/ledger/registered-domains.ts";
import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { mayAdminister } from "../access.ts";
import { isoDay, isoMinute } from "../data/days.ts";
import { formatCount } from "../data/numbers.ts";
import { describeTlsResult } from "../data/tls-words.ts";
import { ApiError } from "../errors.ts";
import { domainPage, NoReports, titleAndDomain } from "../parts/domain-frame.tsx";
import { Field } from "../parts/field.tsx";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import { linkTo } from "../parts/links.ts";
import { Explained, ProblemNote, StateMark } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { accountOfForm, type PageRequest } from "../parts/page-request.ts";
import { saying } from "../parts/said-note.tsx";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";
import { Term } from "../parts/term.tsx";
import { addPath, domainPath } from "../paths.ts";

type MtaStsState = Outputs["mtaSts"];
type Failure = MtaStsState["advice"]["failures"][number];
type Change = MtaStsState["changes"][number];

export async function inboundPage(request: PageRequest, domain: string): Promise<PageResult> {
  return renderInbound(request, domain);
}

/** The message above the form. */
interface Said {
  problem: string;
  /** What was typed, to be corrected. */
  form: URLSearchParams;
}

async function renderInbound(request: PageRequest, domain: string, said?: Said): Promise<PageResult> {
  const account = await accountOf(request, domain);
  const known = account === undefined ? undefined : await request.read("mtaSts", { account, domain });
  const forReports = known === undefined ? undefined : await tlsRecord(request, known);
  const tables = known === undefined ? emptyTables() : tablesOf(known);
  return domainPage(request, {
    domain,
    tab: "inbound",
    ...titleAndDomain("Inbound mail of", domain),
    lead: "Whether mail to this domain must be encrypted in transit",
    tables: Object.values(tables),
    body: (
      <>
        {known === undefined ? (
          <NoReports domain={domain} />
        ) : (
          <Content request={request} known={known} forReports={forReports} tables={tables} said={said} />
        )}
      </>
    ),
  });
}

/** The account that has the domain, among those the person may see. */
async function accountOf(request: PageRequest, domain: string): Promise<string | undefined> {
  const accounts = await request.accounts();
  const [[registered], [kept], [reported]] = await Promise.all([
    request.ask(registeredDomainQuery(domain, accounts)),
    request.ask(checksQuery(domain, accounts)),
    request.ask(accountOfDomainQuery(domain, accounts)),
  ]);
  return registered?.account ?? kept?.account ?? reported;
}

/**
 * The record that asks for TLS reports: the one that the last check of the domain found, with the address where it is
 * missing; a new one where nothing was found, or nothing is known.
 */
async function tlsRecord(
  request: PageRequest,
  { account, domain, registeredWith }: MtaStsState,
): Promise<NeededRecord | undefined> {
  if (registeredWith === null) return undefined;
  const [[kept], [registered]] = await Promise.all([
    request.ask(checksQuery(domain, [account])),
    request.ask(registeredDomainQuery(domain, [account])),
  ]);
  const isTls = ({ name }: { name: string }): boolean => name === `_smtp._tls.${domain}`;
  const tls = kept === undefined ? undefined : tlsRecordsOf(kept.check);
  const ofSetup = registered?.rua === registeredWith ? registered.setup?.records.find(isTls) : undefined;
  if (tls === undefined && ofSetup !== undefined) return ofSetup;
  return tlsRecordToPublish(domain, registeredWith, tls ?? []);
}

/** Does what the form says. @returns the page to go to, or the page with what is wrong */
export async function changeInbound(
  request: PageRequest,
  form: URLSearchParams,
  domain: string,
): Promise<string | PageResult> {
  const account = await accountOfForm(request, form);
  const here = linkTo(request, `${domainPath(domain)}/inbound`);
  try {
    if (form.get("action") === "remove") {
      await request.operate("removeMtaSts", { account, domain });
      return saying("removed", here);
    }
    await request.operate("setMtaSts", { account, domain, ...policyOf(form) });
    return saying("saved", here);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "bad_request") throw error;
    return renderInbound(request, domain, { problem: error.message, form });
  }
}

function policyOf(form: URLSearchParams) {
  const mode = MTA_STS_MODES.find((one) => one === form.get("mode"));
  if (mode === undefined) throw new ApiError("bad_request", "Choose a mode.");
  const mx = (form.get("mx") ?? "").split(/[\s,]+/).filter((host) => host !== "");
  const force = form.get("force") === "yes";
  return { mode, mx, maxAgeSeconds: Number(form.get("max_age")), ...(force ? { force } : {}) };
}

interface ContentProps {
  request: PageRequest;
  known: MtaStsState;
  forReports: NeededRecord | undefined;
  tables: ReturnType<typeof tablesOf>;
  said: Said | undefined;
}

function Content({ request, known, forReports, tables, said }: ContentProps) {
  const { url } = request;
  const action = linkTo(request, `${domainPath(known.domain)}/inbound`);
  const mayChange = mayAdminister(request.access, known.account);
  return (
    <>
      {said !== undefined && <ProblemNote problem={said.problem} />}
      <NextStep known={known} action={mayChange ? action : undefined} />
      {known.advice.failures.length > 0 && tables.failures.view(url)}
      {known.hosted !== null && <Publish known={known} forReports={forReports} />}
      {known.registeredWith === null ? (
        <NotRegistered domain={known.domain} mayAdd={mayChange} />
      ) : (
        mayChange && <PolicyForm known={known} action={action} said={said} />
      )}
      {tables.hosts.view(url)}
      {known.changes.length > 0 && tables.changes.view(url)}
    </>
  );
}

const MODE_WORDS: Record<MtaStsMode, { label: string; meaning: string }> = {
  none: { label: "None", meaning: "switches MTA-STS off in an orderly way: senders forget the policy" },
  testing: { label: "Testing", meaning: "changes nothing about delivery; TLS reports tell what enforce would refuse" },
  enforce: {
    label: "Enforce",
    meaning: "mail that can't be delivered over a verified encrypted connection is not delivered",
  },
};

/** @param props.action where the form is sent to; undefined = the person may not change it */
function NextStep({ known, action }: { known: MtaStsState; action: string | undefined }) {
  const { advice, hosted, isServed } = known;
  return (
    <section class="card" aria-labelledby="next">
      <h2 id="next">
        <Term name="MTA-STS" /> <StateMark state={advice.state} />
      </h2>
      <p class="lead">
        <ForeignText text={advice.sentence} />
      </p>
      {hosted !== null && (
        <p class="small muted">
          Mode {hosted.policy.mode}, {isServed ? "served" : "not served"} at{" "}
          <span class="mono">
            <ForeignText text={known.url} />
          </span>
          .
        </p>
      )}
      {action !== undefined && hosted !== null && advice.mode !== undefined && (
        <form class="inline" method="post" action={action}>
          <PolicyFields known={known} mode={advice.mode} />
          <button type="submit" name="action" value="set">
            {advice.mode === "enforce" ? "Switch to enforce" : "Go back to testing"}
          </button>
        </form>
      )}
    </section>
  );
}

/** The policy as it is, with another mode. */
function PolicyFields({ known: { account, hosted }, mode }: { known: MtaStsState; mode: MtaStsMode }) {
  return (
    <>
      <input type="hidden" name="account" value={account} />
      <input type="hidden" name="mode" value={mode} />
      <input type="hidden" name="mx" value={hosted?.policy.mx.join(" ") ?? ""} />
      <input type="hidden" name="max_age" value={String(hosted?.policy.maxAgeSeconds ?? DEFAULT_SECONDS)} />
    </>
  );
}

function Publish({ known: { domain, hosted, url }, forReports }: Pick<ContentProps, "known" | "forReports">) {
  if (hosted === null) return null;
  const records = [hosted.record, ...(forReports === undefined ? [] : [forReports])];
  return (
    <section class="card" aria-labelledby="publish">
      <h2 id="publish">Records to publish</h2>
      {records.map(({ name, type, value }) => (
        <pre class="mono record">
          <ForeignText text={name} /> {type} "<ForeignText text={value} />"
        </pre>
      ))}
      {forReports !== undefined && (
        <p>
          The second one asks for the TLS reports that the advice rests on. <ForeignText text={forReports.sentence} />
        </p>
      )}
      <p>
        The id in the first changes with every change of the policy: publish the record again each time. The host{" "}
        <span class="mono">
          mta-sts.
          <ForeignText text={domain} />
        </span>{" "}
        must point to this dashboard, with its own certificate; the section Hosted MTA-STS of docs/guidance.md says how.
        Senders fetch{" "}
        <span class="mono">
          <ForeignText text={url} />
        </span>
        .
      </p>
    </section>
  );
}

function NotRegistered({ domain, mayAdd }: { domain: string; mayAdd: boolean }) {
  return (
    <section class="card">
      <p>
        A policy is served only for domains that were added here.{" "}
        {mayAdd ? <a href={addPath(domain)}>Add this domain</a> : "An administrator of the account can add this one."}
      </p>
    </section>
  );
}

/** Two weeks: RFC 8461 section 3.2 expects weeks or more. */
const DEFAULT_SECONDS = 14 * SECONDS_PER_DAY;
/** RFC 8461 section 3.2: a year at most. */
const AGES: [label: string, seconds: number][] = [
  ["1 day", SECONDS_PER_DAY],
  ["1 week", 7 * SECONDS_PER_DAY],
  ["2 weeks", DEFAULT_SECONDS],
  ["1 month", 30 * SECONDS_PER_DAY],
  ["3 months", 90 * SECONDS_PER_DAY],
  ["1 year", 365 * SECONDS_PER_DAY],
];

function PolicyForm({ known, action, said }: { known: MtaStsState; action: string; said: Said | undefined }) {
  const { account, hosted, hosts } = known;
  const mode = said?.form.get("mode") ?? hosted?.policy.mode ?? "testing";
  const found = hosts?.map(({ host }) => host) ?? [];
  return (
    <section class="card" aria-labelledby="policy">
      <h2 id="policy">Policy</h2>
      <form method="post" action={action} class="stacked">
        <input type="hidden" name="account" value={account} />
        <ModeChoice mode={mode} />
        <MailHosts mx={said?.form.get("mx") ?? (hosted?.policy.mx ?? found).join("\n")} />
        <AgeChoice ageSeconds={Number(said?.form.get("max_age") ?? hosted?.policy.maxAgeSeconds ?? DEFAULT_SECONDS)} />
        {said !== undefined && mode === "enforce" && (
          <p>
            <label>
              <input type="checkbox" name="force" value="yes" /> Enforce it anyway
            </label>
          </p>
        )}
        <div class="buttons">
          <button type="submit" name="action" value="set">
            {hosted === null ? "Serve this policy" : "Save"}
          </button>
          {hosted !== null && (
            <button type="submit" name="action" value="remove" formnovalidate>
              Stop serving it
            </button>
          )}
        </div>
      </form>
    </section>
  );
}

function ModeChoice({ mode }: { mode: string }) {
  return (
    <>
      {MTA_STS_MODES.map((one) => (
        <p>
          <label>
            <input type="radio" name="mode" value={one} required checked={one === mode} />{" "}
            <strong>{MODE_WORDS[one].label}</strong>: {MODE_WORDS[one].meaning}.
          </label>
        </p>
      ))}
    </>
  );
}

/** @param mx the hosts, one a line */
function MailHosts({ mx }: { mx: string }) {
  return (
    <p>
      <label for="policy-mx">Mail hosts it covers, one per line (*. matches one label)</label>
      <textarea
        id="policy-mx"
        name="mx"
        rows={Math.min(8, Math.max(3, mx.split("\n").length + 1))}
        cols={40}
        spellcheck={false}
      >
        {mx}
      </textarea>
    </p>
  );
}

function AgeChoice({ ageSeconds }: { ageSeconds: number }) {
  const isUsual = AGES.some(([, seconds]) => seconds === ageSeconds);
  const ages = isUsual ? AGES : [...AGES, [`${formatCount(ageSeconds)} seconds`, ageSeconds] as const];
  return (
    <p>
      <Field id="policy-age" label="Senders remember it for">
        <select id="policy-age" name="max_age">
          {ages.map(([label, seconds]) => (
            <option value={String(seconds)} selected={seconds === ageSeconds}>
              {label}
            </option>
          ))}
        </select>
      </Field>
    </p>
  );
}

function tablesOf(known: MtaStsState) {
  return {
    hosts: hostsTable(known),
    failures: failuresTable(known.advice.failures),
    changes: changesTable(known.changes),
  };
}

function emptyTables(): ReturnType<typeof tablesOf> {
  return { hosts: hostsTable(undefined), failures: failuresTable([]), changes: changesTable([]) };
}

function hostsTable(known: MtaStsState | undefined): BoundTable {
  const seen = known?.checkedSeconds ?? null;
  const policy = known?.hosted ?? null;
  return bindTable({
    id: "hosts",
    caption: seen === null ? "Mail hosts" : `Mail hosts, as of ${isoMinute(seen)}`,
    rows: known?.hosts ?? [],
    sort: "host",
    empty:
      known?.hosts === null ? (
        <>
          Unknown: DNS has not been checked yet, or gave no answer.{" "}
          <a href={`${domainPath(known.domain)}/records`}>Check now on the page Records</a>
        </>
      ) : (
        "The domain takes no mail."
      ),
    columns: [
      { key: "host", label: "Host (MX)", value: ({ host }) => host, cell: ({ host }) => <Name text={host} /> },
      {
        key: "covered",
        label: "Named by the policy",
        value: ({ isCovered }) => (policy === null ? "" : isCovered ? "yes" : "no"),
        cell: ({ isCovered }) => {
          if (policy === null) return <span class="muted">no policy</span>;
          return isCovered ? <span class="result pass">✓ yes</span> : <span class="result fail">✕ no</span>;
        },
      },
    ],
  });
}

function failuresTable(failures: readonly Failure[]): BoundTable {
  return bindTable<Failure>({
    id: "failures",
    caption: "Failures that stand in the way",
    rows: failures,
    sort: "-sessions",
    empty: "No failure.",
    columns: [
      {
        key: "result",
        label: "What failed, and what to do",
        value: ({ resultType }) => resultType,
        cell: ({ resultType }) => (
          <Explained
            word={resultType}
            meaning={resultType === "" ? "Reports give no reason." : describeTlsResult(resultType)}
          />
        ),
      },
      {
        key: "host",
        label: "Mail host",
        value: ({ receivingHost }) => receivingHost,
        cell: ({ receivingHost }) =>
          receivingHost === "" ? <span class="muted">not said</span> : <Name text={receivingHost} />,
      },
      { key: "sessions", label: "Sessions", value: ({ sessions }) => sessions, align: "end" },
      { key: "last", label: "Last seen", value: ({ lastDay }) => isoDay(lastDay) },
    ],
  });
}

function changesTable(changes: readonly Change[]): BoundTable {
  return bindTable<Change>({
    id: "changes",
    caption: "Changes of the policy",
    rows: changes,
    sort: "-changed",
    empty: "No change.",
    columns: [
      { key: "changed", label: "Changed", value: ({ changedSeconds }) => isoMinute(changedSeconds) },
      {
        key: "by",
        label: "By",
        value: ({ changedBy }) => changedBy,
        cell: ({ changedBy }) => <ForeignText text={changedBy} />,
      },
      { key: "mode", label: "Mode", value: ({ policy }) => policy?.mode ?? "not served" },
      {
        key: "mx",
        label: "Mail hosts",
        value: ({ policy }) => policy?.mx.join(" ") ?? "",
        cell: ({ policy }) => <ForeignText text={policy?.mx.join(" ") ?? ""} />,
      },
      { key: "age", label: "Remembered, seconds", value: ({ policy }) => policy?.maxAgeSeconds ?? "", align: "end" },
    ],
  });
}
