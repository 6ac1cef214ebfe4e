/** A domain on the way to its first report: its address, the records to publish, how far it is, and taking it away again. */
import { FORBIDDEN } from "../../../shared/contract/operation.ts";
import type { SetupState } from "../../../shared/guidance/setup-state.ts";
import { accountOfDomainQuery } from "../../../shared/ledger/domain-checks.ts";
import { type RegisteredDomain, registeredDomainQuery } from "../../../shared/ledger/registered-domains.ts";
import { SETUP_LIMITS } from "../../../shared/limits.ts";
import { mayAdminister } from "../access.ts";
import { isoMinute } from "../data/days.ts";
import { ApiError } from "../errors.ts";
import { domainCrumbs } from "../parts/domain-frame.tsx";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import { Note } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { PageHead } from "../parts/page-head.tsx";
import { accountOfForm, type PageRequest } from "../parts/page-request.ts";
import { saying } from "../parts/said-note.tsx";
import { addPath, domainPath, setupPath } from "../paths.ts";
import { SetupMark } from "./domain-status.tsx";

type Setup = NonNullable<RegisteredDomain["setup"]>;
type NeededRecord = Setup["records"][number];

interface SetupOptions {
  /** Ask whether it is really to be removed. */
  isRemoving?: boolean;
}

export async function setupPage(
  request: PageRequest,
  domain: string,
  { isRemoving = false }: SetupOptions = {},
): Promise<PageResult> {
  const accounts = await request.accounts();
  const [registered, [reported]] = await Promise.all([
    request.ask(registeredDomainQuery(domain, accounts)),
    request.ask(accountOfDomainQuery(domain, accounts)),
  ]);
  const asked = request.parameters.get("account");
  const shown = registered.find(({ account }) => account === asked) ?? registered[0];
  const state = stateOf(shown, reported);
  if (shown !== undefined) checkLater(request, shown, state);
  const isWaiting = shown !== undefined && state !== "receiving" && !isRemoving;
  return {
    tables: [],
    content: {
      title: `Set-up of ${domain}`,
      section: "domains",
      crumbs: domainCrumbs(request),
      ...(isWaiting ? { refreshSeconds: SETUP_LIMITS.pageRefreshSeconds } : {}),
      body: (
        <>
          <PageHead title={<Name text={domain} />} lead="Set-up: from the DNS records to the first report" />
          {shown === undefined ? (
            <NotAdded request={request} hasReports={reported !== undefined} domain={domain} />
          ) : (
            <>
              {isRemoving && <ConfirmRemoval registered={shown} />}
              <Progress registered={shown} state={state} />
              <Records registered={shown} state={state} />
              <OtherAccounts registered={registered} shown={shown} />
              {!isRemoving && mayAdminister(request.access, shown.account) && <RemoveForm registered={shown} />}
            </>
          )}
        </>
      ),
    },
  };
}

/** A report may have come since the last check. */
function stateOf(shown: RegisteredDomain | undefined, reported: string | undefined): SetupState {
  if (shown === undefined) return "unknown";
  return reported === shown.account ? "receiving" : shown.state;
}

/** Has DNS asked again after the page was sent: the page shows what is known, however slow DNS is. */
function checkLater(
  request: PageRequest,
  { account, domain, checkedSeconds }: RegisteredDomain,
  state: SetupState,
): void {
  const isOld = checkedSeconds < Date.now() / 1000 - SETUP_LIMITS.pageCheckSeconds;
  if (isOld && state !== "receiving") request.later(request.operate("domainSetup", { account, domain }));
}

function NotAdded({ request, domain, hasReports }: { request: PageRequest; domain: string; hasReports: boolean }) {
  return (
    <section class="card">
      <p>
        This domain was not added here, or you have no access.{" "}
        {hasReports && <a href={domainPath(domain)}>Its reports</a>}
      </p>
      {request.access.role !== "viewer" && (
        <p>
          <a class="button" href={addPath(domain)}>
            Add this domain
          </a>
        </p>
      )}
    </section>
  );
}

/** Steps in their order; each is done once the state is beyond it. */
const STEPS: { label: string; missing: readonly SetupState[] }[] = [
  { label: "An address for the reports is registered", missing: [] },
  { label: "The DMARC record names the address", missing: ["unknown", "recordNotFound", "wrongAddress"] },
  {
    label: "The address's domain permits the reports",
    missing: ["unknown", "recordNotFound", "wrongAddress", "notPermitted"],
  },
  {
    label: "The first report has come",
    missing: ["unknown", "recordNotFound", "wrongAddress", "notPermitted", "waiting"],
  },
];

