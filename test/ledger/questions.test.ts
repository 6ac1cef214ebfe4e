/**
 * Every question of the pages against a plain count over the same reports: generated data, merged days, large and
 * retracted reports.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { mulberry32 } from "../../local/random.ts";
import { isCounted, SENDER_STATES, type SenderState } from "../../shared/authentication/sender-state.ts";
import { mailBySender } from "../../shared/guidance/mail-by-sender.ts";
import { judge } from "../../shared/guidance/verdict.ts";
import { verdictInput } from "../../shared/guidance/verdict-input.ts";
import { verdictJson } from "../../shared/guidance/verdict-json.ts";
import { accountsWithDataQuery, extentQuery, hasDataQuery } from "../../shared/ledger/data-extent.ts";
import { ask, type Query } from "../../shared/ledger/database.ts";
import { dayTotalsQuery, policiesQuery, ruaAddressesQuery } from "../../shared/ledger/days.ts";
import {
  BEFORE,
  type DomainList,
  domainsQuery,
  domainTrendsQuery,
  otherDomainsQuery,
} from "../../shared/ledger/domains.ts";
import { failureReportsQuery, failuresQuery } from "../../shared/ledger/failures.ts";
import { figuresIn } from "../../shared/ledger/figure-sql.ts";
import { askKnownSenders } from "../../shared/ledger/known-senders.ts";
import { sourceQuery, sourceReportsQuery } from "../../shared/ledger/one-source.ts";
import { type ReportList, reportersQuery, reportQuery, reportsQuery } from "../../shared/ledger/report-list.ts";
import { type DomainScope, mailQuery } from "../../shared/ledger/sources.ts";
import { statsQuery } from "../../shared/ledger/stats.ts";
import {
  tlsDaysQuery,
  tlsFailuresQuery,
  tlsPoliciesQuery,
  tlsReportFailuresQuery,
  tlsReportsQuery,
} from "../../shared/ledger/tls.ts";
import { GUIDANCE_LIMITS } from "../../shared/limits.ts";
import type { AggregateRecord, TlsReport } from "../../shared/report/vocabulary.ts";
import { evidenceOf, sumEvidence } from "../support/evidence.ts";
import {
  aggregateReport,
  commitSamples,
  failureReport,
  isPass,
  retractSamples,
  type Sample,
  sampleRecord,
} from "../support/ledger-fill.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

const FIRST_DAY = 20_000;
const DAYS = 40;
const NOW = (FIRST_DAY + DAYS) * 86_400;
const ACCOUNTS = ["acme", "beta", "gamma"];
const DOMAINS = ["a.example", "b.example", "mail.c.example"];
const PERIOD = { firstDay: FIRST_DAY + 10, lastDay: FIRST_DAY + 29 };

/** One record with where it stands, for the plain count. */
interface Row extends AggregateRecord {
  account: string;
  domain: string;
  day: number;
  uid: string;
  reporter: string;
  isCounted: boolean;
}

const ledgers = [new SqliteLedger(), new SqliteLedger()];
const [first, second] = ledgers;
let samples: Sample[];
let rows: Row[];

/** The answer of one database, or of both put together. */
async function answer<Found>(query: Query<Found>, databases = ledgers): Promise<Found[]> {
  const parts = await Promise.all(databases.map((database) => ask(database, query)));
  return query.combine?.(parts) ?? parts.flat();
}

async function only<Found>(query: Query<Found>): Promise<Found> {
  const found = await answer(query);
  expect(found).toHaveLength(1);
  const [one] = found;
  if (one === undefined) throw new Error("no answer");
  return one;
}

function randomRecord(domain: string, random: () => number): AggregateRecord {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const service = pick(["sendgrid.net", "em.mailgun.org", domain, "x.c.example"]);
  const dkim = pick(["pass", "fail", "none"] as const);
  const spf = pick(["pass", "fail", "softfail"] as const);
  const reasons = pick([
    [],
    [],
    [{ type: "forwarded" as const, rawType: "", comment: "" }],
    [{ type: "other" as const, rawType: "", comment: "a|b;c,d" }],
  ]);
  return sampleRecord(domain, {
    sourceIp: pick(["192.0.2.1", "192.0.2.11", "2001:db8::1", "203.0.113.9", ""]),
    count: 1 + Math.floor(random() * 50),
    disposition: pick(["none", "quarantine", "reject"]),
    dkim: pick(["pass", "fail"]),
    spf: pick(["pass", "fail"]),
    reasons,
    envelopeFrom: pick(["", `bounce.${domain}`, "sendgrid.net"]),
    dkimResults:
      dkim === "none" ? [] : [{ domain: service, selector: "s", result: dkim, rawResult: "", humanResult: "" }],
    spfResults: [
      { domain: pick([domain, "bounce.sendgrid.net"]), scope: "mfrom", result: spf, rawResult: "", humanResult: "" },
    ],
  });
}

