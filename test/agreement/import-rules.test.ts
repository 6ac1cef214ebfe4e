/** The import rules hold for this tree, and each of them is found broken in a tree that breaks it. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findBrokenRules, SOURCE_FOLDERS } from "../../scripts/import-rules.ts";
import { readTables } from "../../scripts/ledger-tables.ts";
import { parseSourceFile, readSourceFiles } from "../../scripts/source-files.ts";

/** A small tree that keeps every rule. */
const GOOD: Record<string, string> = {
  "shared/limits.ts": "export const MAX = 1;",
  "shared/identity.ts": "export const hash = (b: BufferSource) => crypto.subtle.digest('SHA-256', b);",
  "shared/storage.ts": 'import type { Report } from "./report/read.ts"; export type R = Report;',
  "shared/report/read.ts":
    'import pako from "pako"; import { MAX } from "../limits.ts"; export type Report = typeof MAX;',
  "shared/mail/extract.ts": 'import PostalMime from "postal-mime"; export { PostalMime };',
  "workers/ingest/index.ts": 'import "../../shared/mail/extract.ts"; import type { R } from "../../shared/storage.ts";',
  "workers/process/index.ts":
    'import "../../shared/report/read.ts"; import { createHash } from "node:crypto"; Date.now();',
  "cli/main.ts": 'import "../local/options.ts"; import "../shared/limits.ts";',
  "local/options.ts": "export const now = Date.now();",
  "test/b.test.ts": 'import * as a from "../shared/identity.ts"; const { now } = await import("../local/options.ts");',
  "test/a.test.ts": 'import "../workers/process/index.ts"; import "../cli/main.ts";',
};

function brokenWith(files: Record<string, string>): string[] {
  const tree = { ...GOOD, ...files };
  const parsed = Object.entries(tree).map(([path, text]) => parseSourceFile(path, text));
  return findBrokenRules(parsed, ["reports", "objects"]);
}

test("this repository follows the import rules", () => {
  const files = readSourceFiles(".", SOURCE_FOLDERS);
  expect(files.length).toBeGreaterThan(100);
  expect(files.map(({ path }) => path)).toContain("workers/ingest/index.ts");
  expect(readTables(".")).toContain("dead_letters");
  expect(findBrokenRules(files, readTables("."))).toEqual([]);
});

test("a tree that follows the rules passes", () => {
  expect(brokenWith({})).toEqual([]);
});

