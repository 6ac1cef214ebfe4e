/** What is wrong with a source and, once the owner claimed it, what authorizing it does to the SPF record. */
import type { Outputs } from "../../../shared/contract/operations.ts";
import { readAuthResults } from "../../../shared/guidance/auth-results.ts";
import { knownService } from "../../../shared/guidance/known-services.ts";
import { type Diagnosis, diagnoseSource } from "../../../shared/guidance/source-diagnosis.ts";
import { identifySource, type SourceKind } from "../../../shared/guidance/sources.ts";
import { checksQuery } from "../../../shared/ledger/domain-checks.ts";
import type { SourceDetail, SourceFigures } from "../../../shared/ledger/one-source.ts";
import { GUIDANCE_LIMITS } from "../../../shared/limits.ts";
import { unless } from "../errors.ts";
import type { Decisions } from "./decisions.ts";
import type { LedgerRequest } from "./ledger-request.ts";

export type SpfAdvice = Outputs["spfAdvice"];

/** Advice about a source. */
export interface Advice {
  diagnosis: Diagnosis;
  /** Of a source that is the owner's; undefined where process could not be asked. */
  spf: SpfAdvice | undefined;
}

interface AdvisedSource {
  domain: string;
  name: string;
  isAddress: boolean;
  groups: readonly SourceDetail[];
  days: SourceFigures["days"];
  decisions: Decisions;
}

/** Finds it; a source without mail has none. */
export async function askAdvice(request: LedgerRequest, source: AdvisedSource): Promise<Advice | undefined> {
  const { domain, name, groups, days, decisions } = source;
  const [largest] = groups;
  if (largest === undefined) return undefined;
  const decided = decisions.wider?.decision ?? decisions.history[0]?.decision;
  const decision = decided === "undecided" ? undefined : decided;
  const kind: SourceKind = source.isAddress ? "none" : identifySource(largest, domain).kind;
  const [[kept], spf] = await Promise.all([
    request.ask(checksQuery(domain, await request.accounts())),
    decision === "mine" ? askSpf(request, source) : undefined,
  ]);
  const diagnosis = diagnoseSource({ domain, name, kind, groups, days, decision, keys: kept?.check.keys ?? [] });
  return { diagnosis, spf };
}

// A page has to appear whether or not DNS or process answers.
async function askSpf(
  request: LedgerRequest,
  { domain, name, groups, decisions: { account } }: AdvisedSource,
): Promise<SpfAdvice | undefined> {
  if (account === undefined) return undefined;
  const service = knownService(name) ?? "";
  const sender = {
    name: service === "" ? name : service,
    networks: byMessages(groups, ({ sourceIp }) => [sourceIp]).slice(0, GUIDANCE_LIMITS.maxSpfSources),
    service,
    returnPaths: byMessages(groups, returnPaths).slice(0, GUIDANCE_LIMITS.maxReturnPaths),
    isForwarder: false,
  };
  const asked = await unless(["process_unavailable"], request.operate("spfAdvice", { account, domain, sender }));
  return asked.ok ? asked.value : undefined;
}

function returnPaths({ spfResults }: SourceDetail): string[] {
  return readAuthResults(spfResults)
    .filter(({ domain, detail }) => domain !== "" && detail !== "helo")
    .map(({ domain }) => domain);
}

/** Texts of groups, those with the most messages first. */
function byMessages(groups: readonly SourceDetail[], textsOf: (group: SourceDetail) => string[]): string[] {
  const messages = new Map<string, number>();
  for (const group of groups) {
    for (const text of textsOf(group)) messages.set(text, (messages.get(text) ?? 0) + group.messages);
  }
  messages.delete("");
  return [...messages].sort((a, b) => b[1] - a[1]).map(([text]) => text);
}
