/** What a domain publishes about its mail, as it was last found in DNS: what is wrong, by which rule, and what to publish. */
import type { Answer } from "../../../shared/dns/resolver.ts";
import { CHECK_TITLES } from "../../../shared/guidance/check.ts";
import type { StoredCheck } from "../../../shared/guidance/stored-check.ts";
import { zoneData } from "../../../shared/guidance/txt-strings.ts";
import {
  accountOfDomainQuery,
  checksQuery,
  type KeptCheck,
  recordChangesQuery,
  type SeenChange,
} from "../../../shared/ledger/domain-checks.ts";
import { registeredDomainQuery } from "../../../shared/ledger/registered-domains.ts";
import { GUIDANCE_LIMITS } from "../../../shared/limits.ts";
import { isoMinute } from "../data/days.ts";
import { ApiError, isWrongInput } from "../errors.ts";
import { domainPage, NoReports, titleAndDomain } from "../parts/domain-frame.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import { linkTo } from "../parts/links.ts";
import { StateMark } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import type { PageRequest } from "../parts/page-request.ts";
import { type Said, SaidNote, saying } from "../parts/said-note.tsx";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";
import { domainPath, setupPath } from "../paths.ts";

type OneCheck = StoredCheck["checks"][number];
type Finding = OneCheck["findings"][number];

export async function recordsPage(request: PageRequest, domain: string, said?: Said): Promise<PageResult> {
  const accounts = await request.accounts();
  const [[kept], changes, [reported], [registered]] = await Promise.all([
    request.ask(checksQuery(domain, accounts)),
    request.ask(recordChangesQuery(domain, accounts, GUIDANCE_LIMITS.maxShownChanges)),
    request.ask(accountOfDomainQuery(domain, accounts)),
    request.ask(registeredDomainQuery(domain, accounts)),
  ]);
  const account = kept?.account ?? reported ?? registered?.account;
  const table = changesTable(changes);
  return domainPage(request, {
    domain,
    tab: "records",
    ...titleAndDomain("Records of", domain),
    lead: kept === undefined ? "What this domain publishes" : <CheckedAt kept={kept} />,
    tables: [table],
    body: (
      <>
        {said !== undefined && <SaidNote said={said} />}
        {account === undefined ? (
          <NoReports domain={domain} />
        ) : (
          <CheckForm
            action={linkTo(request, `${domainPath(domain)}/records`)}
            account={account}
            isFirst={kept === undefined}
          />
        )}
        {registered !== undefined && (
          <p>
            <a href={setupPath(domain, registered.account)}>Address for its reports, and the records that bring them</a>
          </p>
        )}
        {kept !== undefined && <Checks check={kept.check} />}
        {kept !== undefined && table.view(request.url)}
      </>
    ),
  });
}

/** Checks the domain now. @returns the page to go to, or the page that says why nothing was found */
export async function checkAgain(
  request: PageRequest,
  form: URLSearchParams,
  domain: string,
): Promise<string | PageResult> {
  const account = form.get("account") ?? "";
  const isTheirs = (await request.accounts()).includes(account);
  if (!isTheirs) throw new ApiError("not_found", "There is no such domain.");
  try {
    await request.operate("checkDomain", { account, domain });
  } catch (error) {
    if (!isWrongInput(error)) throw error;
    return recordsPage(request, domain, { kind: "fault", sentence: error.message });
  }
  return saying("checked", linkTo(request, `${domainPath(domain)}/records`));
}

function CheckedAt({ kept }: { kept: KeptCheck }) {
  return <>Checked {isoMinute(kept.checkedSeconds)}; checked again every day</>;
}

function CheckForm({ action, account, isFirst }: { action: string; account: string; isFirst: boolean }) {
  return (
    <form class="inline" method="post" action={action}>
      <input type="hidden" name="account" value={account} />
      {isFirst && <p>Not checked yet. It is checked within a day; or check it now, which takes a few seconds.</p>}
      <button type="submit">{isFirst ? "Check now" : "Check again"}</button>
    </form>
  );
}

