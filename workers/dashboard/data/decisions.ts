/** What the owner decided about a domain's sources. */
import { decisionAbout, type HoldingDecision, readDecisions } from "../../../shared/guidance/decisions.ts";
import { knownService } from "../../../shared/guidance/known-services.ts";
import { prefixOf, serviceSubject } from "../../../shared/guidance/subject.ts";
import { accountOfDomainQuery } from "../../../shared/ledger/domain-checks.ts";
import {
  type DecidedSender,
  type SenderDecision,
  senderDecisionsQuery,
  senderHistoryQuery,
} from "../../../shared/ledger/sender-decisions.ts";
import { canonicalIp } from "../../../shared/report/values.ts";
import { mayAdminister } from "../access.ts";
import type { LedgerRequest } from "./ledger-request.ts";

/** The account that has the domain, and what it decided, the newest first. */
export interface Decisions {
  account: string | undefined;
  /** Whether the person may decide. */
  mayDecide: boolean;
  history: DecidedSender[];
  /** The decision that holds, where it is about another subject: a prefix that holds the address, or the whole service. */
  wider: HoldingDecision | undefined;
  /** The source, then wider subjects that a decision may be about. */
  subjects: string[];
}

/** What was decided about a source. */
export async function askDecisions(
  request: LedgerRequest,
  name: { domain: string; source: string },
): Promise<Decisions> {
  const { domain, source } = name;
  const accounts = await request.accounts();
  const [[account], history, decided] = await Promise.all([
    request.ask(accountOfDomainQuery(domain, accounts)),
    request.ask(senderHistoryQuery(name, accounts)),
    decisionsBySource(request, domain),
  ]);
  const service = knownService(source) ?? "";
  const isAddress = canonicalIp(source) !== null;
  const holding = decisionAbout({ name: source, kind: isAddress ? "none" : "other", service }, readDecisions(decided));
  const wider = isAddress
    ? [prefixOf(source, source.includes(":") ? 64 : 24)]
    : service === ""
      ? []
      : [serviceSubject(service)];
  return {
    account,
    mayDecide: account !== undefined && mayAdminister(request.access, account),
    history,
    wider: holding === undefined || holding.subject === source ? undefined : holding,
    subjects: [source, ...wider],
  };
}

/** What holds about each subject of a domain, by its text. */
export async function decisionsBySource(
  request: LedgerRequest,
  domain: string,
): Promise<ReadonlyMap<string, SenderDecision>> {
  const decided = await request.ask(senderDecisionsQuery(domain, await request.accounts()));
  return new Map(decided.map(({ source, decision }) => [source, decision]));
}
