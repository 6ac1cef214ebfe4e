/**
 * Laws of lists that are read page by page, over several databases: of a list that goes on behind its last row, rows that are
 * there all the time are on exactly one page, whatever comes and goes between the pages, and no row is on two; a list that is cut by
 * numbers has each row once, in one order, however long its pages are.
 */
import { expect, it } from "vitest";
import { auditQuery, beginAudit } from "../../shared/ledger/audit.ts";
import { ask, change } from "../../shared/ledger/database.ts";
import { domainDaysQuery } from "../../shared/ledger/days.ts";
import {
  type DeadLetterOrder,
  deadLetterIdsQuery,
  deadLettersQuery,
  putDeadLetters,
  removeDeadLetters,
} from "../../shared/ledger/dead-letters.ts";
import { DOMAIN_ORDERS, domainsQuery } from "../../shared/ledger/domains.ts";
import { reportsToExportQuery } from "../../shared/ledger/export-reports.ts";
import { putRegisteredDomains } from "../../shared/ledger/registered-domains.ts";
import { askAll } from "../../shared/ledger/shards.ts";
import { aggregateReport, commitSamples, retractSamples, type Sample, sampleRecord } from "../support/ledger-fill.ts";
import fc from "../support/properties.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

const DAY = 20_000;
const NOW = (DAY + 10) * 86_400;
const ACCOUNTS = ["acme", "beta", "gamma"];
/** Compared by characters and by halves of them, these are in different orders. */
const DOMAINS = ["a.example", "b.example", "\uff5e.example", "\u{1f600}.example", ""];

/** What a list may hold, by number; those that come or go do so before a page. */
interface Row {
  number: number;
  /** Which page's reading it comes or goes before; of others, 0. */
  page: number;
  fate: "stays" | "comes" | "goes";
}

const rows: fc.Arbitrary<Row[]> = fc.uniqueArray(
  fc.record({
    number: fc.nat(40),
    page: fc.nat(4),
    fate: fc.constantFrom("stays" as const, "stays" as const, "comes" as const, "goes" as const),
  }),
  { selector: ({ number }) => number, maxLength: 25 },
);
const limit = fc.integer({ min: 1, max: 7 });

/** A list of some kind, whose rows are known by their number. */
interface PagedList {
  add(numbers: readonly number[]): Promise<unknown>;
  remove(numbers: readonly number[]): Promise<unknown>;
  /** The numbers of the rows of the page behind a row. */
  page(limit: number): Promise<number[]>;
}

async function expectOnce(list: PagedList, given: readonly Row[], limit: number): Promise<void> {
  const numbersOf = (found: readonly Row[]) => found.map(({ number }) => number);
  await list.add(numbersOf(given.filter(({ fate }) => fate !== "comes")));
  const seen: number[] = [];
  for (let page = 0; page < 100; page++) {
    await list.add(numbersOf(given.filter((row) => row.fate === "comes" && row.page === page)));
    await list.remove(numbersOf(given.filter((row) => row.fate === "goes" && row.page === page)));
    const found = await list.page(limit);
    seen.push(...found);
    if (found.length < limit) break;
  }
  expect(new Set(seen).size).toBe(seen.length);
  const staying = numbersOf(given.filter(({ fate }) => fate === "stays"));
  expect(staying.filter((number) => !seen.includes(number))).toEqual([]);
}

function threeLedgers(): SqliteLedger[] {
  return [new SqliteLedger(), new SqliteLedger(), new SqliteLedger()];
}

function letterOf(number: number) {
  // What is in one order by id is in no order by number.
  const id = `202601${String(1 + ((number * 7) % 28)).padStart(2, "0")}-${String(number).padStart(24, "0")}`;
  return {
    id,
    day: DAY,
    account: ACCOUNTS[number % 3] ?? "",
    rua: `rua${number % 2}@acme.example`,
    domain: DOMAINS[number % DOMAINS.length] ?? "",
    code: ["empty", "truncated", "\uff5e", "\u{1f600}"][number % 4] ?? "",
    message: "",
    stage: "read" as const,
    rawKey: `raw/${number}`,
    part: "",
    generation: 1,
    receivedSeconds: 1,
    filedSeconds: number % 5,
    attempts: number % 3,
    queueMessage: {},
  };
}

