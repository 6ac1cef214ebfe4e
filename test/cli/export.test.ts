/** `dmarc export` against all Workers: the three formats say the same, and an interrupted export is continued exactly. */
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { asyncBufferFromFile } from "hyparquet/src/node.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Outputs } from "../../shared/contract/operations.ts";
import { RECORD_COLUMNS } from "../../shared/export/record-columns.ts";
import { API_TOKEN } from "../dashboard/harness.ts";
import { type Pipeline, startPipeline } from "../dashboard/pipeline.ts";
import { listenLocally } from "../support/ports.ts";
import { sampleReport } from "../support/sample-report.ts";
import { type CommandOutcome, runAgain } from "./run-command.ts";

const RUA = "rua@acme.example";
const HOSTILE = '=cmd|"x"!A1';
const SINCE = ["--since", "2023-11-01"];

let pipeline: Pipeline;
let folder: string;

beforeAll(async () => {
  pipeline = await startPipeline();
  folder = await mkdtemp(join(tmpdir(), "dmarc-export-"));
  await pipeline.ask(`/registry/${RUA}`, "PUT", { account: "acme", domains: ["acme.example"] });
  const files = Object.fromEntries(
    Array.from({ length: 12 }, (_, i): [string, string] => [
      `${i}.xml`,
      sampleReport({ reportId: `id-${i}`, orgName: i === 0 ? HOSTILE.replaceAll('"', "&quot;") : "Reporter" }),
    ]),
  );
  await pipeline.deliver(RUA, files);
  await pipeline.settled({ accepted: 12 });
});

afterAll(async () => {
  await pipeline.close();
  await rm(folder, { recursive: true, force: true });
});

function run(...args: string[]): Promise<CommandOutcome> {
  return runAgain(["export", ...args], { DMARC_URL: pipeline.origin, DMARC_TOKEN: API_TOKEN });
}

interface Row {
  reportUid: string;
  ordinal: number;
  messages: number;
  isPass: boolean;
  beginTime: string;
  reporter: string;
  dkimResults: object[];
}

const ndjson = (text: string): Row[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

it("NDJSON on standard output has every record, and its sums match the ledger", async () => {
  const { code, stdout, stderr } = await run(...SINCE);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "36 records of 12 reports: 96 messages, 72 of them pass.\n" });
  const rows = ndjson(stdout);
  expect(rows.every((row) => Object.keys(row).length === RECORD_COLUMNS.length)).toBe(true);
  expect(new Set(rows.map(({ reportUid, ordinal }) => `${reportUid} ${ordinal}`)).size).toBe(36);
  const { records, messages, passed } = await pipeline.ask<Outputs["stats"]>("/stats");
  expect({
    records: rows.length,
    messages: rows.reduce((sum, row) => sum + row.messages, 0),
    passed: rows.reduce((sum, row) => sum + (row.isPass ? row.messages : 0), 0),
  }).toEqual({ records, messages, passed });
  expect(rows[0]).toMatchObject({
    schemaVersion: 1,
    account: "acme",
    domain: "acme.example",
    beginTime: "2023-11-14T22:13:20Z",
    policy: "none",
    dkimResults: [{ domain: "acme.example", selector: "s", result: expect.any(String) }],
  });
});

it("CSV has the same records and nothing a spreadsheet would execute", async () => {
  const path = join(folder, "records.csv");
  expect(await run(...SINCE, "--format", "csv", "--output", path)).toMatchObject({ code: 0, stdout: "" });
  const lines = (await readFile(path, "utf8")).trimEnd().split("\r\n");
  expect(lines[0]).toBe(RECORD_COLUMNS.map(({ name }) => name).join(","));
  expect(lines).toHaveLength(37);
  expect(lines.filter((line) => line.includes(`"'=cmd|""x""!A1"`))).toHaveLength(3);
  const again = await run(...SINCE, "--format", "csv", "--output", path);
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("exists and is not overwritten") });
});

it("Parquet has the same records in typed columns", async () => {
  const path = join(folder, "records.parquet");
  expect(await run(...SINCE, "--format", "parquet", "--output", path)).toMatchObject({ code: 0 });
  const file = await asyncBufferFromFile(path);
  const { schema, key_value_metadata: notes } = await parquetMetadataAsync(file);
  const types = Object.fromEntries(schema.map(({ name, type, logical_type }) => [name, [type, logical_type?.type]]));
  expect(types).toMatchObject({
    messages: ["INT64", undefined],
    beginTime: ["INT64", "TIMESTAMP"],
    isPass: ["BOOLEAN", undefined],
    reporter: ["BYTE_ARRAY", "STRING"],
    dkimResults: ["BYTE_ARRAY", "JSON"],
  });
  expect(notes).toContainEqual({ key: "dmarc.schemaVersion", value: "1" });
  const rows = await parquetReadObjects({ file });
  const expected = ndjson((await run(...SINCE)).stdout);
  const plain = rows.map((row) => ({ ...row, messages: Number(row.messages), ordinal: Number(row.ordinal) }));
  const iso = (value: unknown): string => (value instanceof Date ? value.toISOString().replace(".000Z", "Z") : "");
  const asJson = plain.map(({ beginTime, endTime, receivedTime, ...row }: Record<string, unknown>) => ({
    ...row,
    beginTime: iso(beginTime),
    endTime: iso(endTime),
    receivedTime: iso(receivedTime),
  }));
  expect(asJson).toEqual(expected);
});

