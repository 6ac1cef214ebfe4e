/**
 * The import rules of docs/architecture.md, checked: imports point one way, ingest holds no report parser, reading reports
 * needs nothing of the platform, a package is imported in one place, only the ledger names its tables and only
 * shared/analytics the slots; and what is exported is imported somewhere. It reads sources and prints what breaks a rule.
 *
 * usage: node scripts/import-rules.ts [ROOT]
 * Exit code: 0 all rules kept, 1 some are broken.
 */
import { pathToFileURL } from "node:url";
import { readTables } from "./ledger-tables.ts";
import { type Import, readSourceFiles, type SourceFile } from "./source-files.ts";

export const SOURCE_FOLDERS = ["workers", "shared", "local", "cli", "deploy", "bench", "scripts", "test"];

/** What mails and reports are read with: no ledger, no dataset, no stored shape. */
const READING_MODULES = ["shared/domain-name.ts", "shared/limits.ts", "shared/result.ts", "shared/sniff.ts"];

/** Folder → what it may import from; the first matching entry counts. Tests and scripts may import all. */
const MAY_IMPORT: Record<string, string[]> = {
  "workers/ingest/": ["workers/ingest/", "shared/"],
  "workers/process/": ["workers/process/", "shared/"],
  // The pages explain each term with the sentence of docs/glossary.md; the API serves its own description.
  "workers/dashboard/": ["workers/dashboard/", "shared/", "docs/glossary.md", "docs/openapi.json"],
  // Ingest with another way in, and the others with other bindings.
  "local/worker/dashboard.ts": ["local/worker/", "workers/dashboard/"],
  "local/worker/ingest.ts": ["local/worker/", "shared/", "workers/ingest/"],
  "local/worker/process.ts": ["local/worker/", "workers/process/"],
  "local/worker/": ["local/worker/", "shared/"],
  "shared/mail/": ["shared/mail/", ...READING_MODULES],
  "shared/report/": ["shared/report/", "shared/mail/", ...READING_MODULES],
  "shared/": ["shared/"],
  "local/": ["local/", "shared/"],
  "cli/": ["cli/", "local/", "shared/"],
  // It speaks to people as the command does.
  "deploy/": ["deploy/", "cli/command-error.ts", "cli/confirm.ts", "cli/wrong-use.ts", "shared/"],
  // What benchmarks and tests share is in test/support.
  "bench/": ["bench/", "cli/", "local/", "shared/", "workers/", "scripts/", "test/support/"],
};

/** Folder → what no file in it may import, types included, though the table above would allow it. */
const MAY_NOT_IMPORT: Record<string, string> = {
  "workers/ingest/": "shared/report/",
};

/** Where text about the ledger's tables and about the slots of the datasets has its place; tests and benchmarks may name both. */
const TEXT_PLACES = {
  folders: /^(workers|shared|local|cli|deploy|scripts)\//,
  tables: /^shared\/ledger\//,
  slots: /^(shared|local)\/analytics\//,
};

/** Folders with one entry: the file that the rest of the tree imports. */
const ENTRY_FILES: Record<string, string> = {
  "shared/report/shapes/": "shared/report/shapes/record-shapes.ts",
};

/** Workers whose folders import each other one way only, types included, so that their parts can be read one after the other. */
const LAYERED = ["workers/process/", "workers/dashboard/"];

/** Files that something else loads than an import: the platform, or a release that writes down what it holds. */
const LOADED_BY_NAME = [
  /^workers\/[a-z]+\/index\.ts$/,
  /^local\/worker\/[a-z-]+\.ts$/,
  /\/process-stand-in\.js$/,
  /\/upgrade-fixture\.ts$/,
];

/** Packages with their own places. Any other package has one importing file in each of the folders below. */
const PACKAGE_PLACES: Record<string, readonly string[]> = {
  "postal-mime": ["shared/mail/"],
  pako: ["shared/report/"],
  unzipit: ["shared/report/"],
  "fast-xml-parser": ["shared/report/"],
  "ipaddr.js": ["shared/report/"],
  // Mails need only its HTML escaping.
  hono: ["workers/dashboard/", "shared/notify/mail.ts"],
  chdb: ["local/"],
};

/** Vocabulary rather than a tool: imported wherever values are validated, pages are built or commands are declared. */
const PACKAGES_ANYWHERE = new Set(["valibot", "hono", "commander"]);
const CONFINING_FOLDERS = ["shared/", "workers/", "cli/", "deploy/", "local/"];

/** Time, randomness, the network and the process are arguments in shared/, so that a test can set them. */
const NOT_IN_SHARED = new Set(
  "Date.now|new Date()|Math.random|performance|process|fetch|caches|navigator|setTimeout|setInterval|require".split(
    "|",
  ),
);
/** Under shared/, hashing has one place, and so have verifying with a stranger's key and signing with a channel's secret. */
const CRYPTO_PLACES = ["shared/identity.ts", "shared/authentication/public-key.ts", "shared/notify/signature.ts"];
/** And so has the one module of Node that both runtimes have natively and reading reports gains by. */
const ZLIB_PLACE = "shared/report/inflate-natively.ts";