function randomSamples(count: number): Sample[] {
  const random = mulberry32(7);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  return Array.from({ length: count }, (_, i): Sample => {
    const account = pick(ACCOUNTS);
    const domain = pick(DOMAINS);
    const day = FIRST_DAY + Math.floor(random() * DAYS);
    const records = Array.from({ length: Math.floor(random() * 12) }, () => randomRecord(domain, random));
    const p = day < FIRST_DAY + 20 ? "none" : "quarantine";
    const reporter = pick(["Alpha", "Beta", "Gamma"]);
    return {
      account,
      uid: (i + 1).toString(16).padStart(32, "0"),
      report: aggregateReport(domain, { day, records, reporter, p }),
      records,
      receivedSeconds: day * 86_400 + 90_000,
      ...(i % 9 === 0 ? { chunkRecords: 3 } : {}),
      sender: { state: SENDER_STATES[i % 7] ?? "verified", domain: "" },
    };
  });
}

const stateOf = ({ sender }: Sample): SenderState => sender?.state ?? "unchecked";
const ledgerOf = (account: string): SqliteLedger => (account === "gamma" ? second : first) ?? new SqliteLedger();

/** What cron does with a day: its figures merged over its reports. */
function mergeDay(ledger: SqliteLedger, account: string, domain: string, day: number): void {
  const figures = figuresIn("aggregate", {
    accounts: [account],
    domains: [domain],
    firstDay: day,
    lastDay: day,
    onlyCounted: true,
  });
  const found = ledger.sqlite
    .prepare(`SELECT key, sum(value) AS value FROM ${figures.sql} GROUP BY key ORDER BY key`)
    .all(...figures.parameters);
  if (found.length === 0) return;
  const half = Math.ceil(found.length / 2);
  const chunks = [found.slice(0, half), found.slice(half)].filter((chunk) => chunk.length > 0);
  for (const [i, chunk] of chunks.entries()) {
    const text = JSON.stringify(Object.fromEntries(chunk.map(({ key, value }) => [key, value])));
    ledger.sqlite
      .prepare(
        "INSERT INTO day_figures (account, kind, domain, day, chunk, figures) VALUES (?, 'aggregate', ?, ?, ?, ?)",
      )
      .run(account, domain, day, i, text);
  }
  ledger.sqlite
    .prepare(
      "UPDATE domain_days SET figure_chunks = ? WHERE account = ? AND kind = 'aggregate' AND domain = ? AND day = ?",
    )
    .run(chunks.length, account, domain, day);
}

beforeAll(async () => {
  const all = randomSamples(600);
  for (const sample of all) await commitSamples(ledgerOf(sample.account), [sample], { nowSeconds: NOW });
  const gone = all.filter((_, i) => i % 17 === 3);
  for (const sample of gone) await retractSamples(ledgerOf(sample.account), [sample], NOW);
  samples = all.filter((_, i) => i % 17 !== 3);
  for (const account of ACCOUNTS) {
    for (const domain of DOMAINS) {
      for (let day = FIRST_DAY; day < FIRST_DAY + DAYS; day += 2) mergeDay(ledgerOf(account), account, domain, day);
    }
  }
  rows = samples.flatMap(({ account, uid, report, records, sender }) => {
    if (report.kind !== "aggregate") return [];
    const day = Math.floor(report.metadata.beginSeconds / 86_400);
    const place = { account, uid, domain: report.policy.domain, day, reporter: report.metadata.orgName };
    const counted = isCounted(sender?.state ?? "unchecked");
    return records.map((record): Row => ({ ...record, ...place, isCounted: counted }));
  });
});

function sum<T>(list: readonly T[], value: (one: T) => number): number {
  return list.reduce((total, one) => total + value(one), 0);
}

const messages = (list: readonly Row[]): number => sum(list, ({ count }) => count);
const passed = (list: readonly Row[]): number => messages(list.filter(isPass));
const inPeriod = ({ day }: { day: number }): boolean => day >= PERIOD.firstDay && day <= PERIOD.lastDay;
const dayOfSample = ({ report }: Sample): number =>
  report.kind === "aggregate" ? Math.floor(report.metadata.beginSeconds / 86_400) : 0;
