/** Support: what the ledger holds, read by the queries of the pages, beside what the model says it must. */
import { missingParts, partsQuery, readParts } from "../../../shared/ledger/activity.ts";
import { dayTotalsQuery, domainDaysQuery } from "../../../shared/ledger/days.ts";
import { failuresQuery } from "../../../shared/ledger/failures.ts";
import { mergeDays } from "../../../shared/ledger/merge-days.ts";
import { objectHash } from "../../../shared/ledger/objects.ts";
import { sourceQuery } from "../../../shared/ledger/one-source.ts";
import { reportsQuery } from "../../../shared/ledger/report-list.ts";
import { askAll } from "../../../shared/ledger/shards.ts";
import { mailQuery } from "../../../shared/ledger/sources.ts";
import { statsQuery } from "../../../shared/ledger/stats.ts";
import { tlsDaysQuery } from "../../../shared/ledger/tls.ts";
import { sourceHistoryQuery } from "../../../shared/ledger/watch-facts.ts";
import { exportRecords } from "../../../workers/process/operations/export-records.ts";
import { readStatus } from "../../../workers/process/operations/status.ts";
import { reportFigures } from "../simulation/balance.ts";
import { listConflicts, listDeadLetters } from "../simulation/listings.ts";
import type { Simulation } from "../simulation/simulation.ts";
import { ACCOUNTS, ADDRESSES, countedOf, DOMAINS, type Document, recordCountOf } from "./documents.ts";
import { type DaySums, type Model, nameOf, type Seen, type SeenObject, type SeenReport } from "./model.ts";

interface ReportRow {
  account: string;
  rawKey: string;
  part: string;
  /** Separated by commas. */
  domains: string;
  isVerified: number;
}

/** The document that a part of a raw object is. */
export function documentIn(model: Model, key: string, part: string): Document {
  const parts = model.known(key)?.parts ?? [];
  const place = parts.length === 1 ? 0 : Number(/(\d+)\.\w+$/.exec(part)?.[1]);
  const document = parts[place]?.document;
  if (document === undefined) throw new Error(`There is no ${part} in ${key}.`);
  return document;
}

/** Looks at objects and accepted reports. @returns also what no ledger may hold */
export async function look(simulation: Simulation, model: Model): Promise<{ seen: Seen; wrong: string[] }> {
  const wrong: string[] = [];
  const keys = new Map<string, string>();
  for (const key of model.objects.keys()) keys.set(await objectHash(key), key);
  const objects = new Map<string, SeenObject>();
  const codes = new Map(
    simulation
      .rows<{ id: string; code: string }>("SELECT id, code FROM dead_letters")
      .map(({ id, code }) => [id, code]),
  );
  for (const { hash, account, generation, outcomes } of simulation.rows<{
    hash: string;
    account: string;
    generation: number;
    outcomes: string;
  }>("SELECT lower(hex(object_hash)) AS hash, account, generation, outcomes FROM objects")) {
    const key = keys.get(hash);
    if (key === undefined) {
      wrong.push(`there is an object of ${account} that nobody knows: ${outcomes}`);
      continue;
    }
    if (objects.has(key)) wrong.push(`${key} is in two databases`);
    const named = JSON.parse(outcomes) as { outcome: string; id: string; part: string }[];
    objects.set(key, {
      account,
      generation,
      codes: named.map(({ id }) => codes.get(id) ?? ""),
      foreign: named
        .filter(({ id }) => codes.get(id) === "foreign_domain")
        .map(({ part }) => documentIn(model, key, part)),
      isDecided: named.some(({ outcome }) => !["dead_letter", "discarded"].includes(outcome)),
    });
  }
  const accepted = new Map<string, SeenReport>();
  const rows = simulation.rows<ReportRow>(
    `SELECT account, raw_key AS rawKey, part, group_concat(DISTINCT domain) AS domains,
      min(sender_rank = 2) AS isVerified FROM reports
    WHERE state = 'accepted' GROUP BY account, kind, uid, raw_key, part`,
  );
  for (const { account, rawKey, part, domains, isVerified } of rows) {
    if (model.known(rawKey) === undefined) {
      wrong.push(`a report of ${account} is counted from ${rawKey}, which nobody knows`);
      continue;
    }
    const document = documentIn(model, rawKey, part);
    const name = nameOf(account, model.group(account, document).identity, document);
    if (accepted.has(name)) wrong.push(`${name} is counted twice: from ${accepted.get(name)?.key} and ${rawKey}`);
    accepted.set(name, { key: rawKey, domains: domains.split(","), isVerified: isVerified === 1 });
  }
  return { seen: { objects, accepted }, wrong };
}

