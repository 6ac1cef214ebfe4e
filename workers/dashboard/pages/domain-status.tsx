/** The status of domains in a list: words, marks, and chips that filter by it, with how many there are of each. */
import type { SetupState } from "../../../shared/guidance/setup-state.ts";
import {
  DOMAIN_STATUSES,
  type DomainPage,
  type DomainStatus,
  type DomainTotals,
} from "../../../shared/ledger/domains.ts";
import { formatCount } from "../data/numbers.ts";
import { ForeignText } from "../parts/foreign-text.tsx";
import { linkWith } from "../parts/links.ts";
import type { PageRequest } from "../parts/page-request.ts";

/** How links name the status of a domain without a verdict. */
export const NOT_JUDGED = "notJudged";

export const STATUS_WORDS: Record<DomainStatus, string> = {
  beingRejected: "being rejected",
  notYet: "not yet",
  ready: "ready",
  protected: "protected",
  tooEarly: "too early",
  silent: "silent",
  notInUse: "not in use",
  setUp: "being set up",
  "": "not judged yet",
};

/** Kind of mark, with the sign that replaces it where there is no colour. */
const STATUS_MARKS: Record<DomainStatus, { kind: string; sign: string }> = {
  beingRejected: { kind: "fail", sign: "✕" },
  notYet: { kind: "warn", sign: "!" },
  ready: { kind: "pass", sign: "→" },
  protected: { kind: "pass", sign: "✓" },
  tooEarly: { kind: "", sign: "…" },
  silent: { kind: "warn", sign: "!" },
  notInUse: { kind: "", sign: "–" },
  setUp: { kind: "", sign: "…" },
  "": { kind: "", sign: "?" },
};

/** Words of a domain that has no report yet. */
export const SETUP_WORDS: Record<SetupState, { label: string; kind: string; sign: string }> = {
  recordNotFound: { label: "DMARC record not found", kind: "warn", sign: "!" },
  wrongAddress: { label: "wrong address in the record", kind: "warn", sign: "!" },
  notPermitted: { label: "permission missing", kind: "warn", sign: "!" },
  waiting: { label: "waiting for the first report", kind: "", sign: "…" },
  receiving: { label: "reports are coming in", kind: "pass", sign: "✓" },
  unknown: { label: "not checked yet", kind: "", sign: "?" },
};

/** A domain's status. */
export function StatusMark({ row: { status, setup } }: { row: Pick<DomainTotals, "status" | "setup"> }) {
  if (status === "setUp") return <SetupMark state={setup === "" ? "unknown" : setup} />;
  const { kind, sign } = STATUS_MARKS[status];
  return (
    <span class={`result ${kind}`}>
      {sign} {STATUS_WORDS[status]}
    </span>
  );
}

/** How far a domain without a report is. */
export function SetupMark({ state }: { state: SetupState }) {
  const { label, kind, sign } = SETUP_WORDS[state];
  return (
    <span class={`result ${kind}`}>
      {sign} {label}
    </span>
  );
}

interface ChipsProps {
  request: PageRequest;
  page: Pick<DomainPage, "byStatus" | "byPolicy">;
}

/** Links that leave the domains of one status, and of one published policy, each with their number. */
export function StatusChips({ request: { url, parameters }, page: { byStatus, byPolicy } }: ChipsProps) {
  const current = parameters.get("status") ?? "";
  const all = [...byStatus.values()].reduce((sum, count) => sum + count, 0);
  const policies = [...byPolicy].sort(([, a], [, b]) => b - a);
  const first = { "domains.page": undefined, removed: undefined };
  return (
    <div class="chips">
      <nav aria-label="Status">
        <Chip
          href={linkWith(url, { status: undefined, ...first })}
          isCurrent={current === ""}
          label="all"
          count={all}
        />
        {DOMAIN_STATUSES.map((status) => ({ status, name: status === "" ? NOT_JUDGED : status }))
          .filter(({ status, name }) => byStatus.has(status) || name === current)
          .map(({ status, name }) => (
            <Chip
              href={linkWith(url, { status: name, ...first })}
              isCurrent={current === name}
              label={STATUS_WORDS[status]}
              count={byStatus.get(status) ?? 0}
            />
          ))}
      </nav>
      <p class="small muted" hidden={policies.every(([policy]) => policy === "")}>
        Published policy:{" "}
        {policies.map(([policy, count], i) => (
          <>
            {i > 0 && " · "}
            {policy === "" ? (
              "not reported"
            ) : (
              <a href={linkWith(url, { "domains.q": policy, ...first })}>
                <ForeignText text={policy} />
              </a>
            )}{" "}
            {formatCount(count)}
          </>
        ))}
      </p>
    </div>
  );
}

interface ChipProps {
  href: string;
  label: string;
  count: number;
  isCurrent: boolean;
}

/** A link that leaves some of the list. */
export function Chip({ href, label, count, isCurrent }: ChipProps) {
  return (
    <a class="chip" href={href} aria-current={isCurrent ? "true" : undefined}>
      <ForeignText text={label} /> <strong>{formatCount(count)}</strong>
    </a>
  );
}