const BREAKS: [name: string, files: Record<string, string>, sentence: RegExp][] = [
  [
    "shared imports a Worker, if only a type",
    { "shared/a.ts": 'import type { E } from "../workers/process/env.ts";' },
    /shared\/a\.ts: imports workers\/process\/env\.ts; shared\/ may import/,
  ],
  ["shared imports local", { "shared/a.ts": 'export * from "../local/options.ts";' }, /imports local\/options\.ts/],
  ["shared imports the CLI", { "shared/a.ts": 'await import("../cli/main.ts");' }, /imports cli\/main\.ts/],
  [
    "a Worker imports another Worker",
    { "workers/ingest/b.ts": 'import type { x } from "../process/index.ts";' },
    /workers\/ingest\/b\.ts: imports workers\/process\/index\.ts/,
  ],
  [
    "two folders of process import each other",
    {
      "workers/process/jobs/a.ts": 'import type { x } from "../reports/b.ts";',
      "workers/process/reports/b.ts": 'import { y } from "./d.ts"; export const x = 1;',
      "workers/process/reports/c.ts": 'import { a } from "../jobs/a.ts";',
    },
    /workers\/process\/jobs\/a\.ts: imports workers\/process\/reports\/b\.ts; workers\/process\/reports\/ imports jobs\/, too/,
  ],
  [
    "what the dashboard asks of the ledger imports a part of a page",
    {
      "workers/dashboard/data/a.ts": 'import { x } from "../parts/b.tsx";',
      "workers/dashboard/parts/c.tsx": 'import type { y } from "../data/d.ts";',
    },
    /workers\/dashboard\/data\/a\.ts: imports workers\/dashboard\/parts\/b\.tsx; workers\/dashboard\/parts\/ imports data\/, too/,
  ],
  [
    "a new Worker is unknown",
    { "workers/new/index.ts": "export {};" },
    /workers\/new\/index\.ts: belongs to no Worker/,
  ],
  ["local imports the CLI", { "local/a.ts": 'import "../cli/main.ts";' }, /local\/ may import local\/, shared\/ only/],
  ["the CLI imports a test", { "cli/a.ts": 'import "../test/a.test.ts";' }, /cli\/a\.ts: imports test\/a\.test\.ts/],
  [
    "ingest names a type of the report parser",
    { "workers/ingest/b.ts": 'import type { Report } from "../../shared/report/read.ts";' },
    /workers\/ingest\/b\.ts: imports shared\/report\/read\.ts; workers\/ingest\/ may not import/,
  ],
  [
    "reading reports imports what is stored",
    { "shared/report/a.ts": 'import type { R } from "../storage.ts";' },
    /shared\/report\/a\.ts: imports shared\/storage\.ts; shared\/report\/ may import/,
  ],
  [
    "reading mails imports reading reports",
    { "shared/mail/a.ts": 'import type { Report } from "../report/read.ts";' },
    /shared\/mail\/a\.ts: imports shared\/report\/read\.ts; shared\/mail\/ may import/,
  ],
  [
    "a benchmark imports a test",
    { "bench/a.ts": 'import "../test/a.test.ts";' },
    /bench\/a\.ts: imports test\/a\.test\.ts; bench\/ may import .*test\/support\/ only/,
  ],
  [
    "SQL of the ledger in a Worker",
    { "workers/process/b.ts": "export const sql = `SELECT uid FROM reports WHERE day = 1`;" },
    /workers\/process\/b\.ts: has SQL of the table reports/,
  ],
  [
    "SQL of the ledger beside it",
    { "shared/a.ts": 'export const sql = "UPDATE objects SET finished = 1";' },
    /shared\/a\.ts: has SQL of the table objects/,
  ],
  [
    "a slot in a Worker",
    { "workers/dashboard/a.ts": 'export const sql = "SELECT blob4 FROM dmarc_records";' },
    /workers\/dashboard\/a\.ts: names the slot blob4/,
  ],
  [
    "ingest reaches the report parser through another file",
    {
      "shared/messages.ts": 'import { type Report } from "./report/read.ts";',
      "workers/ingest/b.ts": 'import "../../shared/messages.ts";',
    },
    /workers\/ingest\/b\.ts: reaches shared\/report at run time: .* → shared\/messages\.ts → shared\/report\/read\.ts/,
  ],
  ["shared imports Node", { "shared/report/a.ts": 'import { x } from "node:fs";' }, /imports node:fs, which belongs/],
  [
    "past a folder's entry",
    { "shared/report/a.ts": 'import { x } from "./shapes/b.ts";', "shared/report/shapes/b.ts": "export const x = 1;" },
    /the entry is shared\/report\/shapes\/record-shapes\.ts/,
  ],
  ["zlib out of its place", { "shared/a.ts": 'import { x } from "node:zlib";' }, /imports node:zlib, which belongs/],
  ["shared imports the platform", { "shared/a.ts": 'import "cloudflare:workers";' }, /imports cloudflare:workers/],
  ["ingest imports Node", { "workers/ingest/b.ts": 'import "node:crypto";' }, /ingest\/b\.ts: imports node:crypto/],
  ["shared asks for the time", { "shared/report/a.ts": "export const t = Date.now();" }, /the global Date\.now/],
  ["shared asks for the date", { "shared/mail/a.ts": "export const t = new Date();" }, /the global new Date\(\)/],
  ["shared rolls dice", { "shared/a.ts": "export const r = globalThis.Math.random();" }, /the global Math\.random/],
  ["shared reads the environment", { "shared/a.ts": "export const e = process.env.X;" }, /the global process/],
  ["shared fetches", { "shared/analytics/a.ts": "export const a = fetch('x');" }, /the global fetch/],
  ["a hash astray", { "shared/report/a.ts": "export const c = globalThis.crypto;" }, /a\.ts: reaches .* global crypto/],
  ["a package out of its place", { "local/a.ts": 'import pako from "pako";' }, /local\/a\.ts: imports pako; only/],
  [
    "a package imported twice",
    { "shared/report/a.ts": 'import { inflate } from "pako";' },
    /shared\/report\/read\.ts, shared\/report\/a\.ts: all import pako/,
  ],
  [
    "any package imported twice",
    { "cli/a.ts": 'import "chalk";', "cli/b.ts": 'import "chalk";' },
    /cli\/a\.ts, cli\/b\.ts: all import chalk/,
  ],
  [
    "an export that no other file imports",
    { "shared/a.ts": "export const [one, { two: [three] }] = x;", "cli/a.ts": 'import { one } from "../shared/a.ts";' },
    /shared\/a\.ts: exports three, which no other file imports/,
  ],
  [
    "a cycle",
    { "local/a.ts": 'import "./b.ts";', "local/b.ts": 'import "./c.ts";', "local/c.ts": 'export * from "./a.ts";' },
    /a cycle of imports: local\/a\.ts → local\/b\.ts → local\/c\.ts → local\/a\.ts/,
  ],
];

test.each(BREAKS)("finds a violation: %s", (_name, files, sentence) => {
  const broken = brokenWith(files);
  expect(broken.join("\n")).toMatch(sentence);
});

test("comments, strings, local names and keys are not mistaken for globals or imports", () => {
  const text = [
    "// SELECT blob1 FROM reports",
    '// import "../workers/process/index.ts"; Date.now()',
    "export const s = 'fetch(process.env)'; export const o = { crypto: 1, fetch: 2 };",
    "export function ask(fetch: (u: string) => string) { return fetch(o.crypto + `Date.now()`); }",
    "export type T = { now: typeof Date.now };",
    "export const day = new Date(0);",
  ].join("\n");
  const user = 'import { ask, day, o, s } from "../shared/a.ts";';
  expect(brokenWith({ "shared/a.ts": text, "test/c.test.ts": user })).toEqual([]);
});

test("two files that only import types from each other are not a cycle", () => {
  const files = { "local/a.ts": 'import type { B } from "./b.ts";', "local/b.ts": 'import "./a.ts";' };
  expect(brokenWith(files)).toEqual([]);
});

test("the command fails on a broken tree and says why", () => {
  const root = mkdtempSync(join(tmpdir(), "import-rules-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "migrations"));
  for (const [path, text] of Object.entries({ ...GOOD, "shared/a.ts": 'import "../cli/main.ts";' })) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const failed = spawnSync(process.execPath, ["scripts/import-rules.ts", root], { encoding: "utf8" });
  expect(failed.status).toBe(1);
  expect(failed.stderr).toContain("shared/a.ts: imports cli/main.ts");
  rmSync(join(root, "shared/a.ts"));
  const output = execFileSync(process.execPath, ["scripts/import-rules.ts", root], { encoding: "utf8" });
  expect(output).toContain(`${Object.keys(GOOD).length} files, 0 broken`);
});