/** Every way in which pages and the model differ. */
export async function differences(simulation: Simulation, model: Model): Promise<string[]> {
  const wrong: string[] = [];
  const same = (what: string, found: unknown, wanted: unknown): void => {
    const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
    if (a !== b) wrong.push(`${what}: ${a}, not ${b}`);
  };
  for (const account of ACCOUNTS) await compareAccount({ simulation, model, account, same });
  const { shards } = simulation.invocation();
  const { items } = await listDeadLetters({ limit: 1000 }, { shards });
  same("open dead letters", items.length, model.deadLetters());
  const conflicts: string[] = [];
  for (const { account, other } of (await listConflicts(undefined, { shards })).items) {
    const document = documentIn(model, other.rawKey, other.part);
    conflicts.push(nameOf(account, model.group(account, document).identity, document));
  }
  const unsure = model.outOfReach();
  const isSure = (name: string): boolean => !unsure.has(name);
  same("conflicts", conflicts.filter(isSure).sort(), model.conflicts().filter(isSure));
  const { nowSeconds } = simulation.invocation();
  const balance = readParts(await askAll(shards.all, partsQuery(nowSeconds)));
  same("parts without an outcome", missingParts(balance), 0);
  const status = await readStatus(simulation.invocation());
  same("unfinished objects", status.unfinished, 0);
  same("slices due", status.reportsWithDueSlices, 0);
  return wrong;
}

interface Comparison {
  simulation: Simulation;
  model: Model;
  account: string;
  same(what: string, found: unknown, wanted: unknown): void;
}

async function compareAccount({ simulation, model, account, same }: Comparison): Promise<void> {
  const { shards } = simulation.invocation();
  const scope = { accounts: [account] };
  const sums = model.sums().filter((one) => one.account === account && (one.reports > 0 || one.total > 0));
  for (const kind of ["aggregate", "tls", "failure"] as const) {
    const found = await askAll(shards.all, domainDaysQuery(kind, scope, { limit: 1000 }));
    const wanted = sums
      .filter((one) => one.kind === kind)
      .map(({ domain, day, reports, total, passed }) => ({ domain, day, reports, total, passed }))
      .sort((a, b) => a.day - b.day || (a.domain < b.domain ? -1 : 1));
    const shown = found.map(({ domain, day, reports, total, passed }) => ({ domain, day, reports, total, passed }));
    same(`${kind} days of ${account}`, shown, wanted);
  }
  const aggregate = sums.filter(({ kind }) => kind === "aggregate");
  const days = await askAll(shards.all, dayTotalsQuery(scope));
  const byDay = new Map<number, DaySums[]>();
  for (const one of aggregate) byDay.set(one.day, [...(byDay.get(one.day) ?? []), one]);
  same(
    `messages of ${account}, and of them uncounted`,
    days.map(({ day, messages, uncounted, uncountedReports }) => [day, messages, uncounted, uncountedReports]),
    [...byDay]
      .sort(([a], [b]) => a - b)
      .map(([day, ofDay]) => [
        day,
        sumOf(ofDay, ({ total }) => total),
        sumOf(ofDay, ({ uncounted }) => uncounted.total),
        sumOf(ofDay, ({ uncounted }) => uncounted.reports),
      ]),
  );
  const tls = await askAll(shards.all, tlsDaysQuery(scope));
  same(
    `sessions of ${account}`,
    sumOf(tls, ({ successful, failed }) => successful + failed),
    sumOf(
      sums.filter(({ kind }) => kind === "tls"),
      ({ total }) => total,
    ),
  );
  const reports = model.reports().filter(({ group }) => group.account === account);
  const failures = await askAll(shards.all, failuresQuery(scope));
  const kept = reports.filter(({ accepted }) => accepted.document.kind === "failure");
  same(
    `failures of ${account}`,
    sumOf(failures, ({ incidents }) => incidents),
    kept.length,
  );
  await compareReports({ simulation, model, account, same }, reports);
  await compareSources({ simulation, model, account, same }, reports);
  const [stats] = await askAll(shards.all, statsQuery({ accounts: [account], account }));
  same(
    `stats of ${account}`,
    [stats?.reports, stats?.messages, stats?.passed],
    [
      sumOf(aggregate, ({ reports: count }) => count),
      sumOf(aggregate, ({ total }) => total),
      sumOf(aggregate, ({ passed }) => passed),
    ],
  );
}