const numberOf = (id: string): number => Number(id.slice("20260101-".length));

function deadLetters(): PagedList {
  const ledgers = threeLedgers();
  let after: string | undefined;
  const each = async (numbers: readonly number[], write: (ledger: SqliteLedger, own: number[]) => Promise<unknown>) => {
    for (const [i, ledger] of ledgers.entries())
      await write(
        ledger,
        numbers.filter((number) => number % 3 === i),
      );
  };
  return {
    add: (numbers) => each(numbers, (ledger, own) => change(ledger, [putDeadLetters(own.map(letterOf))])),
    remove: (numbers) =>
      each(numbers, (ledger, own) => change(ledger, [removeDeadLetters(own.map((number) => letterOf(number).id))])),
    async page(limit) {
      const found = await askAll(ledgers, deadLettersQuery({}, { after, limit }));
      after = found.at(-1)?.id ?? after;
      return found.map(({ id }) => numberOf(id));
    },
  };
}

function auditLog(): PagedList {
  const ledger = new SqliteLedger();
  let beforeId: number | undefined;
  const ofNumber = (number: number) => ({
    atSeconds: 1,
    who: `w${number}`,
    operation: "mute",
    account: "",
    domain: "",
  });
  return {
    async add(numbers) {
      for (const number of numbers) await ask(ledger, beginAudit({ ...ofNumber(number), input: "{}", before: "null" }));
    },
    remove: (numbers) =>
      change(ledger, [
        {
          sql: "DELETE FROM audit_log WHERE who IN (SELECT value FROM json_each(?1))",
          parameters: [JSON.stringify(numbers.map((number) => `w${number}`))],
        },
      ]),
    async page(limit) {
      const found = await ask(ledger, auditQuery({}, { beforeId, limit }));
      beforeId = found.at(-1)?.id ?? beforeId;
      return found.map(({ who }) => Number(who.slice(1)));
    },
  };
}

function sampleOf(number: number, account: string): Sample {
  const domain = DOMAINS[number % DOMAINS.length] ?? "";
  const records = [sampleRecord("acme.example", { count: 1 + number })];
  const report = aggregateReport(domain, { day: DAY + (number % 4), records, reporter: `r${number}` });
  const uid = ((number * 7919) % 65_536).toString(16).padStart(4, "0") + number.toString(16).padStart(28, "0");
  return { account, uid, report, records, receivedSeconds: NOW };
}

function exported(): PagedList {
  const ledger = new SqliteLedger();
  let after: [string, string, number, string] | undefined;
  return {
    add: (numbers) =>
      commitSamples(
        ledger,
        numbers.map((number) => sampleOf(number, "acme")),
        { nowSeconds: NOW },
      ),
    remove: (numbers) =>
      retractSamples(
        ledger,
        numbers.map((number) => sampleOf(number, "acme")),
        NOW,
      ),
    async page(limit) {
      const scope = { account: "acme", domain: undefined, firstDay: 0, lastDay: DAY + 10 };
      const found = await ask(ledger, reportsToExportQuery(scope, { after, limit }));
      const last = found.at(-1);
      if (last !== undefined) after = ["acme", last.domain, last.day, last.uid];
      return found.map(({ reporter }) => Number(reporter.slice(1)));
    },
  };
}

it.each([
  ["dead letters of three databases", deadLetters],
  ["entries of the audit log", auditLog],
  ["reports to export", exported],
])("%s: each that stays is on one page", { timeout: 300_000 }, async (_, list) => {
  await fc.assert(
    fc.asyncProperty(rows, limit, (given, size) => expectOnce(list(), given, size)),
    { numRuns: 20 },
  );
});

