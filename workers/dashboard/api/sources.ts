/** Who sends in a domain's name: lists of sources, and one of them with all that is known of it. */
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import { readAuthResults, readReasons } from "../../../shared/guidance/auth-results.ts";
import { decisionAbout, readDecisions } from "../../../shared/guidance/decisions.ts";
import type { JudgedSource } from "../../../shared/guidance/roles.ts";
import { isNewSource, type Source } from "../../../shared/guidance/sources.ts";
import { roleReasonText } from "../../../shared/guidance/verdict-words.ts";
import { hitsOf, type PolicyStep } from "../../../shared/guidance/what-if.ts";
import type { SourceDay, SourceRecord } from "../../../shared/ledger/one-source.ts";
import { addFigures, type GroupFigures, SOURCE_LIMITS } from "../../../shared/ledger/sources.ts";
import { PAGE_LIMITS } from "../../../shared/limits.ts";
import { canonicalIp } from "../../../shared/report/values.ts";
import { isoDay } from "../data/days.ts";
import type { Decisions } from "../data/decisions.ts";
import { detailsSince } from "../data/extent.ts";
import { type HitRecord, hitRecords } from "../data/hits.ts";
import type { Advice } from "../data/source-advice.ts";
import {
  addressNamed,
  addressRows,
  askSource,
  authRows,
  type FoundSource,
  fromRows,
  sourceNamed,
} from "../data/source-detail.ts";
import { askOrigins, askSources, byService, selectSources } from "../data/sources.ts";
import type { Call } from "./call.ts";
import { daysOf, knownSince } from "./domains.ts";
import { ledgerRequest, periodOfInput } from "./ledger-request.ts";
import { cutPage, partOf } from "./page.ts";

type ListedSource = Outputs["listSources"]["items"][number];
type SourceAnswer = Outputs["getSource"];

/** A page of them. @throws ApiError when the period or the cursor makes no sense */
export async function listSources(c: Call, input: Inputs["listSources"]): Promise<Outputs["listSources"]> {
  const { domain, role, step = "reject" } = input;
  const request = ledgerRequest(c, input.account);
  const period = periodOfInput(input, request.today);
  const part = partOf(input, PAGE_LIMITS.listed);
  const { sources, judged, decisions, extent, isPartial } = await askSources(request, domain, period);
  const selected = selectSources(sources, { judged, filter: { role, step: input.step }, domain });
  const found = new Map(judged.map((one) => [one.name, one]));
  const read = readDecisions(decisions);
  const since = { firstDay: period.firstDay, dataSince: detailsSince(extent) };
  const itemOf = ({ name, kind, service, dkimPassed, spfPassed, ...sums }: Source): ListedSource => ({
    source: name,
    kind,
    service,
    ...figuresJson(sums),
    dkimPassed,
    spfPassed,
    isNew: isNewSource(sums, since),
    decision: decisionAbout({ name, kind, service }, read)?.decision ?? "undecided",
    judgement: judgementJson(found.get(name), { step, domain }),
  });
  const page = cutPage(selected, part);
  return {
    domain,
    ...daysOf(period),
    ...knownSince(extent),
    step,
    ...page,
    items: page.items.map(itemOf),
    isComplete: !isPartial,
  };
}

function judgementJson(
  judged: JudgedSource | undefined,
  { step, domain }: { step: PolicyStep; domain: string },
): ListedSource["judgement"] {
  if (judged === undefined) return null;
  const { role, reason, letThrough, refused } = judged;
  return {
    role,
    reason: { code: reason, sentence: roleReasonText(reason) },
    hit: hitsOf(judged, step, domain),
    letThrough,
    refused,
  };
}

function figuresJson({ firstDay, lastDay, ...sums }: GroupFigures) {
  const { messages, passed, dkimAligned, spfAligned, quarantined, rejected, spared, uncounted } = sums;
  return {
    messages,
    passed,
    dkimAligned,
    spfAligned,
    quarantined,
    rejected,
    spared,
    uncounted,
    firstSeen: isoDay(firstDay),
    lastSeen: isoDay(lastDay),
  };
}

/** A page of records that a step would have hit. @throws ApiError when the period or the cursor makes no sense */
export async function listHits(c: Call, input: Inputs["listHits"]): Promise<Outputs["listHits"]> {
  const { domain, role, step = "reject" } = input;
  const request = ledgerRequest(c, input.account);
  const period = periodOfInput(input, request.today);
  const part = partOf(input, PAGE_LIMITS.listed);
  const { judged, isPartial } = await askSources(request, domain, period);
  const hits = hitRecords({ domain, sources: judged, role, step }).sort((a, b) => b.messages - a.messages);
  const page = cutPage(hits, part);
  return {
    domain,
    ...daysOf(period),
    step,
    messages: hits.reduce((sum, { messages }) => sum + messages, 0),
    ...page,
    items: page.items.map(hitJson),
    isComplete: !isPartial,
  };
}

