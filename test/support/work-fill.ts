/** Support: what is to be done about domains, in the ledger as the round over them keeps it. */
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import { type WorkItem, workText } from "../../shared/watch/work.ts";

export interface DomainWork {
  account: string;
  domain: string;
  items: readonly WorkItem[];
}

/** Ours: rows of one statement. */
const AT_ONCE = 200;

/** Keeps the work of domains; one without a verdict gets one that says nothing else. */
export async function putWork(ledger: LedgerDatabase, rows: readonly DomainWork[]): Promise<void> {
  for (let i = 0; i < rows.length; i += AT_ONCE) {
    const values = rows
      .slice(i, i + AT_ONCE)
      .map(({ account, domain, items }) => ({ account, domain, work: workText(items) }));
    await ledger
      .prepare(
        `INSERT INTO domain_verdicts (account, domain, state, place, since_seconds, messages, own_messages, at_risk,
            policy, is_test, next_record, reasons, senders, computed_seconds, fingerprint, version, work)
          SELECT value ->> 'account', value ->> 'domain', 'notYet', 1, 1, 0, 0, 0, 'none', 0, '', '[]', '[]', 1, '', 1,
            value ->> 'work'
          FROM json_each(?1) WHERE true
          ON CONFLICT (account, domain) DO UPDATE SET work = excluded.work`,
      )
      .bind(JSON.stringify(values))
      .all();
  }
}
