/** What a domain publishes, in one line a check, and what last changed: a card that leads to the page Records. */
import { CHECK_TITLES } from "../../../shared/guidance/check.ts";
import {
  checksQuery,
  type KeptCheck,
  recordChangesQuery,
  type SeenChange,
} from "../../../shared/ledger/domain-checks.ts";
import { isoMinute } from "../data/days.ts";
import { domainPath } from "../paths.ts";
import { ForeignText } from "./foreign-text.tsx";
import { linkTo } from "./links.ts";
import { StateMark } from "./marks.tsx";
import type { PageRequest } from "./page-request.ts";

/** Ours: changes shown on the card. */
const SHOWN_CHANGES = 3;

/** What the card shows. */
export interface PublishedRecords {
  kept: KeptCheck | undefined;
  changes: SeenChange[];
}

/** What was last found of a domain. */
export async function askPublishedRecords(request: PageRequest, domain: string): Promise<PublishedRecords> {
  const accounts = await request.accounts();
  const [[kept], changes] = await Promise.all([
    request.ask(checksQuery(domain, accounts)),
    request.ask(recordChangesQuery(domain, accounts, SHOWN_CHANGES)),
  ]);
  return { kept, changes };
}

interface CardProps {
  request: PageRequest;
  domain: string;
  records: PublishedRecords;
}

/** A domain's published records in short, with recent changes and the link to all of it. */
export function RecordsCard({ request, domain, records: { kept, changes } }: CardProps) {
  const link = linkTo(request, `${domainPath(domain)}/records`);
  return (
    <section class="card" aria-labelledby="published">
      <div class="table-head">
        <h2 id="published">Published records</h2>
        <a href={link}>{kept === undefined ? "Check now" : "What is wrong, and what to publish"}</a>
      </div>
      {kept === undefined ? (
        <p class="lead">Not checked yet: what DNS publishes for this domain is looked up once a day.</p>
      ) : (
        <ul class="states">
          {kept.check.checks.map(({ kind, state }) => (
            <li>
              {CHECK_TITLES[kind]} <StateMark state={state} />
            </li>
          ))}
        </ul>
      )}
      {changes.map(({ seenSeconds, type, name }) => (
        <p class="small muted">
          {isoMinute(seenSeconds)}: {type} <ForeignText text={name} /> changed
        </p>
      ))}
    </section>
  );
}