type ModelReports = ReturnType<Model["reports"]>;

async function compareReports({ simulation, account, same }: Comparison, reports: ModelReports): Promise<void> {
  const { shards } = simulation.invocation();
  const list = { order: "begin", descending: false, limit: 1000, offset: 0, reporter: "", result: "all" } as const;
  const [page] = await askAll(shards.all, reportsQuery({ accounts: [account] }, { ...list, sourceIp: "", text: "" }));
  const found = (page?.rows ?? []).map(({ domain, reportId, records, messages }) =>
    [domain, reportId, records, messages].join(),
  );
  const wanted = reports
    .filter(({ accepted }) => accepted.document.kind === "aggregate")
    .map(({ accepted: { document } }) => {
      const whole = wholeOf(document);
      return [document.domains[0], `r-${document.number}`, recordCountOf(document), whole].join();
    });
  same(`reports of ${account}`, found.sort(), wanted.sort());
}

/** The messages of a report, on all its days. */
function wholeOf(document: Document): number {
  return sumOf(countedOf(document), ({ total }) => total);
}

async function compareSources({ simulation, model, account, same }: Comparison, reports: ModelReports): Promise<void> {
  const { shards } = simulation.invocation();
  for (const domain of DOMAINS) {
    const scope = { accounts: [account], domains: [domain] as [string] };
    const ofDomain = reports.filter(
      ({ accepted: { document } }) => document.kind === "aggregate" && document.domains[0] === domain,
    );
    const counted = ofDomain.flatMap(({ counted: days }) => days);
    const uncounted = ofDomain
      .filter(({ accepted }) => !model.isCounted(accepted))
      .flatMap(({ counted: days }) => days);
    const [mail] = await askAll(shards.all, mailQuery(scope));
    const sources = mail?.sources ?? [];
    const wanted = {
      messages: sumOf(counted, ({ total }) => total),
      passed: sumOf(counted, ({ passed }) => passed),
      uncounted: sumOf(uncounted, ({ total }) => total),
    };
    same(
      `mail of ${account} as ${domain}`,
      {
        messages: sumOf(sources, ({ messages }) => messages),
        passed: sumOf(sources, ({ passed }) => passed),
        uncounted: sumOf(sources, ({ uncounted: some }) => some),
      },
      wanted,
    );
    const history = await askAll(shards.all, sourceHistoryQuery(scope));
    same(
      `watched mail of ${account} as ${domain}`,
      sumOf(
        history.flatMap(({ days }) => days),
        ({ messages }) => messages,
      ),
      wanted.messages - wanted.uncounted,
    );
    for (const address of ADDRESSES) {
      const [source] = await askAll(shards.all, sourceQuery(scope, { sourceIp: address }));
      same(
        `${address} of ${account} as ${domain}`,
        sumOf(source?.groups ?? [], ({ messages }) => messages),
        sumOf(counted, ({ byAddress }) => byAddress[address] ?? 0),
      );
    }
  }
}