const domainOfSample = ({ report }: Sample): string => (report.kind === "aggregate" ? report.policy.domain : "");

const LIST: DomainList = {
  beforeFirstDay: FIRST_DAY,
  text: "",
  order: "messages",
  descending: true,
  limit: 25,
  offset: 0,
  allProblems: true,
  databases: 2,
};

describe.each([
  { name: "all accounts", accounts: ACCOUNTS },
  { name: "one account", accounts: ["beta"] },
])("of $name", ({ accounts }) => {
  const mine = (): Row[] => rows.filter(({ account }) => accounts.includes(account));
  const mySamples = (): Sample[] => samples.filter(({ account }) => accounts.includes(account));

  it("domains have sums, reports and the previous period", async () => {
    const page = await only(domainsQuery({ accounts, ...PERIOD }, LIST));
    const expected = DOMAINS.map((domain) => {
      const here = mine().filter((row) => row.domain === domain);
      const reports = mySamples().filter(
        (one) => domainOfSample(one) === domain && inPeriod({ day: dayOfSample(one) }),
      );
      const lastDay = Math.max(...reports.map(dayOfSample));
      return {
        domain,
        messages: messages(here.filter(inPeriod)),
        passed: passed(here.filter(inPeriod)),
        messagesBefore: messages(here.filter(({ day }) => day < PERIOD.firstDay)),
        reports: reports.length,
        lastEndSeconds: lastDay * 86_400 + 86_399,
        policy: expect.stringContaining("p=quarantine"),
        accounts: expect.toSatisfy((named: string[]) => named.every((one) => accounts.includes(one))),
        // No verdict was computed, and none of them is registered.
        status: "",
        setup: "",
        rank: expect.any(Number),
        atRisk: 0,
        weight: 0,
        deadLetters: 0,
        conflicts: 0,
      };
    }).sort((a, b) => b.messages - a.messages);
    expect(page).toMatchObject({ rows: expected, matching: 3, hasDomains: true, astray: 0 });
    for (const { domain, accounts: named } of page.rows) {
      const of = new Set(mySamples().flatMap((one) => (domainOfSample(one) === domain ? [one.account] : [])));
      expect(new Set(named)).toEqual(of);
    }
  });

  it("days have every sum, and reports on the day they cover", async () => {
    const found = await answer(dayTotalsQuery({ accounts, domains: ["a.example"], ...PERIOD }));
    const here = mine().filter((row) => row.domain === "a.example" && inPeriod(row));
    const reported = mySamples().filter(
      (one) => domainOfSample(one) === "a.example" && inPeriod({ day: dayOfSample(one) }),
    );
    const days = [...new Set(reported.map(dayOfSample))].sort((a, b) => a - b);
    const of = (day: number, keep: (row: Row) => boolean = () => true): number =>
      messages(here.filter((row) => row.day === day && keep(row)));
    expect(found).toEqual(
      days.map((day) => ({
        day,
        messages: of(day),
        passed: of(day, isPass),
        dkimAligned: of(day, ({ dkim }) => dkim === "pass"),
        spfAligned: of(day, ({ spf }) => spf === "pass"),
        quarantined: of(day, ({ disposition }) => disposition === "quarantine"),
        rejected: of(day, ({ disposition }) => disposition === "reject"),
        reports: reported.filter((one) => dayOfSample(one) === day).length,
        spread: 0,
        uncounted: of(day, (row) => !row.isCounted),
        uncountedReports: reported.filter((one) => dayOfSample(one) === day && !isCounted(stateOf(one))).length,
        unchecked: messages(
          here.filter(
            (row) => row.day === day && samples.some((one) => one.uid === row.uid && stateOf(one) === "unchecked"),
          ),
        ),
      })),
    );
  });

  it("policies have when each was seen and by how many", async () => {
    const found = await answer(policiesQuery({ accounts, domains: ["b.example"] }));
    const here = mySamples().filter((one) => domainOfSample(one) === "b.example");
    // Three reporters, and each database counts its own.
    const databases = new Set(here.map(({ account }) => ledgerOf(account))).size;
    for (const p of ["none", "quarantine"]) {
      const of = here.filter(({ report }) => report.kind === "aggregate" && report.policy.p === p);
      expect(found.find(({ policy }) => policy.startsWith(`p=${p};`))).toMatchObject({
        firstDay: Math.min(...of.map(dayOfSample)),
        lastDay: Math.max(...of.map(dayOfSample)),
        lastCountedDay: Math.max(...of.filter((one) => isCounted(stateOf(one))).map(dayOfSample)),
        reports: of.length,
        reporters: 3 * databases,
        reportersAreAtMost: databases > 1,
      });
    }
  });

  it.each(DOMAINS)("mail of %s that the verdict counts, and when it was first seen", async (domain) => {
    const scope: DomainScope = { accounts, domains: [domain], ...PERIOD, onlyCounted: true };
    const { sources } = await only(mailQuery(scope));
    const here = mine().filter((row) => row.domain === domain && row.isCounted);
    expect(sum(sources, (source) => source.messages)).toBe(messages(here.filter(inPeriod)));
    expect(sum(sources, (source) => source.passed)).toBe(passed(here.filter(inPeriod)));
    expect(sum(sources, (source) => source.uncounted)).toBe(0);
    expect(Math.min(...sources.map(({ firstDay }) => firstDay))).toBe(
      Math.min(...here.filter((row) => sources.length > 0 && row.count > 0).map(({ day }) => day)),
    );
  });

  it.each(DOMAINS)("mail of %s: sources seen ever, dispositions and reasons of the period", async (domain) => {
    const scope: DomainScope = { accounts, domains: [domain], ...PERIOD };
    const mail = await only(mailQuery(scope));
    const here = mine().filter((row) => row.domain === domain);
    const groups = new Map<string, Row[]>();
    for (const row of here) {
      const isAuthenticated = [...row.dkimResults, ...row.spfResults].some(({ result }) => result === "pass");
      const key = isAuthenticated ? JSON.stringify([row.dkimResults, row.spfResults]) : row.sourceIp;
      groups.set(key, [...(groups.get(key) ?? []), row]);
    }
    const expected = [...groups.values()]
      .map((list) => {
        const current = list.filter(inPeriod);
        const of = (keep: (row: Row) => boolean): number => messages(current.filter(keep));
        return {
          messages: messages(current),
          passed: passed(current),
          dkimAligned: of(({ dkim }) => dkim === "pass"),
          spfAligned: of(({ spf }) => spf === "pass"),
          quarantined: of(({ disposition }) => disposition === "quarantine"),
          rejected: of(({ disposition }) => disposition === "reject"),
          spared: of((row) => !isPass(row) && row.reasons.length > 0),
          uncounted: of((row) => !row.isCounted),
          firstDay: Math.min(...list.map(({ day }) => day)),
          lastDay: Math.max(...list.map(({ day }) => day)),
        };
      })
      .filter((group) => group.messages > 0);
    const order = (list: object[]): string[] => list.map((one) => JSON.stringify(one)).sort();
    const figures = mail.sources.map(({ dkimResults: _, spfResults: __, sourceIp: ___, ...sums }) => sums);
    expect(order(figures)).toEqual(order(expected));
    for (const disposition of ["none", "quarantine", "reject"] as const) {
      const of = here.filter((row) => inPeriod(row) && row.disposition === disposition);
      expect(mail.dispositions).toContainEqual({ disposition, messages: messages(of), passed: passed(of) });
      const other = of.filter(({ reasons }) => reasons[0]?.type === "other");
      if (other.length > 0) {
        expect(mail.reasons).toContainEqual({ reasons: "other a|b;c,d", disposition, messages: messages(other) });
      }
    }
    const home = new Set(here.filter((row) => inPeriod(row) && row.spf === "pass").map(({ sourceIp }) => sourceIp));
    expect(home.size).toBeLessThanOrEqual(GUIDANCE_LIMITS.maxHomeAddresses);
    expect(new Set(mail.homeAddresses)).toEqual(home);
  });

  it.each(DOMAINS)("evidence about %s: the verdict is the same as over the plain records", async (domain) => {
    const scope: DomainScope = { accounts, domains: [domain], ...PERIOD };
    const mail = await only(mailQuery(scope));
    const days = await answer(dayTotalsQuery(scope));
    const policies = await answer(policiesQuery({ accounts, domains: [domain] }));
    const ruaAddresses = (await answer(ruaAddressesQuery(scope))).map(({ rua }) => rua);
    expect(ruaAddresses.toSorted()).toEqual(accounts.map((account) => `dmarc@${account}.example`));
    const senders = await askKnownSenders(answer, { domain, mail, check: undefined, nowSeconds: 0 });
    const answers = { period: PERIOD, senders, days, policies, ruaAddresses };
    const input = verdictInput(domain, answers, () => undefined);
    const here = mine().filter((row) => row.domain === domain && inPeriod(row));
    const plain = evidenceOf(
      here.map((record) => ({ day: record.day, record })),
      PERIOD,
    );
    const failing = here.filter((row) => !isPass(row));
    expect(input.totals).toEqual({ messages: messages(here), failing: messages(failing) });
    expect(sumEvidence(mail.evidence)).toEqual(sumEvidence(plain));
    const [found, expected] = [judge(input), judge({ ...input, mail: mailBySender(plain, domain) })];
    const { sources: foundSources, ...rest } = verdictJson(found);
    const { sources: expectedSources, ...expectedRest } = verdictJson(expected);
    expect(rest).toEqual(expectedRest);
    const byName = (list: typeof foundSources) => new Map(list.map((source) => [source.name, source]));
    expect(byName(foundSources)).toEqual(byName(expectedSources));
    expect(found.sources.map(({ name, activeParts }) => [name, activeParts]).sort()).toEqual(
      expected.sources.map(({ name, activeParts }) => [name, activeParts]).sort(),
    );
    const hit = messages(failing.filter(({ reasons }) => reasons[0]?.type !== "forwarded"));
    const { own, undecided, foreign, forwarder } = found.wouldHit.reject;
    expect(own + undecided + foreign + forwarder).toBe(hit);
    expect(found.letThrough).toBe(messages(failing) - hit);
  });

  it.each(["192.0.2.1", "2001:db8::1", "203.0.113.9"])(
    "address %s: groups, days, reports, records",
    async (sourceIp) => {
      const scope: DomainScope = { accounts, domains: ["a.example"], ...PERIOD };
      const match = { sourceIp };
      const { groups, days } = await only(sourceQuery(scope, match));
      const here = mine().filter((row) => row.domain === "a.example" && row.sourceIp === sourceIp);
      const current = here.filter(inPeriod);
      expect(sum(groups, (group) => group.messages)).toBe(messages(current));
      expect(sum(groups, (group) => group.passed)).toBe(passed(current));
      expect(sum(groups, (group) => group.spared)).toBe(
        messages(current.filter((row) => !isPass(row) && row.reasons.length > 0)),
      );
      expect(groups.every((group) => group.sourceIp === sourceIp)).toBe(true);
      for (const day of new Set(current.map((row) => row.day))) {
        const of = days.filter((one) => one.day === day);
        expect(sum(of, (one) => one.messages)).toBe(messages(current.filter((row) => row.day === day)));
        expect(sum(of, (one) => one.passed)).toBe(passed(current.filter((row) => row.day === day)));
      }
      const found = await only(sourceReportsQuery(scope, { match, days: [...new Set(days.map(({ day }) => day))] }));
      expect(new Set(found.reports.map(({ reportUid }) => reportUid))).toEqual(new Set(current.map(({ uid }) => uid)));
      expect(sum(found.reports, (report) => report.messages)).toBe(messages(current));
      expect(sum(found.records, (record) => record.messages)).toBe(messages(current));
      expect(found.records.every((record) => record.sourceIp === sourceIp)).toBe(true);
    },
  );

  it("reports of the period or an address are filtered, sorted and paged", async () => {
    const scope = { accounts, domains: ["a.example"], ...PERIOD };
    const list: ReportList = {
      reporter: "",
      result: "all",
      sourceIp: "",
      text: "",
      order: "messages",
      descending: true,
      limit: 1000,
      offset: 0,
    };
    const here = mySamples().filter(
      (one) => domainOfSample(one) === "a.example" && inPeriod({ day: dayOfSample(one) }),
    );
    const page = await only(reportsQuery(scope, list));
    expect(page.matching).toBe(here.length);
    expect(new Set(page.rows.map(({ reportUid }) => reportUid))).toEqual(new Set(here.map(({ uid }) => uid)));
    const counts = page.rows.map((row) => row.messages);
    expect(counts).toEqual(counts.toSorted((a, b) => b - a));
    const cut = await only(reportsQuery(scope, { ...list, limit: 3, offset: 2 }));
    expect(cut.rows.map((row) => row.messages)).toEqual(counts.slice(2, 5));
    const ofBeta = await only(reportsQuery(scope, { ...list, reporter: "Beta", result: "fail" }));
    const failing = here.filter(({ report, records }) => {
      const isBeta = report.kind === "aggregate" && report.metadata.orgName === "Beta";
      return isBeta && records.some((record) => !isPass(record));
    });
    expect(ofBeta.matching).toBe(failing.length);
    const withAddress = await only(reportsQuery(scope, { ...list, sourceIp: "192.0.2.1" }));
    const current = mine().filter((row) => row.domain === "a.example" && inPeriod(row) && row.sourceIp === "192.0.2.1");
    expect(sum(withAddress.rows, (row) => row.messages)).toBe(messages(current));
    expect(withAddress.matching).toBe(new Set(current.map(({ uid }) => uid)).size);
    expect((await only(reportsQuery(scope, { ...list, text: "no such" }))).rows).toEqual([]);
    expect(await answer(reportersQuery(scope, 200))).toEqual(["Alpha", "Beta", "Gamma"]);
  });

  it("stats cover everything or one domain", async () => {
    const all = await only(statsQuery({ accounts }));
    expect(all).toMatchObject({
      reports: mySamples().length,
      records: mine().length,
      messages: messages(mine()),
      passed: passed(mine()),
      deadLetters: 0,
    });
    const [account = ""] = accounts;
    const here = mine().filter((row) => row.domain === "b.example" && row.account === account);
    expect(await only(statsQuery({ accounts, account, domain: "b.example" }))).toMatchObject({
      records: here.length,
      messages: messages(here),
      sources: new Set(here.map(({ sourceIp }) => sourceIp).filter((ip) => ip !== "")).size,
    });
  });
});