it("sums by domain and day of three databases: each is on one page, and all together are the whole", async () => {
  await fc.assert(
    fc.asyncProperty(rows, limit, async (given, size) => {
      const ledgers = threeLedgers();
      for (const { number } of given) {
        const account = ACCOUNTS[number % 3] ?? "";
        const ledger = ledgers[number % 3];
        if (ledger !== undefined) await commitSamples(ledger, [sampleOf(number, account)], { nowSeconds: NOW });
      }
      const scope = { accounts: ACCOUNTS, firstDay: 0, lastDay: DAY + 10 };
      const whole = await askAll(ledgers, domainDaysQuery("aggregate", scope, { limit: 1000 }));
      const paged: typeof whole = [];
      for (;;) {
        const last = paged.at(-1);
        const after = last === undefined ? undefined : { day: last.day, domain: last.domain };
        const page = await askAll(ledgers, domainDaysQuery("aggregate", scope, { after, limit: size }));
        paged.push(...page);
        if (page.length < size) break;
      }
      expect(paged).toEqual(whole);
      expect(whole.reduce((sum, { total }) => sum + total, 0)).toBe(
        given.reduce((sum, { number }) => sum + 1 + number, 0),
      );
    }),
    { numRuns: 15 },
  );
});

const LETTER_ORDERS: DeadLetterOrder[] = ["at", "code", "domain", "rua", "attempts"];

it("dead letters in any order: each is once on the pages of any length", async () => {
  const list = fc.record({ order: fc.constantFrom(...LETTER_ORDERS), descending: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(rows, limit, list, async (given, size, asked) => {
      const ledgers = threeLedgers();
      for (const { number } of given) {
        const ledger = ledgers[number % 3];
        if (ledger !== undefined) await change(ledger, [putDeadLetters([letterOf(number)])]);
      }
      const page = async (limit: number, offset: number) => {
        const question = deadLetterIdsQuery({}, { ...asked, text: "", limit, offset });
        if (!question.ok) throw new Error(question.error);
        const [found] = await askAll(ledgers, question.value);
        return found?.rows.map(({ id }) => id) ?? [];
      };
      const whole = await page(1000, 0);
      const paged: string[] = [];
      for (let offset = 0; offset < given.length; offset += size) paged.push(...(await page(size, offset)));
      expect(paged).toEqual(whole);
      expect(whole.map(numberOf).sort((a, b) => a - b)).toEqual(
        given.map(({ number }) => number).sort((a, b) => a - b),
      );
    }),
    { numRuns: 25 },
  );
});

it("domains in any order: each is once on the pages of any length", { timeout: 300_000 }, async () => {
  const list = fc.record({ order: fc.constantFrom(...DOMAIN_ORDERS), descending: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(rows, limit, list, async (given, size, asked) => {
      const ledgers = threeLedgers();
      for (const { number, fate } of given) {
        const account = ACCOUNTS[number % 3] ?? "";
        const ledger = ledgers[number % 3];
        const domain = `${["\uff5e", "\u{1f600}", "b", "B", "a"][number % 5]}${number % 11}.example`;
        if (ledger === undefined) continue;
        if (fate === "stays") {
          await change(ledger, [putRegisteredDomains([{ account, domain, rua: "rua@acme.example" }], 1)]);
          continue;
        }
        const sample = sampleOf(number, account);
        const report = aggregateReport(domain, { day: DAY, records: sample.records, reporter: `r${number}` });
        await commitSamples(ledger, [{ ...sample, report }], { nowSeconds: NOW });
      }
      const page = async (limit: number, offset: number) => {
        const bounds = { beforeFirstDay: undefined, text: "", allProblems: true, databases: 3, limit, offset };
        const scope = { accounts: ACCOUNTS, firstDay: 0, lastDay: DAY + 10 };
        const [found] = await askAll(ledgers, domainsQuery(scope, { ...bounds, ...asked }));
        if (found === undefined) throw new Error("a question without an answer");
        return { matching: found.matching, domains: found.rows.map(({ domain }) => domain) };
      };
      const whole = await page(1000, 0);
      expect(new Set(whole.domains).size).toBe(whole.domains.length);
      expect(whole.matching).toBe(whole.domains.length);
      const paged: string[] = [];
      for (let offset = 0; offset < whole.matching; offset += size) paged.push(...(await page(size, offset)).domains);
      expect(paged).toEqual(whole.domains);
    }),
    { numRuns: 25 },
  );
});