function Checks({ check }: { check: StoredCheck }) {
  const [worst, ...others] = check.checks;
  return (
    <>
      {worst !== undefined && (
        <CheckCard check={worst}>
          <Policies check={check} />
        </CheckCard>
      )}
      <div class="columns">
        {others.map((one) => (
          <CheckCard check={one} />
        ))}
      </div>
    </>
  );
}

function CheckCard({ check, children }: { check: OneCheck; children?: unknown }) {
  const { kind, state, summary, findings, asked } = check;
  return (
    <section class="card" aria-labelledby={`check-${kind}`}>
      <h2 id={`check-${kind}`}>
        {CHECK_TITLES[kind]} <StateMark state={state} />
      </h2>
      <p class="lead">
        <ForeignText text={summary} />
      </p>
      {findings.length > 0 && (
        <ul class="findings">
          {findings.map((finding) => (
            <FindingItem finding={finding} />
          ))}
        </ul>
      )}
      {children}
      <details>
        <summary>What DNS said</summary>
        <ul class="findings small">
          {asked.map(({ name, type, status, records }) => (
            <li>
              <span class="mono">
                {type} <ForeignText text={name} />
              </span>
              {": "}
              {status === "answers" ? "" : wordsOf(status)}
              {records.map((record) => (
                <div class="mono">
                  <ForeignText text={record} />
                </div>
              ))}
            </li>
          ))}
        </ul>
      </details>
    </section>
  );
}

const STATUS_WORDS: Record<Exclude<Answer["status"], "answers">, string> = {
  nxdomain: "no such name",
  nodata: "no such record",
  servfail: "the DNS server failed",
  timeout: "no answer in time",
  unknown: "no answer",
};

// As a check has kept it, which may be of another version.
function wordsOf(status: string): string {
  return Object.entries(STATUS_WORDS).find(([name]) => name === status)?.[1] ?? status;
}

function FindingItem({ finding: { state, sentence, rule, publish } }: { finding: Finding }) {
  return (
    <li>
      <StateMark state={state} /> <ForeignText text={sentence} /> <span class="muted small">{rule}</span>
      {publish !== undefined && (
        <pre class="mono record">
          <ForeignText text={publish.name} /> {publish.type} <ForeignText text={zoneData(publish)} />
        </pre>
      )}
    </li>
  );
}

function Policies({ check: { policies, olderPolicies, policyDomain } }: { check: StoredCheck }) {
  if (policyDomain === undefined) return undefined;
  const rows = [
    { label: "The domain itself", key: "domain" },
    { label: "A subdomain", key: "subdomain" },
    { label: "A name that doesn't exist", key: "nonexistent" },
  ] as const;
  return (
    <table class="plain">
      <caption class="hidden-label">Policy that receivers apply</caption>
      <thead>
        <tr>
          <th scope="col">Mail from</th>
          <th scope="col">Policy applied</th>
          <th scope="col">By older receivers (RFC 7489)</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ label, key }) => (
          <tr>
            <th scope="row">{label}</th>
            <td>{policies[key] ?? "none"}</td>
            <td>{olderPolicies[key] ?? "none"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function changesTable(changes: readonly SeenChange[]): BoundTable {
  return bindTable<SeenChange>({
    id: "changes",
    caption: "Changes of these records",
    rows: changes,
    sort: "-seen",
    empty: "No change since the first check.",
    columns: [
      { key: "seen", label: "Seen", value: ({ seenSeconds }) => isoMinute(seenSeconds) },
      { key: "name", label: "Name", value: ({ name }) => name, cell: ({ name }) => <ForeignText text={name} /> },
      { key: "type", label: "Type", value: ({ type }) => type },
      {
        key: "before",
        label: "Before",
        value: ({ before }) => before.join("\n"),
        cell: ({ before }) => <Records records={before} />,
      },
      {
        key: "after",
        label: "Since then",
        value: ({ after }) => after.join("\n"),
        cell: ({ after }) => <Records records={after} />,
      },
    ],
  });
}

function Records({ records }: { records: readonly string[] }) {
  if (records.length === 0) return <span class="muted">none</span>;
  return (
    <>
      {records.map((record) => (
        <div class="mono">
          <ForeignText text={record} />
        </div>
      ))}
    </>
  );
}