describe("data of another account", () => {
  it("is in no answer for an account that may not see it, or for none", async () => {
    const scope: DomainScope = { accounts: [], domains: ["a.example"], ...PERIOD };
    expect((await only(domainsQuery(scope, LIST))).rows).toEqual([]);
    expect(await answer(dayTotalsQuery(scope))).toEqual([]);
    expect((await only(mailQuery({ ...scope, accounts: ["nobody"] }))).sources).toEqual([]);
    expect((await only(statsQuery({ accounts: [] }))).messages).toBe(0);
  });
});

describe("domains in the database", () => {
  it.each(["domain", "messages", "dmarc_pass", "change", "policy", "reports", "last_report_day", "problems"] as const)(
    "are sorted by %s both ways, the same in one part or in several",
    async (order) => {
      for (const descending of [false, true]) {
        const whole = await only(domainsQuery({ accounts: ACCOUNTS, ...PERIOD }, { ...LIST, order, descending }));
        const parts = await Promise.all(
          [0, 1, 2].map((offset) =>
            only(domainsQuery({ accounts: ACCOUNTS, ...PERIOD }, { ...LIST, order, descending, limit: 1, offset })),
          ),
        );
        expect(parts.flatMap((part) => part.rows.map(({ domain }) => domain)).sort()).toEqual(
          whole.rows.map(({ domain }) => domain).sort(),
        );
      }
    },
  );

  it("are searched by name and policy, with dead letters of unlisted domains counted apart", async () => {
    const letter = (id: string, domain: string): void => {
      first?.sqlite
        .prepare(
          `INSERT INTO dead_letters (id, day, account, rua, domain, code, raw_key, part, generation, received_seconds,
            filed_seconds, attempts, letter) VALUES (?, 1, 'acme', '', ?, 'empty', '', '', 1, 1, 1, 1, '{}')`,
        )
        .run(id, domain);
    };
    letter("1", "a.example");
    letter("2", "unlisted.example");
    const search = (text: string, changes: Partial<DomainList> = {}) =>
      only(domainsQuery({ accounts: ACCOUNTS, ...PERIOD }, { ...LIST, text, ...changes }));
    expect(await search("C.EXAMPLE")).toMatchObject({
      rows: [{ domain: "mail.c.example" }],
      matching: 1,
      hasDomains: true,
      astray: 1,
    });
    expect(await search("p=quarantine")).toMatchObject({ matching: 3 });
    expect(await search("nothing")).toMatchObject({ rows: [], matching: 0, hasDomains: true, astray: 1 });
    expect((await search("a.example")).rows[0]).toMatchObject({ deadLetters: 1 });
    const others = await only(domainsQuery({ accounts: ["beta"], ...PERIOD }, { ...LIST, allProblems: false }));
    expect(sum(others.rows, (row) => row.deadLetters) + others.astray).toBe(0);
    first?.sqlite.exec("DELETE FROM dead_letters");
  });

  it("have trends that add up to the period", async () => {
    const parts: [number, number][] = [
      [PERIOD.firstDay, PERIOD.firstDay + 9],
      [PERIOD.firstDay + 10, PERIOD.lastDay],
    ];
    const scope = { accounts: ACCOUNTS, domains: DOMAINS, firstDay: FIRST_DAY, lastDay: PERIOD.lastDay };
    const found = await answer(domainTrendsQuery(scope, { firstDay: PERIOD.firstDay, days: 10 }));
    const before = rows.filter(({ domain, day }) => domain === "b.example" && day < PERIOD.firstDay);
    expect(found).toContainEqual({ domain: "b.example", part: BEFORE, messages: messages(before) });
    for (const [part, [from, to]] of parts.entries()) {
      const here = rows.filter(({ domain, day }) => domain === "b.example" && day >= from && day <= to);
      expect(found).toContainEqual({ domain: "b.example", part, messages: messages(here) });
    }
  });

  it("are found by accounts with data and its first day", async () => {
    expect(await answer(accountsWithDataQuery())).toEqual(ACCOUNTS);
    const days = rows.filter(({ domain }) => domain === "a.example").map(({ day }) => day);
    const { firstDay, lastDay, lastFinalDay } = await only(extentQuery({ accounts: ACCOUNTS, domains: ["a.example"] }));
    expect(firstDay).toBeLessThanOrEqual(Math.min(...days));
    expect(lastDay).toBe(Math.max(...days));
    expect(lastFinalDay).toBeUndefined();
    expect(await only(extentQuery({ accounts: [], domains: ["a.example"] }))).toEqual({
      firstDay: undefined,
      lastDay: undefined,
      lastFinalDay: undefined,
    });
  });
});

