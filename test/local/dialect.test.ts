/** What Cloudflare's SQL takes and refuses, on the real engine. */
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningAnalytics, startAnalytics } from "../../local/analytics/start.ts";
import { ask, askRows, makeFolder, TOKEN, write } from "./support.ts";

const folder = makeFolder();
let engine: RunningAnalytics;

beforeAll(async () => {
  engine = await startAnalytics({ stateDir: folder, port: 0, token: TOKEN });
  await write(engine.url, "points", [
    { index: "a.example", blobs: ["Grüße", "x", "it's"], doubles: [1, 10, 1_700_000_000] },
    { index: "b.example", blobs: ["two", "x", "{u:String}"], doubles: [2, 20, 1_700_086_400] },
    { index: "b.example", blobs: ["two", "y", "a\\b"], doubles: [3, 20, 1_700_086_400] },
  ]);
});

afterAll(async () => {
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Statement → what the 422 says. */
const REFUSED: [string, RegExp][] = [
  ["SELECT p.blob1 FROM points AS p JOIN points AS q ON p.blob1 = q.blob1", /JOIN/],
  ["SELECT blob1 FROM points, points", /JOIN/],
  ["SELECT blob1 FROM points UNION ALL SELECT blob1 FROM points", /UNION/],
  ["SELECT blob1 FROM points INTERSECT SELECT blob1 FROM points", /INTERSECT/],
  ["WITH 1 AS one SELECT one", /WITH/],
  ["WITH w AS (SELECT blob1 FROM points) SELECT blob1 FROM w", /WITH/],
  ["SELECT blob1 FROM (WITH 1 AS one SELECT blob1 FROM points)", /WITH/],
  ["SELECT CASE WHEN double1 > 1 THEN 'a' ELSE 'b' END FROM points", /CASE is not supported/],
  ["SELECT sum(double1) OVER (PARTITION BY blob1) FROM points", /window function/],
  ["SELECT blob1 FROM points WINDOW w AS (ORDER BY blob1)", /WINDOW/],
  ["SELECT (SELECT 1)", /subquery is only supported in FROM/],
  ["SELECT blob1 FROM points WHERE blob1 IN (SELECT blob1 FROM points)", /subquery is only supported in FROM/],
  ["SELECT blob1 FROM points; SELECT 2", /one statement/],
  ["SELECT blob1 FROM points; DROP TABLE points", /one statement/],
  ["SELECT DISTINCT blob1 FROM points", /SELECT DISTINCT/],
  ["SELECT blob1 FROM points FINAL", /FINAL/],
  ["SELECT blob1 FROM points PREWHERE double1 > 1", /PREWHERE/],
  ["SELECT blob1 FROM points QUALIFY 1", /QUALIFY/],
  ["SELECT blob1 FROM points LIMIT 1 BY blob1", /LIMIT BY/],
  ["SELECT blob1 FROM points GROUP BY blob1 WITH TOTALS", /TOTALS/],
  ["SELECT blob1 FROM points ORDER BY blob1 WITH FILL", /FILL/],
  ["SELECT blob1 FROM points GROUP BY ALL", /GROUP BY ALL/],
  ["SELECT blob1 FROM points SAMPLE 0.1", /SAMPLE/],
  ["SELECT blob1 FROM points ARRAY JOIN [1] AS one", /JOIN/],
  ["SELECT blob1 FROM points SETTINGS max_threads = 1", /SETTINGS/],
  ["SELECT blob1 FROM (SELECT blob1 FROM points SETTINGS readonly = 0)", /SETTINGS/],
  ["SELECT blob1 FROM points INTO OUTFILE '/tmp/stolen'", /INTO OUTFILE/],
  ["SELECT blob1 FROM points FORMAT CSV", /FORMAT must be one of/],
  ["SHOW TABLES FORMAT CSV", /FORMAT must be one of/],
  ["SELECT {u:String}", /parameter/],
  ["SELECT [1, 2]", /array/],
  ["SELECT arrayJoin([1])", /arrayJoin/],
  ["SELECT blob1::String FROM points", /CAST/],
  ["SELECT blob1 || 'x' FROM points", /concat/],
  ["SELECT uniq(blob1) FROM points", /function uniq is not supported: use count\(DISTINCT/],
  ["SELECT sleep(3)", /function sleep/],
  ["SELECT file('/etc/passwd')", /function file/],
  ["SELECT plus(1, 2)", /function plus/],
  ["SELECT countDistinct(blob1) FROM points", /function countDistinct/],
  ["SELECT now() - INTERVAL 1 DAY", /in quotes/],
  ["SELECT now() - INTERVAL '1' WEEK", /toIntervalWeek/],
  ["SELECT toIntervalDay('1')", /toIntervalDay/],
  ["SELECT * FROM url('http://127.0.0.1/', 'CSV')", /table functions/],
  ["SELECT * FROM file('/etc/passwd', 'LineAsString')", /table functions/],
  ["SELECT * FROM numbers(3)", /table functions/],
  ["SELECT name FROM system.tables", /unable to find table "system\.tables"/],
  ["SELECT name FROM `system`.`users`", /unable to find table/],
  ["SELECT 1 FROM default.points", /unable to find table/],
  ["SELECT blob1 FROM nothing_yet", /unable to find table "nothing_yet"/],
  ["SELECT blob1 FROM points AS p", /alias of a table/],
  ["SELECT blob1 FROM (SELECT blob1 FROM points) AS p", /alias of a subquery/],
  ["SELECT _part FROM points", /unable to find column "_part"/],
  ["SELECT blob21 FROM points", /blob21/],
  ["INSERT INTO points (blob1) VALUES ('x')", /only SELECT, SHOW TABLES/],
  ["DROP TABLE points", /only SELECT, SHOW TABLES/],
  ["ALTER TABLE points DELETE WHERE 1", /only SELECT, SHOW TABLES/],
  ["SET readonly = 0", /only SELECT, SHOW TABLES/],
  ["SHOW DATABASES", /only SELECT, SHOW TABLES/],
  ["EXPLAIN SELECT 1", /only SELECT, SHOW TABLES/],
  ["SELECT 'not closed", /syntax error/],
  ["this is no SQL", /syntax error/],
  ["", /no statement/],
];

describe("refused, as Cloudflare's dialect has none of it", () => {
  test.each(REFUSED)("%s", async (sql, reason) => {
    const reply = await ask(engine.url, sql);
    expect(reply).toMatchObject({ status: 422, type: "text/plain; charset=utf-8" });
    expect(reply.text).toMatch(reason);
  });

  test("and nothing was changed by any of it", async () => {
    expect(await askRows(engine.url, "SELECT count() AS n FROM points")).toEqual([{ n: "3" }]);
  });
});

/** Statement → the only row of its answer. */
const TAKEN: [string, Record<string, unknown>][] = [
  ["SELECT count() AS n FROM points", { n: "3" }],
  ["select COUNT() as n from points;", { n: "3" }],
  ["SELECT count(DISTINCT blob1) AS n FROM points", { n: "2" }],
  ["SELECT count(DISTINCT if(double1 > 1, blob1, NULL)) AS n FROM points", { n: "1" }],
  [
    "SELECT sum(double1) AS a, avg(double1) AS b, min(double1) AS c, max(double1) AS d FROM points",
    { a: 6, b: 2, c: 1, d: 3 },
  ],
  ["SELECT sum(DISTINCT double2) AS n FROM points", { n: 30 }],
  [
    "SELECT countIf(double1 > 1) AS a, sumIf(double1, blob2 = 'x') AS b, avgIf(double1, true) AS c FROM points",
    { a: "2", b: 3, c: 2 },
  ],
  ["SELECT quantileExactWeighted(0.5)(double1, _sample_interval) AS n FROM points", { n: 2 }],
  ["SELECT argMax(blob2, double1) AS a, argMin(blob2, double1) AS b FROM points", { a: "y", b: "x" }],
  ["SELECT topK(1)(blob1) AS a, topKWeighted(1)(blob1, _sample_interval) AS b FROM points", { a: ["two"], b: ["two"] }],
  [
    "SELECT first_value(blob2) AS a, last_value(blob2) AS b FROM (SELECT blob2 FROM points ORDER BY double1)",
    { a: "x", b: "y" },
  ],
  [
    "SELECT sum(n) AS n FROM (SELECT blob1, argMax(double1, double2) AS n FROM points GROUP BY blob1)",
    { n: expect.any(Number) },
  ],
  [
    "SELECT length(blob1) AS a, upperUTF8(blob1) AS b, toUpper(blob1) AS c, substring(blob1, 1, 3) AS d FROM points WHERE double1 = 1",
    { a: "5", b: "GRÜSSE", c: "GRÜSSE", d: "Grü" },
  ],
  ["SELECT blob3 FROM points WHERE blob3 = 'it''s'", { blob3: "it's" }],
  ["SELECT blob3 FROM points WHERE blob3 = 'it\\'s'", { blob3: "it's" }],
  ["SELECT blob3 FROM points WHERE blob3 = 'a\\\\b'", { blob3: "a\\b" }],
  ["SELECT blob3 FROM points WHERE blob3 = '{u:String}'", { blob3: "{u:String}" }],
  ["SELECT 'length(x) UNION; FINAL\nFORMAT CSV' AS text", { text: "length(x) UNION; FINAL\nFORMAT CSV" }],
  [
    "SELECT count() AS n FROM points WHERE blob1 LIKE 'tw%' AND blob2 NOT ILIKE 'X' AND NOT (double1 < 1 OR double1 <> 3)",
    { n: "1" },
  ],
  [
    "SELECT count() AS n FROM points WHERE blob1 IN ('two', 'three') AND double1 BETWEEN 2 AND 3 AND blob2 NOT IN ('y')",
    { n: "1" },
  ],
  ["SELECT position('o' IN blob1) AS n FROM points WHERE double1 = 3", { n: "3" }],
  [
    "SELECT blob2 AS kind, count() AS n FROM points GROUP BY kind HAVING n > 1 ORDER BY n DESC LIMIT 1 OFFSET 0",
    { kind: "x", n: "2" },
  ],
  [
    "SELECT toStartOfInterval(toDateTime(double3), INTERVAL '1' DAY) AS day FROM points WHERE double1 = 1",
    { day: "2023-11-14 00:00:00" },
  ],
  ["SELECT toStartOfWeek(toDateTime('2025-10-29 12:00:00')) AS day", { day: "2025-10-27" }],
  [
    "SELECT formatDateTime(toDateTime(0), '%Y-%m-%d') AS a, toYYYYMM(toDateTime(0)) AS b, extract(DAY FROM toDateTime(0)) AS c",
    { a: "1970-01-01", b: 197001, c: 1 },
  ],
  [
    "SELECT intDiv(7, 2) AS a, 7 % 4 AS b, round(2.5 * 2, 1) AS c, -floor(1.5) AS d, pow(2, 3) AS e",
    { a: 3, b: 3, c: 5, d: -1, e: 8 },
  ],
  [
    "SELECT bitAnd(6, 3) AS a, hex(255) AS b, format('{}-{}', 'a', 1) AS c, toUInt32('7') AS d",
    { a: 2, b: "FF", c: "a-1", d: 7 },
  ],
  ["SELECT count() AS n FROM points WHERE timestamp > now() - INTERVAL '90' DAY LIMIT ALL", { n: "3" }],
  ["SELECT dataset, index1 FROM points WHERE double1 = 1 -- a comment", { dataset: "points", index1: "a.example" }],
  ["SHOW TABLES", { dataset: "points" }],
  ["SHOW TIMEZONE", { timezone: "Etc/UTC" }],
];

describe("taken, as documented", () => {
  test.each(TAKEN)("%s", async (sql, row) => {
    expect(await askRows(engine.url, sql)).toEqual([row]);
  });

  test("SELECT * has exactly Cloudflare's columns, in order", async () => {
    const [row = {}] = await askRows(engine.url, "SELECT * FROM points LIMIT 1");
    const numbered = (name: string): string[] => Array.from({ length: 20 }, (_, place) => `${name}${place + 1}`);
    expect(Object.keys(row)).toEqual([
      ...["dataset", "timestamp", "_sample_interval", "index1"],
      ...numbered("blob"),
      ...numbered("double"),
    ]);
  });

  test("FORMAT JSON is the default, with types and counts", async () => {
    const reply = await ask(
      engine.url,
      "SELECT blob1, count() AS n FROM points GROUP BY blob1 ORDER BY n DESC LIMIT 1",
    );
    expect(reply.type).toBe("application/json");
    expect(JSON.parse(reply.text)).toEqual({
      meta: [
        { name: "blob1", type: "String" },
        { name: "n", type: "UInt64" },
      ],
      data: [{ blob1: "two", n: "2" }],
      rows: 1,
      rows_before_limit_at_least: 2,
    });
  });

  test("FORMAT JSONEachRow and TabSeparated", async () => {
    const sql = "SELECT double1, blob2 FROM points ORDER BY double1 LIMIT 2";
    expect((await ask(engine.url, `${sql}\nFORMAT JSONEachRow`)).text).toBe(
      '{"double1":1,"blob2":"x"}\n{"double1":2,"blob2":"x"}\n',
    );
    expect((await ask(engine.url, `${sql} format TabSeparated`)).text).toBe("1\tx\n2\tx\n");
  });

  test("SHOW TIMEZONES lists time zones", async () => {
    expect(await askRows(engine.url, "SHOW TIMEZONES")).toContainEqual({ timezone: "Europe/Berlin" });
  });

  test("a query in the address, by GET", async () => {
    const url = `${engine.url}/client/v4/accounts/x/analytics_engine/sql?query=${encodeURIComponent("SELECT count() AS n FROM points FORMAT TabSeparated")}`;
    const response = await fetch(url, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(await response.text()).toBe("3\n");
  });
});