/** Hands requests on to the dashboard, and cuts the answer of the second export short. */
async function startBreaker(): Promise<{ server: Server; origin: string }> {
  let exports = 0;
  const server = createServer(async (request, response) => {
    const answer = await fetch(`${pipeline.origin}${request.url}`, {
      headers: { authorization: request.headers.authorization ?? "" },
    });
    const lines = (await answer.text()).trimEnd().split("\n");
    exports++;
    // Pages of five reports: as if the API had smaller pages.
    if (exports === 2) {
      response.write(lines.slice(0, 3).join("\n").concat('\n{"type":"rec'));
      setTimeout(() => response.destroy(), 50);
    } else response.end(`${lines.join("\n")}\n`);
  });
  const port = await listenLocally(server);
  return { server, origin: `http://127.0.0.1:${port}` };
}

it("an interrupted export continues after its last page", async () => {
  const path = join(folder, "resumed.ndjson");
  const whole = (await run(...SINCE, "--until", "2024-01-01")).stdout;
  const lines = whole.trimEnd().split("\n");
  const half = `${lines.slice(0, 18).join("\n")}\n`;
  const { reportUid } = ndjson(half).at(-1) ?? { reportUid: "" };
  // As an interruption leaves it: a whole page, and a part of the next.
  await writeFile(path, half);
  await appendFile(path, (lines[18] ?? "").slice(0, 40));
  const progress = {
    version: 1,
    asked: { since: "2023-11-01", until: "2024-01-01", format: "ndjson" },
    cursor: JSON.stringify(["acme", "acme.example", Math.floor(1_700_043_199 / 86_400), reportUid]),
    bytes: Buffer.byteLength(half),
    sums: { reports: 6, records: 18, messages: 48, passed: 36 },
    problems: 0,
  };
  await writeFile(`${path}.progress`, JSON.stringify(progress));
  const other = await run(...SINCE, "--domain", "other.example", "--output", path, "--resume");
  expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining("something else") });
  const { code, stderr } = await run(...SINCE, "--output", path, "--resume");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "36 records of 12 reports: 96 messages, 72 of them pass.\n" });
  expect(await readFile(path, "utf8")).toBe(whole);
});

it("a truncated answer fails with instructions to continue, and continuing completes the export", async () => {
  const path = join(folder, "broken.csv");
  const { server, origin } = await startBreaker();
  const env = { DMARC_URL: origin, DMARC_TOKEN: API_TOKEN };
  const args = ["export", ...SINCE, "--format", "csv", "--output", path];
  try {
    await runAgain(["export", ...SINCE], env);
    const broken = await runAgain(args, env);
    expect(broken).toMatchObject({ code: 1, stderr: expect.stringMatching(/ended in the middle.*--resume/) });
    expect(await runAgain([...args, "--resume"], env)).toMatchObject({ code: 0 });
  } finally {
    server.close();
  }
  expect((await readFile(path, "utf8")).trimEnd().split("\r\n")).toHaveLength(37);
});

it("a report without its raw object is named and counted, and the exit code is 2", async () => {
  await pipeline.rows("UPDATE reports SET raw_key = 'raw/2020/01/01/gone/x.xml' WHERE report_id = 'id-3'");
  const { code, stdout, stderr } = await run(...SINCE);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^acme\/acme\.example\/2023-11-15\/[0-9a-f]{32}: raw\/2020\/01\/01\/gone\/x\.xml is no longer in R2\.$/m,
  );
  expect(stderr).toContain("33 records of 12 reports");
  expect(ndjson(stdout)).toHaveLength(33);
});

it("wrong use is explained in a sentence", async () => {
  expect(await run("--since", "2026-02-30")).toMatchObject({ code: 1, stderr: expect.stringContaining("YYYY-MM-DD") });
  expect(await run("--since", "2026-11-20", "--until", "2026-11-01")).toMatchObject({
    code: 1,
    stderr: "dmarc: The export ends (2026-11-01) before it begins (2026-11-20).\n",
  });
  expect(await run(...SINCE, "--format", "parquet")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("--output"),
  });
  expect(await run(...SINCE, "--output", join(folder, "none"), "--resume")).toMatchObject({ code: 1 });
  expect(await run(...SINCE, "--output", join(folder, "no/folder"))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("can't be written"),
  });
});