/** Everything in the tree that breaks a rule, one sentence each, sorted by file. @param tables the ledger's */
export function findBrokenRules(files: SourceFile[], tables: readonly string[]): string[] {
  return [
    ...files.flatMap((file) => [...brokenTables(file, tables), ...brokenSlots(file)]),
    ...files.flatMap((file) => [...brokenDirections(file), ...brokenPlatform(file), ...brokenEntries(file)]),
    ...brokenPackages(files),
    ...brokenReach(files),
    ...brokenLayers(files),
    ...brokenExports(files),
    ...findCycles(files).map((cycle) => `${cycle[0]}: a cycle of imports: ${cycle.join(" → ")}`),
  ].sort();
}

function brokenDirections({ path, imports }: SourceFile): string[] {
  const rule = Object.entries(MAY_IMPORT).find(([folder]) => path.startsWith(folder));
  if (rule === undefined) {
    return path.startsWith("workers/") ? [`${path}: belongs to no Worker named in scripts/import-rules.ts`] : [];
  }
  const [folder, allowed] = rule;
  const forbidden = MAY_NOT_IMPORT[folder];
  return imports
    .filter(({ specifier }) => specifier.startsWith("."))
    .flatMap(({ target }) => {
      if (!allowed.some((place) => target.startsWith(place))) {
        return [`${path}: imports ${target}; ${folder} may import ${allowed.join(", ")} only`];
      }
      const isForbidden = forbidden !== undefined && target.startsWith(forbidden);
      return isForbidden ? [`${path}: imports ${target}; ${folder} may not import ${forbidden}`] : [];
    });
}

function brokenTables({ path, strings }: SourceFile, tables: readonly string[]): string[] {
  if (!TEXT_PLACES.folders.test(path) || TEXT_PLACES.tables.test(path) || tables.length === 0) return [];
  const statement = new RegExp(`\\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\\s+(${tables.join("|")})\\b`);
  return strings.flatMap((text) => {
    const table = statement.exec(text)?.[1];
    return table === undefined ? [] : [`${path}: has SQL of the table ${table}; only shared/ledger knows D1's tables`];
  });
}

function brokenSlots({ path, strings }: SourceFile): string[] {
  if (!TEXT_PLACES.folders.test(path) || TEXT_PLACES.slots.test(path)) return [];
  return strings.flatMap((text) => {
    const slot = /\b(?:blob|double)\d+\b/.exec(text)?.[0];
    return slot === undefined ? [] : [`${path}: names the slot ${slot}; only shared/analytics knows the slots`];
  });
}

function brokenEntries({ path, imports }: SourceFile): string[] {
  return Object.entries(ENTRY_FILES).flatMap(([folder, entry]) =>
    imports
      .filter(({ target }) => target.startsWith(folder) && target !== entry && !path.startsWith(folder))
      .map(({ target }) => `${path}: imports ${target}; the entry is ${entry}`),
  );
}

function brokenPlatform({ path, imports, globals }: SourceFile): string[] {
  const isShared = path.startsWith("shared/");
  const noNode = isShared || /^(workers\/(ingest|dashboard)|local\/worker)\//.test(path);
  const broken = imports
    .map(({ specifier }) => specifier)
    .filter(
      (name) =>
        (isShared && name.startsWith("cloudflare:")) ||
        (noNode && name.startsWith("node:") && !isZlibInPlace(name, path)),
    )
    .map((name) => `${path}: imports ${name}, which belongs to the platform`);
  if (!isShared) return broken;
  const reached = globals.filter((name) => NOT_IN_SHARED.has(name) || isCryptoAstray(name, path));
  return [...broken, ...reached.map((name) => `${path}: reaches for the global ${name}; make it an argument`)];
}

function isZlibInPlace(name: string, path: string): boolean {
  return name === "node:zlib" && path === ZLIB_PLACE;
}

function isCryptoAstray(name: string, path: string): boolean {
  return (name === "crypto" || name.startsWith("crypto.")) && !CRYPTO_PLACES.includes(path);
}

