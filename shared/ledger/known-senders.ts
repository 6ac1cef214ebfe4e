/**
 * A domain's mail by who sent it, with what the ledger knows of the senders from DNS. Nothing is looked up: that is
 * done with the daily check of its records.
 */
import { addressesToName } from "../guidance/addresses-to-name.ts";
import { type MailBySender, mailBySender } from "../guidance/mail-by-sender.ts";
import { type SenderKnowledge, senderKnowledge } from "../guidance/sender-knowledge.ts";
import { dmarcTextOf, type StoredCheck } from "../guidance/stored-check.ts";
import { addressNamesQuery } from "./address-names.ts";
import type { Query } from "./database.ts";
import type { Mail } from "./sources.ts";

/** What a verdict is given of a domain's senders. */
export interface KnownSenders {
  mail: MailBySender;
  /** All messages, and those that fail: more than the senders have where there are too many groups. */
  totals: { messages: number; failing: number };
  knowledge: SenderKnowledge;
  /** The domain's own DMARC record as the last check found it. */
  published?: string;
}

/** What is known of a domain already. */
export interface DomainMail {
  domain: string;
  /** Of the period, as far as the verdict counts it. */
  mail: Pick<Mail, "evidence" | "homeAddresses" | "dispositions">;
  /** The domain's last check; undefined where it was never checked. */
  check: StoredCheck | undefined;
  nowSeconds: number;
}

/** Asks for names of those senders alone that the mail leaves open. @param ask where names are kept; @throws whatever it throws */
export async function askKnownSenders(
  ask: <Row>(query: Query<Row>) => Promise<Row[]>,
  { domain, mail, check, nowSeconds }: DomainMail,
): Promise<KnownSenders> {
  const { homeAddresses } = mail;
  const bySender = mailBySender(mail.evidence, domain);
  const addresses = addressesToName(bySender, homeAddresses);
  const names = addresses.length === 0 ? [] : await ask(addressNamesQuery(addresses, nowSeconds));
  const known: KnownSenders = {
    mail: bySender,
    totals: totalsOf(mail),
    knowledge: senderKnowledge({ names, check, homeAddresses }),
  };
  const published = check === undefined ? undefined : dmarcTextOf(check);
  return published === undefined ? known : { ...known, published };
}

function totalsOf({ dispositions }: Pick<Mail, "dispositions">): KnownSenders["totals"] {
  const totals = { messages: 0, failing: 0 };
  for (const { messages, passed } of dispositions) {
    totals.messages += messages;
    totals.failing += messages - passed;
  }
  return totals;
}