describe("final days", () => {
  it("keep their sums but no details", async () => {
    const ledger = new SqliteLedger();
    const records = [sampleRecord("a.example", { count: 5 })];
    const report = aggregateReport("a.example", { day: FIRST_DAY, records });
    await commitSamples(ledger, [{ account: "acme", uid: "1".repeat(32), report, records, receivedSeconds: NOW }], {
      nowSeconds: NOW,
    });
    ledger.sqlite.exec("UPDATE domain_days SET is_final = 1; DELETE FROM reports");
    const scope: DomainScope = { accounts: ["acme"], domains: ["a.example"], firstDay: FIRST_DAY, lastDay: FIRST_DAY };
    expect(await answer(dayTotalsQuery(scope), [ledger])).toMatchObject([{ messages: 5, reports: 1 }]);
    expect(await answer(extentQuery(scope), [ledger])).toEqual([
      { firstDay: FIRST_DAY, lastDay: FIRST_DAY, lastFinalDay: FIRST_DAY },
    ]);
    expect(await answer(policiesQuery(scope), [ledger])).toMatchObject([{ firstDay: FIRST_DAY, reports: 1 }]);
    expect(await answer(mailQuery(scope), [ledger])).toEqual([
      { sources: [], dispositions: [], reasons: [], evidence: [], homeAddresses: [] },
    ]);
    expect(await answer(statsQuery({ accounts: ["acme"] }), [ledger])).toMatchObject([{ messages: 5, sources: 0 }]);
  });
});

