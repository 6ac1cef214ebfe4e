/** Laws of filters: what each choice of a filter leaves is together the whole list, nothing of it twice, and counts are of those. */
import { expect, it } from "vitest";
import { SENDER_STATES } from "../../shared/authentication/sender-state.ts";
import { change } from "../../shared/ledger/database.ts";
import { deadLetterIdsQuery, deadLetterReasonsQuery, putDeadLetters } from "../../shared/ledger/dead-letters.ts";
import { DOMAIN_STATUSES, type DomainList, domainsQuery } from "../../shared/ledger/domains.ts";
import { putRegisteredDomains } from "../../shared/ledger/registered-domains.ts";
import { type ReportFilter, reportsQuery } from "../../shared/ledger/report-list.ts";
import { askAll } from "../../shared/ledger/shards.ts";
import { aggregateReport, commitSamples, sampleRecord } from "../support/ledger-fill.ts";
import fc from "../support/properties.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

const DAY = 20_000;
const NOW = (DAY + 10) * 86_400;
const ACCOUNTS = ["acme", "beta"];
const DOMAIN = "acme.example";
const ADDRESSES = ["192.0.2.1", "192.0.2.11", "2001:db8::1", "2001:db8::11"];
const REPORTERS = ["Reporter", "reporter", "\u{1f600}", "", "a%", "a_"];

const given = fc.array(
  fc.record({
    account: fc.nat(1),
    reporter: fc.constantFrom(...REPORTERS),
    sender: fc.constantFrom(...SENDER_STATES),
    days: fc.constantFrom(1, 1, 3),
    isStaged: fc.boolean(),
    records: fc.array(
      fc.record({
        sourceIp: fc.constantFrom(...ADDRESSES),
        count: fc.constantFrom(0, 1, 50),
        dkim: fc.constantFrom("pass" as const, "fail" as const),
      }),
      { maxLength: 4 },
    ),
  }),
  { maxLength: 10 },
);

const ALL: ReportFilter = { reporter: "", result: "all", sourceIp: "", text: "" };

it("reports: by result, by sender, by reporter, by address", { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(given, async (reports) => {
      const ledgers = [new SqliteLedger(), new SqliteLedger()];
      for (const [i, { account, reporter, sender, days, isStaged, records }] of reports.entries()) {
        const ledger = ledgers[account];
        if (ledger === undefined) throw new Error("no database");
        const samples = records.map((record) => sampleRecord(DOMAIN, record));
        const report = aggregateReport(DOMAIN, { day: DAY, records: samples, reporter });
        report.metadata.reportId = `${i}`;
        report.metadata.endSeconds += (days - 1) * 86_400;
        const uid = i.toString(16).padStart(32, "0");
        const from = { sender: { state: sender, domain: "" }, account: ACCOUNTS[account] ?? "" };
        const sample = { ...from, uid, report, records: samples, receivedSeconds: NOW };
        await commitSamples(ledger, [isStaged ? { ...sample, chunkRecords: 2 } : sample], { nowSeconds: NOW });
      }
      const list = async (filter: Partial<ReportFilter>): Promise<string[]> => {
        const bounds = { order: "begin" as const, descending: false, limit: 1000, offset: 0 };
        const scope = { accounts: ACCOUNTS, domains: [DOMAIN], firstDay: 0, lastDay: DAY + 10 };
        const [page] = await askAll(ledgers, reportsQuery(scope, { ...ALL, ...filter, ...bounds }));
        expect(page?.matching ?? 0).toBe(page?.rows.length ?? 0);
        return page?.rows.map(({ reportUid }) => reportUid).sort() ?? [];
      };
      const whole = await list({});
      expect(whole).toEqual(reports.map((_, i) => i.toString(16).padStart(32, "0")));
      const together = async (filters: Partial<ReportFilter>[]) => (await Promise.all(filters.map(list))).flat().sort();
      expect(await together([{ result: "fail" }, { result: "pass" }])).toEqual(whole);
      expect(await together(SENDER_STATES.map((sender) => ({ sender })))).toEqual(whole);
      const named = REPORTERS.filter((reporter) => reporter !== "");
      const nameless = reports.flatMap(({ reporter }, i) => (reporter === "" ? [whole[i]] : []));
      expect([...(await together(named.map((reporter) => ({ reporter })))), ...nameless].sort()).toEqual(whole);
      for (const sourceIp of ADDRESSES) {
        const holds = reports.map(({ records }) => records.some((record) => record.sourceIp === sourceIp));
        const counted = whole.filter((_, i) => holds[i]);
        const found = await list({ sourceIp });
        expect(found.every((uid) => counted.includes(uid))).toBe(true);
        const withMessages = whole.filter((_, i) =>
          reports[i]?.records.some((record) => record.sourceIp === sourceIp && record.count > 0),
        );
        expect(withMessages.every((uid) => found.includes(uid))).toBe(true);
      }
    }),
    { numRuns: 25 },
  );
});