function hitJson(record: HitRecord): Outputs["listHits"]["items"][number] {
  const { source, sourceIp, messages, headerFrom, disposition, dkim, spf, reasons, firstDay, lastDay } = record;
  return {
    source: source.name,
    kind: source.kind,
    service: source.service,
    role: source.role,
    sourceIp,
    messages,
    headerFrom,
    disposition,
    dkim,
    spf,
    ...resultsJson(record),
    reasons: readReasons(reasons),
    firstSeen: isoDay(firstDay),
    lastSeen: isoDay(lastDay),
  };
}

/** What was found of DKIM and SPF, from the texts of the ledger. */
function resultsJson({ dkimResults, spfResults }: Pick<SourceRecord, "dkimResults" | "spfResults">) {
  return {
    dkimResults: readAuthResults(dkimResults).map(({ domain, detail: selector, result }) => ({
      domain,
      selector,
      result,
    })),
    spfResults: readAuthResults(spfResults).map(({ domain, detail: scope, result }) => ({ domain, scope, result })),
  };
}

/** A page of groups. @throws ApiError when the period or the cursor makes no sense */
export async function listSourceGroups(
  c: Call,
  input: Inputs["listSourceGroups"],
): Promise<Outputs["listSourceGroups"]> {
  const { domain, by } = input;
  const request = ledgerRequest(c, input.account);
  const period = periodOfInput(input, request.today);
  const part = partOf(input, PAGE_LIMITS.listed);
  const groups =
    by === "service"
      ? byService((await askSources(request, domain, period)).sources)
      : await askOrigins(request, domain, { period, by });
  const page = cutPage(groups, part);
  return {
    domain,
    ...daysOf(period),
    ...page,
    items: page.items.map(({ name, addresses, ...sums }) => ({ name, addresses, ...figuresJson(sums) })),
    isComplete: groups.length < SOURCE_LIMITS.maxGroups,
  };
}

/** One of them. @throws ApiError when the period makes no sense */
export async function getSource(c: Call, input: Inputs["getSource"]): Promise<SourceAnswer> {
  const { domain, source } = input;
  const request = ledgerRequest(c, input.account);
  const period = periodOfInput(input, request.today);
  const address = canonicalIp(source);
  const detail = address === null ? sourceNamed({ domain, source }) : addressNamed({ domain, address });
  const found = await askSource(request, { detail, period });
  const [first, ...others] = found.groups;
  return {
    domain,
    source: detail.name,
    ...daysOf(period),
    ...knownSince(found.extent),
    figures: first === undefined ? null : figuresJson(others.reduce<GroupFigures>(addFigures, first)),
    days: byDay(found.days),
    addresses: addressesJson(found),
    dkim: authRows("dkim", found.groups).map(({ detail: selector, ...row }) => ({ ...row, selector })),
    spf: authRows("spf", found.groups).map(({ detail: scope, ...row }) => ({ ...row, scope })),
    fromDomains: fromRows(found.groups),
    records: found.records.map(recordJson),
    reports: found.reports.map(({ reportUid: uid, day, dkimResults: _, spfResults: _spf, ...row }) => ({
      ...row,
      uid,
      day: isoDay(day),
    })),
    isComplete: !found.isPartial,
    decision: decisionJson(found.decisions, detail.name),
    advice: found.advice === undefined ? null : adviceJson(found.advice),
  };
}

/** Messages by day, whatever their results. */
function byDay(days: readonly SourceDay[]): SourceAnswer["days"] {
  const sums = new Map<string, SourceAnswer["days"][number]>();
  for (const { day: number, messages, passed } of days) {
    const day = isoDay(number);
    const known = sums.get(day) ?? { day, messages: 0, passed: 0 };
    sums.set(day, { day, messages: known.messages + messages, passed: known.passed + passed });
  }
  return [...sums.values()];
}

function addressesJson({ groups, names }: FoundSource): SourceAnswer["addresses"] {
  return addressRows(groups).map(({ sourceIp: address, dkimPassed, spfPassed, ...sums }) => {
    const { host = "", asn = 0, holder = "", country = "" } = names.get(address) ?? {};
    return {
      address,
      ...figuresJson(sums),
      dkimPassed,
      spfPassed,
      host,
      asn,
      holder,
      country,
    };
  });
}

function recordJson(record: SourceRecord): SourceAnswer["records"][number] {
  const { reportUid: uid, day, dkimResults, spfResults, reasons, ...facts } = record;
  return {
    ...facts,
    uid,
    day: isoDay(day),
    ...resultsJson({ dkimResults, spfResults }),
    reasons: readReasons(reasons),
  };
}

function decisionJson({ account, history, wider, subjects }: Decisions, source: string): SourceAnswer["decision"] {
  const [last] = history;
  return {
    account: account ?? null,
    holds:
      wider === undefined
        ? { decision: last?.decision ?? "undecided", source }
        : { decision: wider.decision, source: wider.subject },
    history,
    subjects,
  };
}

function adviceJson({ diagnosis: { code, sentence, guide }, spf }: Advice): SourceAnswer["advice"] {
  return {
    code,
    sentence,
    guide: guide === undefined ? null : { setting: guide.setting, url: guide.url },
    spf: spf ?? null,
  };
}