const TLS: TlsReport = {
  kind: "tls",
  orgName: "Sender",
  contactInfo: "",
  reportId: "t1",
  beginSeconds: FIRST_DAY * 86_400,
  endSeconds: FIRST_DAY * 86_400 + 86_399,
  warnings: [],
  omittedWarnings: 0,
  contentHash: "",
  policies: [
    {
      policyType: "sts",
      policyDomain: "a.example",
      policyStrings: ["version: STSv1"],
      mxHosts: ["mx1.a.example", "mx2.a.example"],
      successfulSessionCount: 90,
      failedSessionCount: 4,
      failureDetails: [1, 3].map((failedSessionCount) => ({
        resultType: failedSessionCount === 1 ? "certificate-expired" : "starttls-not-supported",
        sendingMtaIp: "192.0.2.7",
        receivingMxHostname: "mx1.a.example",
        receivingMxHelo: "",
        receivingIp: "192.0.2.8",
        failedSessionCount,
        additionalInformation: "",
        failureReasonCode: "code|1",
      })),
    },
    {
      policyType: "tlsa",
      policyDomain: "mx1.a.example",
      policyStrings: [],
      mxHosts: [],
      successfulSessionCount: 7,
      failedSessionCount: 0,
      failureDetails: [],
    },
  ],
};

