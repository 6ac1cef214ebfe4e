/** What the ledger knows of a domain's senders from DNS. Nothing is looked up: that is done with the daily check of its records. */
import { addressesToName, type MailToName } from "../../../shared/guidance/addresses-to-name.ts";
import { type SenderKnowledge, senderKnowledge } from "../../../shared/guidance/sender-knowledge.ts";
import { addressNamesQuery } from "../../../shared/ledger/address-names.ts";
import type { Query } from "../../../shared/ledger/database.ts";
import type { KeptCheck } from "../../../shared/ledger/domain-checks.ts";

/** Asks the ledger of those accounts that may be seen. */
export type AskLedger = <Row>(query: Query<Row>) => Promise<Row[]>;

/** @param checks of the domain, the newest first */
export async function askKnowledge(
  ask: AskLedger,
  domain: string,
  { mail, checks }: { mail: MailToName; checks: readonly KeptCheck[] },
): Promise<SenderKnowledge> {
  const addresses = addressesToName(mail, domain);
  const names = addresses.length === 0 ? [] : await ask(addressNamesQuery(addresses, Math.floor(Date.now() / 1000)));
  return senderKnowledge({ names, check: checks[0]?.check, homeAddresses: mail.homeAddresses });
}