function brokenPackages(files: SourceFile[]): string[] {
  const importers = new Map<string, Set<string>>();
  const broken: string[] = [];
  for (const { path, imports } of files) {
    const folder = CONFINING_FOLDERS.find((name) => path.startsWith(name));
    if (folder === undefined) continue;
    for (const entry of packageEntries(imports)) {
      const name = packageOf(entry);
      const places = PACKAGE_PLACES[name] ?? [folder];
      const place = places.find((one) => path.startsWith(one));
      if (place === undefined) broken.push(`${path}: imports ${name}; only ${places.join(" and ")} may`);
      const key = `${place ?? folder} ${entry}`;
      importers.set(key, (importers.get(key) ?? new Set()).add(path));
    }
  }
  for (const [key, paths] of importers) {
    const entry = key.split(" ")[1] ?? "";
    if (paths.size > 1 && !PACKAGES_ANYWHERE.has(packageOf(entry))) {
      broken.push(`${[...paths].join(", ")}: all import ${entry}; one file wraps a package`);
    }
  }
  return broken;
}

// Types vanish, so another file may name a package's types.
function packageEntries(imports: Import[]): string[] {
  return imports
    .filter(({ specifier, typeOnly }) => !typeOnly && !/^(\.|node:|cloudflare:)/.test(specifier))
    .map(({ specifier }) => specifier);
}

/** `hono/body-limit` → `hono`, `@a/b/c` → `@a/b`. */
function packageOf(entry: string): string {
  return entry
    .split("/")
    .slice(0, entry.startsWith("@") ? 2 : 1)
    .join("/");
}

/** What ingest must not load, however indirectly: a bad report can then never bounce mail. */
function brokenReach(files: SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return files
    .filter(({ path }) => path.startsWith("workers/ingest/"))
    .flatMap((file) => {
      const way = findWay(file, byPath, (path) => path.startsWith("shared/report/"));
      return way === undefined ? [] : [`${file.path}: reaches shared/report at run time: ${way.join(" → ")}`];
    });
}

function findWay(
  from: SourceFile,
  byPath: Map<string, SourceFile>,
  isGoal: (path: string) => boolean,
): string[] | undefined {
  const ways = [[from.path]];
  const seen = new Set([from.path]);
  for (const way of ways) {
    const path = way.at(-1) ?? "";
    if (isGoal(path)) return way;
    for (const target of runtimeTargets(byPath.get(path))) {
      if (seen.has(target)) continue;
      seen.add(target);
      ways.push([...way, target]);
    }
  }
  return undefined;
}

function brokenLayers(files: SourceFile[]): string[] {
  return LAYERED.flatMap((worker) => brokenLayersOf(worker, files));
}

function brokenLayersOf(worker: string, files: SourceFile[]): string[] {
  const folderOf = (path: string): string | undefined =>
    path.startsWith(worker) ? /^(.+?)\//.exec(path.slice(worker.length))?.[1] : undefined;
  const arrows = files.flatMap(({ path, imports }) =>
    imports.map(({ target }) => ({ path, target, from: folderOf(path), to: folderOf(target) })),
  );
  const known = new Set(arrows.map(({ from, to }) => `${from} ${to}`));
  return arrows
    .filter(({ from, to }) => from !== undefined && to !== undefined && from !== to && known.has(`${to} ${from}`))
    .map(({ path, target, from, to }) => `${path}: imports ${target}; ${worker}${to}/ imports ${from}/, too`);
}

/** What is exported and used by no other file. */
function brokenExports(files: SourceFile[]): string[] {
  const imports = files.flatMap(({ path, imports: own }) => own.filter(({ target }) => target !== path));
  const used = new Set(imports.flatMap(({ target, names = ["*"] }) => names.map((name) => `${target} ${name}`)));
  return files
    .filter(({ path }) => !LOADED_BY_NAME.some((name) => name.test(path)) && !used.has(`${path} *`))
    .flatMap(({ path, exports }) =>
      exports
        .filter((name) => !used.has(`${path} ${name}`))
        .map((name) => `${path}: exports ${name}, which no other file imports`),
    );
}

/** Cycles of run-time imports, each once, as the paths it goes through. Types may refer to each other. */
function findCycles(files: SourceFile[]): string[][] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const cycles: string[][] = [];
  const walk = (path: string, way: string[]): void => {
    const at = way.indexOf(path);
    if (at >= 0) cycles.push([...way.slice(at), path]);
    if (at >= 0 || done.has(path)) return;
    for (const target of runtimeTargets(byPath.get(path))) walk(target, [...way, path]);
    done.add(path);
  };
  for (const { path } of files) walk(path, []);
  return cycles;
}

function runtimeTargets(file: SourceFile | undefined): string[] {
  return (file?.imports ?? [])
    .filter(({ specifier, typeOnly }) => !typeOnly && specifier.startsWith("."))
    .map(({ target }) => target);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const files = readSourceFiles(process.argv[2] ?? ".", SOURCE_FOLDERS);
  const broken = findBrokenRules(files, readTables(process.argv[2] ?? "."));
  for (const sentence of broken) console.error(sentence);
  console.log(`import rules: ${files.length} files, ${broken.length} broken`);
  process.exitCode = broken.length === 0 && files.length > 0 ? 0 : 1;
}
