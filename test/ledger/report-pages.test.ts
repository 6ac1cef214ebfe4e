/** The list of reports, page by page, over several databases: each report once, in any order, and found by its reporter's name. */
import { beforeAll, expect, it } from "vitest";
import { ask } from "../../shared/ledger/database.ts";
import { REPORT_ORDERS, type ReportList, type ReportPage, reportsQuery } from "../../shared/ledger/report-list.ts";
import { aggregateReport, commitSamples, sampleRecord } from "../support/ledger-fill.ts";
import fc from "../support/properties.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

const DAY = 20_000;
const NOW = (DAY + 1) * 86_400;
/** SQLite compares texts by their characters, JavaScript by the halves of those that have two. */
const REPORTERS = [
  "\uff5e",
  "\u{1f600}",
  "\u{1f4e7}b",
  "\ue000",
  "a",
  "B",
  "\u00c4rzte",
  "\u00e4",
  "Zeta",
  "zeta",
  "",
  "\u7d44",
];
const LIST: ReportList = {
  reporter: "",
  result: "all",
  sourceIp: "",
  text: "",
  order: "reporter",
  descending: false,
  limit: 1,
  offset: 0,
};

const ledgers = [new SqliteLedger(), new SqliteLedger(), new SqliteLedger()];

beforeAll(async () => {
  for (const [i, reporter] of REPORTERS.entries()) {
    const records = [sampleRecord("shop.example", { count: 1 + (i % 3) })];
    const report = aggregateReport("shop.example", { day: DAY, records, reporter });
    const uid = i.toString(16).padStart(32, "0");
    // The last database has none.
    const [first, second] = ledgers;
    const ledger = i % 4 === 3 ? second : first;
    if (ledger === undefined) throw new Error("no database");
    await commitSamples(ledger, [{ account: "acme", uid, report, records, receivedSeconds: NOW + i }], {
      nowSeconds: NOW,
    });
  }
});

async function page(changes: Partial<ReportList>): Promise<ReportPage> {
  const query = reportsQuery({ accounts: ["acme"], firstDay: DAY, lastDay: DAY }, { ...LIST, ...changes });
  const parts = await Promise.all(ledgers.map((ledger) => ask(ledger, query)));
  const [found] = query.combine?.(parts) ?? [];
  if (found === undefined) throw new Error("a question without an answer");
  return found;
}

it("has a character of two halves behind those of one, on every page", async () => {
  const reporters: string[] = [];
  for (let offset = 0; offset < 4; offset++) {
    const { rows } = await page({ descending: true, offset });
    reporters.push(...rows.map(({ reporter }) => reporter));
  }
  expect(reporters).toEqual(["\u{1f600}", "\u{1f4e7}b", "\uff5e", "\ue000"]);
});

it("has each report on one page", async () => {
  const asked = fc.record({
    order: fc.constantFrom(...REPORT_ORDERS),
    descending: fc.boolean(),
    limit: fc.integer({ min: 1, max: 13 }),
  });
  await fc.assert(
    fc.asyncProperty(asked, async (list) => {
      const found: string[] = [];
      for (let offset = 0; offset < REPORTERS.length; offset += list.limit) {
        const { rows, matching } = await page({ ...list, offset });
        expect(matching).toBe(REPORTERS.length);
        found.push(...rows.map(({ reportUid }) => reportUid));
      }
      expect(found.sort()).toEqual(REPORTERS.map((_, i) => i.toString(16).padStart(32, "0")));
    }),
  );
});

it.each([
  ["\u00c4rzte", ["\u00c4rzte"]],
  ["ZETA", ["Zeta", "zeta"]],
  ["\u{1f600}", ["\u{1f600}"]],
])("finds %s", async (text, reporters) => {
  const { rows } = await page({ text, limit: 20 });
  expect(rows.map(({ reporter }) => reporter)).toEqual(reporters);
});
