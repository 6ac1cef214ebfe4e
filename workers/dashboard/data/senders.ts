/** A domain's senders for the owner's decisions: who each one is, what was decided, and what is suggested. */
import type { AddressName } from "../../../shared/guidance/address-name.ts";
import { decisionAbout, type HoldingDecision, readDecisions } from "../../../shared/guidance/decisions.ts";
import type { JudgedSource } from "../../../shared/guidance/roles.ts";
import { type Suggestion, suggestAll } from "../../../shared/guidance/suggest.ts";
import { allSources } from "../../../shared/guidance/verdict.ts";
import { decideBy } from "../../../shared/guidance/verdict-input.ts";
import { addressNamesQuery } from "../../../shared/ledger/address-names.ts";
import type { Query } from "../../../shared/ledger/database.ts";
import { accountOfDomainQuery, checksQuery } from "../../../shared/ledger/domain-checks.ts";
import { askKnownSenders } from "../../../shared/ledger/known-senders.ts";
import { type DecidedSender, senderDecisionsQuery } from "../../../shared/ledger/sender-decisions.ts";
import { type DomainScope, mailQuery } from "../../../shared/ledger/sources.ts";
import { GUIDANCE_LIMITS } from "../../../shared/limits.ts";

/** One sender of a period. */
export interface Sender {
  source: JudgedSource;
  decision: HoldingDecision | undefined;
  /** Of undecided ones only. */
  suggestion: Suggestion | undefined;
  /** Of undecided addresses, as far as they are known. */
  named: AddressName | undefined;
}

/** Those of a domain. */
export interface Senders {
  /** The account that has the domain; undefined where none has reports about it. */
  account: string | undefined;
  /** The largest first. */
  senders: Sender[];
  /** The present decision about each subject; withdrawn ones are "undecided". */
  decisions: DecidedSender[];
}

/** What is asked. */
interface Asked {
  ask<Row>(query: Query<Row>): Promise<Row[]>;
  /** Names of addresses, as far as they are known. */
  names(addresses: readonly string[]): Promise<ReadonlyMap<string, AddressName>>;
  nowSeconds: number;
}

/** Names of addresses as they are kept: nothing is looked up for them. */
export function keptNames(ask: Asked["ask"], nowSeconds: number): Asked["names"] {
  return async (addresses) => {
    const asked = addresses.slice(0, GUIDANCE_LIMITS.maxNamedAddresses);
    const names = await ask(addressNamesQuery(asked, nowSeconds));
    return new Map(names.map((name) => [name.address, name]));
  };
}

/** Judges the senders of a scope's period. */
export async function askSenders({ ask, names, nowSeconds }: Asked, scope: DomainScope): Promise<Senders> {
  const [domain] = scope.domains;
  const [[mail], decisions, [account], checks] = await Promise.all([
    ask(mailQuery({ ...scope, onlyCounted: true })),
    ask(senderDecisionsQuery(domain, scope.accounts)),
    ask(accountOfDomainQuery(domain, scope.accounts)),
    ask(checksQuery(domain, scope.accounts)),
  ]);
  const taken = new Map(decisions.map(({ source, decision }) => [source, decision]));
  if (mail === undefined) throw new Error("A question without an answer.");
  const known = await askKnownSenders(ask, { domain, mail, check: checks[0]?.check, nowSeconds });
  // As the verdict has them, without what is left of too many.
  const sources = allSources({ ...known, decide: decideBy(taken) }).filter(({ name }) => name !== "");
  const { knowledge } = known;
  const read = readDecisions(taken);
  const found = await names(addressesOf(sources, read.all.keys()));
  const suggestions = suggestAll({
    policyDomain: domain,
    sources,
    decisions: read,
    names: found,
    spf: knowledge.spf,
    homeNetworks: knowledge.homeNetworks,
  });
  return {
    account,
    decisions,
    senders: sources.map((source) => ({
      source,
      decision: decisionAbout(source, read),
      suggestion: suggestions.get(source.name),
      named: found.get(source.name),
    })),
  };
}

/** Undecided addresses, the largest first, then those that were decided about, since their names tell who is near. */
function addressesOf(sources: readonly JudgedSource[], subjects: Iterable<string>): string[] {
  const undecided = sources.filter(({ role, kind }) => role === "undecided" && kind === "none");
  return [
    ...undecided.map(({ name }) => name),
    ...[...subjects].filter((subject) => /^[\d.]+$|^[\da-f:]+$/.test(subject)),
  ];
}