/** Compares what is slow to read: exported records, and points of Analytics Engine. */
export async function slowDifferences(simulation: Simulation, model: Model): Promise<string[]> {
  const wrong: string[] = [];
  const isExported = ({ group, accepted }: ModelReports[number]): boolean =>
    accepted.document.kind === "aggregate" &&
    countedOf(accepted.document)
      .slice(0, 1)
      .every((first) => model.isOpen(group.account, accepted.document, first));
  const wanted = model
    .reports()
    .filter(isExported)
    .map(({ group, accepted: { document } }) =>
      [group.account, `r-${document.number}`, recordCountOf(document), wholeOf(document)].join(),
    )
    .sort();
  const answer = await exportRecords({ since: "2026-01-01" }, simulation.invocation());
  if (!answer.ok || !(answer.value instanceof Response)) return ["the export was refused"];
  const lines = (await answer.value.text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const found = lines
    .filter(({ type }) => type === "report")
    .map(({ account, reportId, records, messages }) => [account, reportId, records, messages].join())
    .sort();
  if (found.join(" ") !== wanted.join(" ")) wrong.push(`exported: ${found.join(" ")}, not ${wanted.join(" ")}`);
  const lost = model.reports().filter((report) => isExported(report) && model.known(report.accepted.key)?.isLost);
  const gone = lines.filter(({ type, code }) => type === "problem" && code === "gone");
  if (gone.length !== lost.length) wrong.push(`exported: ${gone.length} without records, not ${lost.length}`);
  for (const { type, code, message } of lines)
    if (type === "problem" && code !== "not_kept" && code !== "gone") wrong.push(`exported: ${code}, ${message}`);
  return [...wrong, ...(model.isRestored ? [] : wrongPoints(simulation, model))];
}

// Closed days keep no report to compare with (nor what covers the points of one that was taken back, if another version comes
// that late), points of forgotten accounts are left to age, those of a file that is lost cannot be written again, and a delivery that was cut off may have left points of a report
// that was over the budget when its mail was delivered again.
function wrongPoints(simulation: Simulation, model: Model): string[] {
  const wanted = new Map<string, number>();
  const closed = new Set(model.overBudget);
  for (const { account, accepted } of model.groups.values()) {
    if (accepted?.document.kind !== "aggregate") continue;
    const { document } = accepted;
    const name = `${account}/r-${document.number}`;
    if (model.isFinal(account, document) || document.days.some((day) => day < model.keptFrom)) closed.add(name);
    wanted.set(name, (wanted.get(name) ?? 0) + wholeOf(document));
  }
  const found = Object.entries(reportFigures(simulation));
  const names = new Set([...wanted.keys(), ...found.map(([name]) => name)]);
  const figures = new Map(found);
  return [...names]
    .filter((name) => {
      const [account = "", report = ""] = name.split("/");
      return !closed.has(name) && !model.forgotten.has(account) && !model.lost.has(report);
    })
    .filter((name) => (wanted.get(name) ?? 0) !== (figures.get(name)?.messages ?? 0))
    .map(
      (name) => `points of ${name} count ${figures.get(name)?.messages ?? 0} messages, not ${wanted.get(name) ?? 0}`,
    );
}

/** Merges days in every database, as cron does, but days of few reports, too. */
export async function mergeAll(simulation: Simulation, beforeDay: number): Promise<void> {
  const bounds = { beforeDay, minReports: 2, limit: 1000, atOnce: { days: 20, records: 100_000 } };
  for (const ledger of simulation.invocation().shards.all) await mergeDays(ledger, bounds);
}

function sumOf<Row>(rows: readonly Row[], count: (row: Row) => number): number {
  return rows.reduce((sum, row) => sum + count(row), 0);
}