it("dead letters: by reason, by account, open and discarded", async () => {
  const letters = fc.array(
    fc.record({
      account: fc.nat(1),
      code: fc.constantFrom("empty", "truncated", "too_large"),
      isDiscarded: fc.boolean(),
    }),
    { maxLength: 20 },
  );
  await fc.assert(
    fc.asyncProperty(letters, async (all) => {
      const ledgers = [new SqliteLedger(), new SqliteLedger()];
      const idOf = (i: number): string => `20260101-${String(i).padStart(24, "0")}`;
      for (const [i, { account, code, isDiscarded }] of all.entries()) {
        const letter = {
          ...{
            id: idOf(i),
            day: DAY,
            account: ACCOUNTS[account] ?? "",
            rua: "",
            domain: "",
            code,
            message: "",
            part: "",
          },
          ...{
            stage: "read" as const,
            rawKey: "raw/1",
            generation: 1,
            receivedSeconds: 1,
            filedSeconds: 1,
            attempts: 1,
          },
          ...{ queueMessage: {}, discardedSeconds: isDiscarded ? 5 : 0 },
        };
        await change(ledgers[account] ?? new SqliteLedger(), [putDeadLetters([letter])]);
      }
      type Question = Parameters<typeof deadLetterIdsQuery>[0];
      const list = async (question: Question): Promise<string[]> => {
        const order = { order: "at" as const, descending: false, text: "", limit: 1000, offset: 0 };
        const asked = deadLetterIdsQuery(question, order);
        if (!asked.ok) throw new Error(asked.error);
        const [page] = await askAll(ledgers, asked.value);
        return page?.rows.map(({ id }) => id).sort() ?? [];
      };
      const together = async (questions: Question[]) => (await Promise.all(questions.map(list))).flat().sort();
      const [open, discarded] = [await list({ isDiscarded: false }), await list({ isDiscarded: true })];
      expect([...open, ...discarded].sort()).toEqual(all.map((_, i) => idOf(i)));
      const codes = ["empty", "truncated", "too_large"];
      expect(await together(codes.map((code) => ({ code, isDiscarded: false })))).toEqual(open);
      expect(await together(ACCOUNTS.map((account) => ({ account, isDiscarded: true })))).toEqual(discarded);
      const asked = deadLetterReasonsQuery({});
      if (!asked.ok) throw new Error(asked.error);
      const reasons = await askAll(ledgers, asked.value);
      const ofOpen = new Set(all.flatMap(({ code, isDiscarded }) => (isDiscarded ? [] : [code])));
      expect(reasons.map(({ code }) => code).sort()).toEqual([...ofOpen].sort());
      for (const { code, deadLetters } of reasons) {
        expect(deadLetters).toBe((await list({ code })).length);
      }
    }),
    { numRuns: 30 },
  );
});