const FAILURE = failureReport({
  reportedDomain: "a.example",
  sourceIp: "192.0.2.9",
  arrivalSeconds: FIRST_DAY * 86_400 + 60,
  spfDomain: "a.example",
  mailFromDomain: "bounce.a.example",
  incidents: 3,
});

describe("TLS and failure reports", () => {
  const ledger = new SqliteLedger();
  const at = { firstDay: FIRST_DAY, lastDay: FIRST_DAY };
  const scope = { accounts: ["acme"], domains: ["a.example"], ...at };
  const found = <Row>(query: Query<Row>): Promise<Row[]> => answer(query, [ledger]);
  beforeAll(async () => {
    const sample = (uid: string, report: Sample["report"], account: string): Sample => ({
      account,
      uid: uid.repeat(32),
      report,
      records: [],
      receivedSeconds: NOW,
    });
    await commitSamples(
      ledger,
      [
        sample("1", TLS, "acme"),
        sample("2", { ...TLS, reportId: "t2" }, "acme"),
        sample("3", TLS, "other"),
        sample("4", FAILURE, "acme"),
        sample("5", { ...FAILURE, arrivalSeconds: null }, "acme"),
        sample("6", FAILURE, "other"),
      ],
      { nowSeconds: NOW },
    );
  });

  it("have sessions by day, domain and policy", async () => {
    expect(await found(tlsDaysQuery(scope))).toEqual([{ day: FIRST_DAY, successful: 180, failed: 8, spread: 0 }]);
    expect(await found(otherDomainsQuery({ accounts: ["acme"], ...at }))).toEqual([
      { domain: "a.example", sessions: 188, failedSessions: 8, incidents: 3 },
      { domain: "mx1.a.example", sessions: 14, failedSessions: 0, incidents: 0 },
    ]);
    expect(await found(hasDataQuery(["acme"]))).toEqual([true]);
    expect(await found(hasDataQuery(["nobody"]))).toEqual([false]);
    expect(await found(tlsPoliciesQuery(scope))).toEqual([
      {
        reporter: "Sender",
        policyType: "sts",
        mxHosts: "mx1.a.example\nmx2.a.example",
        successful: 180,
        failed: 8,
        reports: 2,
        lastDay: FIRST_DAY,
      },
    ]);
  });

  it("have failures and single reports", async () => {
    expect(await found(tlsFailuresQuery(scope))).toMatchObject([
      { resultType: "starttls-not-supported", failureReasonCode: "code|1", sessions: 6, reporter: "Sender" },
      { resultType: "certificate-expired", sessions: 2 },
    ]);
    const reports = await found(tlsReportsQuery(scope));
    expect(reports).toMatchObject([
      { reportId: "t1", policies: 1, successful: 90, failed: 4, day: FIRST_DAY },
      { reportId: "t2" },
    ]);
    const [report] = reports;
    if (report === undefined) throw new Error("no report");
    expect(await found(tlsReportFailuresQuery(report))).toMatchObject([{ sessions: 3 }, { sessions: 1 }]);
    const [stored] = await found(
      reportQuery({ account: "acme", domain: "mx1.a.example", day: FIRST_DAY, uid: "1".repeat(32) }),
    );
    expect(stored?.details).toMatchObject({
      kind: "tls",
      spread: [
        ["a.example", FIRST_DAY],
        ["mx1.a.example", FIRST_DAY],
      ],
    });
    expect(
      await found(reportQuery({ account: "beta", domain: "a.example", day: FIRST_DAY, uid: "1".repeat(32) })),
    ).toEqual([]);
    expect(await found(reportQuery({ account: "acme", domain: "a.example", day: FIRST_DAY, uid: "not hex" }))).toEqual(
      [],
    );
  });

  it("have failure reports by address, by domain and one by one", async () => {
    expect(await found(failuresQuery(scope))).toMatchObject([
      {
        sourceIp: "192.0.2.9",
        authFailure: "dmarc",
        mailFromDomain: "bounce.a.example",
        incidents: 3,
        lastDay: FIRST_DAY,
      },
    ]);
    expect(await found(failureReportsQuery({ accounts: ["acme"], domains: ["a.example"] }))).toMatchObject([
      { arrivalSeconds: 0, incidents: 3 },
      { arrivalSeconds: FIRST_DAY * 86_400 + 60, reportingMta: "mx.reporter.example" },
    ]);
  });
});
