/** Exports of every table that the seeded ledger fills: the whole of what its page shows, the same in both formats, as filtered. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { change } from "../../shared/ledger/database.ts";
import { putDeadLetters } from "../../shared/ledger/dead-letters.ts";
import { PAGE_LIMITS } from "../../shared/limits.ts";
import { aggregateReport, commitSamples, deadLetterRow, sampleRecord } from "../support/ledger-fill.ts";
import { TODAY } from "../support/today.ts";
import { API_TOKEN, type Dashboard, startDashboard } from "./harness.ts";

const DOMAIN = "acme.example";
const nowSeconds = Math.floor(Date.now() / 1000);
const DAYS = 30;
const LETTERS = 2 * PAGE_LIMITS.deadLetters + 5;

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await startDashboard({ vars: { API_TOKEN } });
  const samples = Array.from({ length: DAYS }, (_, i) => {
    const records = Array.from({ length: 12 }, (_, n) =>
      sampleRecord(DOMAIN, { count: n + 1, sourceIp: `192.0.2.${n}`, dkim: "fail", spf: "fail", dkimResults: [] }),
    );
    const report = aggregateReport(DOMAIN, { day: TODAY - i, records, reporter: i % 2 === 0 ? '=Even, "Inc"' : "Odd" });
    const uid = i.toString(16).padStart(32, "0");
    return { account: "acme", uid, report, records, receivedSeconds: nowSeconds };
  });
  await commitSamples(dashboard.ledger, samples, { nowSeconds });
  const letters = Array.from({ length: LETTERS }, (_, i) => letter(i));
  await change(dashboard.ledger, [putDeadLetters(letters)]);
});

afterAll(() => dashboard.close());

function letter(i: number) {
  return deadLetterRow({
    id: `20260101-${i.toString(16).padStart(24, "0")}`,
    domain: DOMAIN,
    day: Math.floor(nowSeconds / 86_400),
    code: i % 5 === 0 ? "empty" : "truncated",
    message: 'A line,\n"quoted"; and more.',
    rawKey: `raw/${i}`,
    receivedSeconds: nowSeconds,
    filedSeconds: nowSeconds,
  });
}

async function ask(path: string): Promise<string> {
  const answer = await dashboard.ask(path, { headers: { accept: "text/html" } });
  expect(answer.status, path).toBe(200);
  return answer.text();
}

/** RFC 4180. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === "\r\n") rows.push([]);
  }
  return rows.slice(0, -1);
}

interface Exported {
  keys: string[];
  csv: string[][];
  json: Record<string, string | number>[];
  /** What the page says below the table. */
  count: number;
  heads: number;
}

async function exported(path: string, table: string, query = ""): Promise<Exported> {
  const at = (more: string) => `${path}?${[query, more].filter((part) => part !== "").join("&")}`;
  const [[keys = [], ...csv], json, page] = [
    readCsv(await ask(at(`export=csv&table=${table}`))),
    JSON.parse(await ask(at(`export=json&table=${table}`))),
    await ask(at("")),
  ];
  const section = page.split(`<section class="card" id="${table}"`)[1] ?? "";
  // Of a table in pages: `1 to 10 of 17 rows`.
  const [, rows = ""] = /<span>(?:[\d,]+ to [\d,]+ of )?([\d,]+) rows?<\/span>/.exec(section) ?? [];
  const [head = ""] = /<thead.*?<\/thead>/s.exec(section) ?? [];
  return { keys, csv, json, count: Number(rows.replaceAll(",", "")), heads: head.split("</th>").length - 1 };
}

const DOMAIN_TABLES = ["days", "sources", "dispositions", "policies"];
const TABLES: [path: string, table: string][] = [
  ["/", "domains"],
  ...DOMAIN_TABLES.map((table): [string, string] => [`/domains/${DOMAIN}`, table]),
  [`/domains/${DOMAIN}/sources`, "sources"],
  [`/domains/${DOMAIN}/addresses/192.0.2.1`, "reports"],
  [`/domains/${DOMAIN}/addresses/192.0.2.1`, "records"],
  [`/domains/${DOMAIN}/reports`, "reports"],
];

describe("CSV and JSON", () => {
  it.each(TABLES)("of %s, %s have all rows and columns and read back unchanged", async (path, table) => {
    const { keys, csv, json, count, heads } = await exported(path, table);
    expect(json.length).toBe(count);
    expect(keys.length).toBeGreaterThanOrEqual(heads);
    expect(new Set(keys).size).toBe(keys.length);
    expect(csv).toHaveLength(json.length);
    for (const [i, row] of json.entries()) {
      expect(Object.keys(row)).toEqual(keys);
      // What a spreadsheet would take for a formula has a ' before it.
      const texts = Object.values(row).map((value) => String(value).replace(/^=/, "'="));
      expect(csv[i]).toEqual(texts);
    }
  });

  it("keep the filter and order but ignore the page", async () => {
    const reports = await exported(
      `/domains/${DOMAIN}/reports`,
      "reports",
      "reports.q=odd&reports.sort=begin&reports.page=2&reports.size=10",
    );
    expect(reports.json).toHaveLength(DAYS / 2);
    const begins = reports.json.map(({ begin }) => String(begin));
    expect(begins).toEqual(begins.toSorted());
    const sources = await exported(`/domains/${DOMAIN}`, "sources", "sources.sort=messages&sources.page=2");
    expect(sources.json.map(({ messages }) => messages)).toEqual(Array.from({ length: 12 }, (_, n) => DAYS * (n + 1)));
  });

  it("of a long list can be read page by page, each row once", async () => {
    const path = "/operations/dead-letters";
    const ids = new Set<string>();
    const pages = Math.ceil(LETTERS / 25);
    for (let page = 1; page <= pages; page++) {
      const text = await ask(`${path}?letters.page=${page}`);
      expect(text).toContain(`aria-label="Page ${page} of ${pages}"`);
      for (const [, id = ""] of text.matchAll(/href="\/operations\/dead-letters\/([\w-]+)"/g)) ids.add(id);
    }
    expect(ids.size).toBe(LETTERS);
  });

  it("have a whole long list, as filtered, of which the page shows a part", async () => {
    const path = "/operations/dead-letters";
    const all = await exported(path, "letters");
    expect([all.count, all.json.length, all.csv.length]).toEqual([LETTERS, LETTERS, LETTERS]);
    expect(new Set(all.json.map(({ id }) => id)).size).toBe(LETTERS);
    expect((await exported(path, "letters", "code=empty")).json).toHaveLength(Math.ceil(LETTERS / 5));
    // And of what is searched for, the same.
    const searched = await exported(path, "letters", `letters.q=${"0".repeat(22)}1`);
    expect(searched.json).toHaveLength(17);
    expect([searched.csv.length, searched.count]).toEqual([17, 17]);
    // What changes all at once takes the filter's, so it is not offered beside what a search found.
    expect(await ask(path)).toContain('value="requeue"');
    const found = await ask(`${path}?letters.q=${"0".repeat(22)}1`);
    expect(found).not.toContain('value="requeue"');
    expect(found).toContain("clear the search");
    // From a later page of the list, too.
    const link =
      /href="([^"]*export=json[^"]*table=letters[^"]*)"/.exec(await ask(`${path}?letters.page=2`))?.[1] ?? "";
    expect(JSON.parse(await ask(link.replaceAll("&amp;", "&")))).toHaveLength(LETTERS);
  });
});