it("domains: by status, whose counts are those of the lists, and by policy", { timeout: 300_000 }, async () => {
  const domains = fc.uniqueArray(
    fc.record({
      number: fc.nat(30),
      account: fc.nat(1),
      isRegistered: fc.boolean(),
      hasReport: fc.boolean(),
      verdict: fc.option(fc.constantFrom("ready", "notYet", "protected", "silent")),
      policy: fc.constantFrom("", "p=none", "p=quarantine; pct=50", "p=reject"),
    }),
    { selector: ({ number, account }) => `${number} ${account}`, maxLength: 14 },
  );
  await fc.assert(
    fc.asyncProperty(domains, fc.boolean(), async (some, isOne) => {
      // A domain of accounts in several databases is counted in each.
      const all = isOne ? some : some.filter((one, i) => some.findIndex(({ number }) => number === one.number) === i);
      const first = new SqliteLedger();
      const ledgers = [first, isOne ? first : new SqliteLedger()];
      for (const { number, account: i, isRegistered, hasReport, verdict, policy } of all) {
        const [ledger, account, domain] = [ledgers[i], ACCOUNTS[i] ?? "", `d${number}.example`];
        if (ledger === undefined) throw new Error("no database");
        if (isRegistered)
          await change(ledger, [putRegisteredDomains([{ account, domain, rua: "rua@acme.example" }], 1)]);
        if (!hasReport) continue;
        const records = [sampleRecord(domain, { count: 1 + number })];
        const report = aggregateReport(domain, { day: DAY, records });
        const uid = `${i}${number}`.padStart(32, "0");
        await commitSamples(ledger, [{ account, uid, report, records, receivedSeconds: NOW }], { nowSeconds: NOW });
        if (verdict === null) continue;
        const sql = `INSERT INTO domain_verdicts (account, domain, state, place, since_seconds, messages, own_messages, at_risk,
            policy, is_test, next_record, reasons, senders, computed_seconds, fingerprint, version)
          VALUES (?1, ?2, ?3, ?4, 1, 1, 1, 0, ?5, 0, '', '[]', '[]', 1, '', 1)
          ON CONFLICT DO UPDATE SET state = excluded.state, place = excluded.place, policy = excluded.policy`;
        const place = ["beingRejected", "notYet", "ready", "protected", "tooEarly", "silent"].indexOf(verdict);
        await change(ledger, [{ sql, parameters: [account, domain, verdict, place, policy] }]);
      }
      const list = async (filter: Partial<DomainList>) => {
        const bounds = {
          order: "status" as const,
          descending: false,
          limit: 1000,
          offset: 0,
          databases: isOne ? 1 : 2,
        };
        const asked = { beforeFirstDay: undefined, text: "", allProblems: false, ...bounds, ...filter };
        const [page] = await askAll(
          [...new Set(ledgers)],
          domainsQuery({ accounts: ACCOUNTS, firstDay: 0, lastDay: DAY + 10 }, asked),
        );
        if (page === undefined) throw new Error("a question without an answer");
        const names = page.rows.map(({ domain }) => domain).sort();
        expect(page.matching).toBe(names.length);
        return { ...page, names };
      };
      const whole = await list({});
      expect(whole.names).toEqual(
        [
          ...new Set(all.filter((one) => one.isRegistered || one.hasReport).map(({ number }) => `d${number}.example`)),
        ].sort(),
      );
      const byStatus = await Promise.all(DOMAIN_STATUSES.filter((one) => one !== "").map((status) => list({ status })));
      const named = byStatus.flatMap(({ names }) => names);
      expect(new Set(named).size).toBe(named.length);
      const counted = [...whole.byStatus].reduce((sum, [, count]) => sum + count, 0);
      expect(counted).toBe(whole.names.length);
      expect(named.length).toBe(counted - (whole.byStatus.get("") ?? 0));
      for (const [i, status] of DOMAIN_STATUSES.filter((one) => one !== "").entries()) {
        expect([status, byStatus[i]?.names.length]).toEqual([status, whole.byStatus.get(status) ?? 0]);
      }
      expect([...whole.byPolicy].reduce((sum, [, count]) => sum + count, 0)).toBe(whole.names.length);
      for (const [policy, count] of whole.byPolicy)
        expect([policy, (await list({ policy })).names.length]).toEqual([policy, count]);
    }),
    { numRuns: 25 },
  );
});