function Progress({ registered, state }: { registered: RegisteredDomain; state: SetupState }) {
  const { domain, rua, checkedSeconds, setup, account } = registered;
  const isReceiving = state === "receiving";
  const sentence = isReceiving ? "Reports are coming in." : (setup?.sentence ?? "Not checked yet.");
  return (
    <section class="card" aria-labelledby="progress">
      <h2 id="progress">
        <SetupMark state={state} />
      </h2>
      <p class="lead" role="status">
        <ForeignText text={sentence} /> {isReceiving && <a href={domainPath(domain)}>See the overview</a>}
      </p>
      <ol class="steps">
        {STEPS.map(({ label, missing }) => (
          <li>
            {missing.includes(state) ? (
              <>
                <span aria-hidden="true">○</span> {label} <span class="muted small">not yet</span>
              </>
            ) : (
              <>
                <span class="result pass">✓</span> {label}
              </>
            )}
          </li>
        ))}
      </ol>
      <p>
        Address for its reports:{" "}
        <code data-copy={rua} title="address">
          <ForeignText text={rua} />
        </code>
      </p>
      {!isReceiving && (
        <form class="inline" method="post" action={setupPath(domain, account)}>
          <input type="hidden" name="account" value={account} />
          <button class="primary" type="submit" name="action" value="check">
            Check now
          </button>
          <span class="small muted">
            {checkedSeconds === 0 ? "Not checked yet." : `Checked ${isoMinute(checkedSeconds)}.`} This page checks again
            by itself.
          </span>
        </form>
      )}
    </section>
  );
}

function Records({ registered: { setup, domain }, state }: { registered: RegisteredDomain; state: SetupState }) {
  if (setup === undefined) return null;
  const { missing, records } = setup;
  const listed = missing === undefined || records.some(({ name }) => name === missing.name);
  return (
    <section class="card" aria-labelledby="records">
      <h2 id="records">{state === "receiving" || state === "waiting" ? "DNS records" : "DNS records to publish"}</h2>
      {records.map((record) => (
        <RecordToPublish record={record} domain={domain} />
      ))}
      {!listed && missing !== undefined && (
        <RecordToPublish record={{ ...missing, zone: "rua", sentence: "This one is missing." }} domain={domain} />
      )}
    </section>
  );
}

function RecordToPublish({
  record: { name, type, value, zone, sentence },
  domain,
}: {
  record: NeededRecord;
  domain: string;
}) {
  return (
    <div class="to-publish">
      <p>
        <ForeignText text={sentence} />{" "}
        <span class="muted small">
          {zone === "domain" ? (
            <>
              In the DNS of <ForeignText text={domain} />
            </>
          ) : (
            "In the DNS of the address's domain"
          )}
        </span>
      </p>
      <dl>
        <dt>Name</dt>
        <dd>
          <code data-copy={name} title={`name of ${name}`}>
            <ForeignText text={name} />
          </code>
        </dd>
        <dt>Type</dt>
        <dd>{type}</dd>
        <dt>Value</dt>
        <dd>
          <code data-copy={value} title={`value of ${name}`}>
            <ForeignText text={value} />
          </code>
        </dd>
      </dl>
    </div>
  );
}

function OtherAccounts({ registered, shown }: { registered: readonly RegisteredDomain[]; shown: RegisteredDomain }) {
  if (registered.length < 2) return null;
  return (
    <p class="small">
      Account <ForeignText text={shown.account} />. Also added for:{" "}
      {registered
        .filter(({ account }) => account !== shown.account)
        .map(({ account, domain }) => (
          <>
            <a href={setupPath(domain, account)}>
              <ForeignText text={account} />
            </a>{" "}
          </>
        ))}
    </p>
  );
}

function RemoveForm({ registered: { account, domain } }: { registered: RegisteredDomain }) {
  return (
    <form class="inline" method="post" action={setupPath(domain, account)}>
      <input type="hidden" name="account" value={account} />
      <button class="danger" type="submit" name="action" value="remove">
        Remove domain …
      </button>
    </form>
  );
}

function ConfirmRemoval({ registered: { account, domain, rua } }: { registered: RegisteredDomain }) {
  return (
    <section class="card" aria-labelledby="confirm-remove">
      <h2 id="confirm-remove">Remove this domain?</h2>
      <p class="lead">
        If <ForeignText text={rua} /> accepts reports about this domain only, it is removed too and rejects mail from
        then on. Reports already received stay. Remove the address from the DMARC record as well.
      </p>
      <form class="inline" method="post" action={setupPath(domain, account)}>
        <input type="hidden" name="account" value={account} />
        <input type="hidden" name="confirmed" value="yes" />
        <button class="danger" type="submit" name="action" value="remove">
          Remove <ForeignText text={domain} />
        </button>
        <a href={setupPath(domain, account)}>Keep</a>
      </form>
    </section>
  );
}

/** A domain that is no longer there. */
export function RemovedNote({ removed }: { removed: string | null }) {
  if (removed === null) return null;
  return (
    <Note kind="done" isOutcome>
      <ForeignText text={removed} /> is removed. Take the address out of its DMARC record, too.
    </Note>
  );
}

/**
 * Checks the domain now, or removes it once that is confirmed.
 *
 * @throws ApiError when the account is not the person's
 */
export async function changeSetup(
  request: PageRequest,
  form: URLSearchParams,
  domain: string,
): Promise<string | PageResult> {
  const account = await accountOfForm(request, form);
  if (form.get("action") === "check") {
    await request.operate("domainSetup", { account, domain });
    return saying("checked", setupPath(domain, account));
  }
  if (form.get("action") !== "remove") throw new ApiError("bad_request", "Check it or remove it.");
  if (!mayAdminister(request.access, account)) throw new ApiError("forbidden", FORBIDDEN.administrator);
  if (form.get("confirmed") !== "yes")
    return { ...(await setupPage(request, domain, { isRemoving: true })), status: 200 };
  await request.operate("removeDomain", { account, domain });
  return `/?${new URLSearchParams({ removed: domain })}`;
}
