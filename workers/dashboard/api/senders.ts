/** A domain's senders from the ledger: what the API answers with. */
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import { domainName } from "../../../shared/domain-name.ts";
import { roleReasonText, suggestionText } from "../../../shared/guidance/verdict-words.ts";
import type { DomainScope } from "../../../shared/ledger/sources.ts";
import { PAGE_LIMITS } from "../../../shared/limits.ts";
import { isoDay } from "../data/days.ts";
import { askSenders, keptNames, type Sender } from "../data/senders.ts";
import type { Call } from "./call.ts";
import { periodOfInput } from "./ledger-request.ts";
import { cutPage, partOf } from "./page.ts";

/** Of the accounts the person may see. @throws ApiError when the period makes no sense */
export async function getSenders(c: Call, input: Inputs["senders"], nowSeconds: number): Promise<Outputs["senders"]> {
  const { undecided = false } = input;
  const part = partOf(input, PAGE_LIMITS.listed);
  const today = Math.floor(nowSeconds / 86_400);
  const period = periodOfInput(input, today);
  const { firstDay, lastDay } = period;
  const domain = domainName(input.domain);
  const ledger = c.get("ledger");
  const accounts = c.get("access").accounts ?? (await ledger.accounts());
  const scope: DomainScope = { accounts, domains: [domain], firstDay, lastDay };
  const ask: typeof ledger.ask = (query) => ledger.ask(query);
  const { account, senders } = await askSenders({ ask, names: keptNames(ask, nowSeconds), nowSeconds }, scope);
  const found = senders.filter(({ source }) => !undecided || source.role === "undecided");
  const page = cutPage(found, part);
  return {
    domain,
    account: account ?? null,
    from: isoDay(firstDay),
    to: isoDay(lastDay),
    items: page.items.map((sender) => senderJson(sender, domain)),
    isComplete: page.cursor === undefined,
    ...(page.cursor !== undefined && { cursor: page.cursor }),
  };
}

function senderJson({ source, decision, suggestion }: Sender, domain: string): Outputs["senders"]["items"][number] {
  const { name, kind, service, role, reason, messages, passed, hit, firstDay, lastDay } = source;
  return {
    source: name,
    kind,
    service,
    role,
    reason: { code: reason, sentence: roleReasonText(reason) },
    messages,
    passed,
    hit,
    firstSeen: isoDay(firstDay),
    lastSeen: isoDay(lastDay),
    decision: decision === undefined ? null : { source: decision.subject, decision: decision.decision },
    suggestion:
      suggestion === undefined
        ? null
        : {
            source: suggestion.subject,
            decision: suggestion.decision,
            code: suggestion.code,
            sentence: suggestionText(suggestion, domain),
          },
  };
}
