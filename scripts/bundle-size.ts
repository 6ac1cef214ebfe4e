/**
 * Bundles each Worker as `wrangler deploy --dry-run` does, and compares its compressed size and what went into it with
 * bench/size.json. Works offline; deploys nothing, keeps nothing.
 *
 * usage: node scripts/bundle-size.ts
 * Exit code: 0 within budget, 1 over it, or a bundle holds what it must not, or a Worker does not bundle.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import * as v from "valibot";

const budgets = v.record(
  v.string(),
  v.object({
    maxGzipBytes: v.number(),
    /** Parts of a source's path that must not be in the bundle. */
    forbidden: v.array(v.string()),
  }),
);
/** The part of esbuild's metafile that is read: what each output is made of, and how many bytes of it are left. */
const metafile = v.object({
  outputs: v.record(v.string(), v.object({ inputs: v.record(v.string(), v.object({ bytesInOutput: v.number() })) })),
});

/** What a Worker's bundle is. */
export interface Bundle {
  rawBytes: number;
  gzipBytes: number;
  /** Paths of the sources in it. */
  sources: string[];
}

export type Budget = v.InferOutput<typeof budgets>[string];

/** What is wrong with a bundle, one sentence each. */
export function checkBundle(worker: string, bundle: Bundle, { maxGzipBytes, forbidden }: Budget): string[] {
  const problems = forbidden.flatMap((part) => {
    const source = bundle.sources.find((path) => path.includes(part));
    return source === undefined ? [] : [`${worker}: the bundle holds ${source}; ${part} must not be in it`];
  });
  if (bundle.gzipBytes > maxGzipBytes) {
    problems.push(`${worker}: ${bundle.gzipBytes} bytes compressed, the budget is ${maxGzipBytes} (bench/size.json)`);
  }
  return problems;
}

/** Bundles one Worker. @throws when wrangler cannot */
export function bundleWorker(config: string): Bundle {
  const folder = mkdtempSync(join(tmpdir(), "bundle-size-"));
  try {
    const meta = join(folder, "meta.json");
    const args = ["deploy", "--dry-run", "-c", config, "--outdir", folder, "--metafile", meta];
    execFileSync("wrangler", args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" },
    });
    const code = readFileSync(join(folder, "index.js"));
    const { outputs } = v.parse(metafile, JSON.parse(readFileSync(meta, "utf8")));
    const inputs = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs));
    const sources = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
    return { rawBytes: code.byteLength, gzipBytes: gzipSync(code).byteLength, sources };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function checkAll(): string[] {
  const problems: string[] = [];
  console.log("Worker        bytes  compressed      budget");
  for (const [worker, budget] of Object.entries(
    v.parse(budgets, JSON.parse(readFileSync("bench/size.json", "utf8"))),
  )) {
    const bundle = bundleWorker(`wrangler.${worker}.toml`);
    const figures = [bundle.rawBytes, bundle.gzipBytes, budget.maxGzipBytes].map((n, i) => `${n}`.padStart(i ? 12 : 9));
    console.log(worker.padEnd(10) + figures.join(""));
    if (bundle.sources.length === 0) problems.push(`${worker}: the metafile names no sources`);
    problems.push(...checkBundle(worker, bundle, budget));
  }
  return problems;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const problems = checkAll();
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
