/**
 * Hostile mails through ingest and process: the outcome and cost of each, against the bounds (Linux only). Or through a
 * local stack: what an innocent mail waits behind each.
 *
 * usage: npm run attacks -- DIR|FILE.eml ... [--stack] [--only TEXT] [--json] [--verbose]
 * Exit code: 0 every mail within its bounds, 1 some are not, or a mail cannot be run, 2 the command line is wrong.
 */
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Command } from "commander";
import { type Bounds, boundsOf, findBreaches } from "../bench/attacks/bounds.ts";
import { type AttackResult, runAttack } from "../bench/attacks/measure.ts";
import { attackStack, INNOCENT_SECONDS, type StackResult } from "../bench/attacks/stack.ts";
import { bundleWorker } from "../bench/large-mail/workerd.ts";
import { renderTable } from "../cli/terminal.ts";

/** The address that the mails are written to, and the one domain whose reports it takes. */
const DOMAIN = "victim.example";
const ADDRESS = { rua: `dmarc@${DOMAIN}`, entry: { account: "victim", domains: [DOMAIN] } };
/** Makes V8 collect as it must in an isolate of 128 MB. */
const V8_FLAGS = ["--max-heap-size=128"];
/** A mail is given up at this multiple of its bound. */
const GIVE_UP_FACTOR = 2;

interface Line {
  mail: string;
  bytes: number;
  bounds: Bounds;
  result: AttackResult;
  breaches: string[];
}

interface AttackOptions {
  json?: true;
  verbose?: true;
  stack?: true;
  only: string;
}

const program = new Command("npm run attacks --")
  .description("Hostile mails through ingest and process: the outcome and cost of each, against the bounds")
  .argument("<path...>", "mails (.eml), or folders of them")
  .option("--only <text>", "only mails whose name begins with this", "")
  .option("--stack", "through a separate local stack, with an innocent mail after each")
  .option("--json", "JSON for programs")
  .option("--verbose", "show what the Workers log")
  .parse();

/** Mails by path, in the order of their names. */
async function findMails(paths: string[], only: string): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const names = (await stat(path)).isDirectory()
      ? (await readdir(path)).sort().map((name) => join(path, name))
      : [path];
    found.push(...names.filter((name) => name.endsWith(".eml") && basename(name).startsWith(only)));
  }
  return found;
}

async function runMail(path: string, place: { folder: string; quiet: boolean }): Promise<Line> {
  const bytes = await readFile(path);
  const bounds = boundsOf(basename(path), bytes.byteLength);
  const attack = {
    bytes,
    address: ADDRESS,
    maxPoints: bounds.maxPoints * GIVE_UP_FACTOR + 1000,
    maxCpuSeconds: bounds.processCpuSeconds * GIVE_UP_FACTOR,
  };
  const result = await runAttack(attack, { ...place, v8Flags: V8_FLAGS });
  const breaches = findBreaches(result, bounds, DOMAIN);
  return { mail: basename(path), bytes: bytes.byteLength, bounds, result, breaches };
}

const HEAD = [
  "mail",
  "bytes",
  "reports",
  "records",
  "points",
  "dead letters",
  "dup.",
  "ingest s",
  "MB",
  "process s",
  "MB",
  "invocations",
  "CSV s",
  "",
];

function cellsOf({ mail, bytes, result, breaches }: Line): (string | number)[] {
  const { ingest, process, outcomes, csvSeconds } = result;
  const letters = Object.entries(outcomes.deadLetters).map(([code, count]) =>
    count === 1 ? code : `${count} ${code}`,
  );
  const { records, tls, failures } = outcomes.points;
  return [
    mail,
    bytes,
    outcomes.accepted,
    outcomes.records,
    records + tls + failures,
    letters.join(", "),
    outcomes.duplicates,
    ingest.cpuSeconds.toFixed(2),
    `+${Math.round(ingest.megabytes)}`,
    process.cpuSeconds.toFixed(2),
    `+${Math.round(process.megabytes)}`,
    process.invocations,
    csvSeconds.toFixed(3),
    breaches.length === 0 ? "ok" : "OUT",
  ];
}

function print(lines: Line[]): void {
  console.log(renderTable(HEAD, lines.map(cellsOf)));
  for (const { mail, breaches } of lines) for (const breach of breaches) console.log(`${mail}: ${breach}`);
  const within = lines.filter(({ breaches }) => breaches.length === 0).length;
  console.log(`${within} of ${lines.length} mails within their bounds`);
}

async function runAll(mails: string[], verbose: boolean): Promise<Line[]> {
  const folder = await mkdtemp(join(tmpdir(), "dmarc-attacks-"));
  try {
    for (const worker of ["ingest", "process"] as const) bundleWorker(worker, folder);
    const lines: Line[] = [];
    for (const mail of mails) {
      console.error(mail);
      lines.push(await runMail(mail, { folder, quiet: !verbose }));
    }
    return lines;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function runStack(paths: string[]): Promise<StackResult> {
  const mails = await Promise.all(paths.map(async (path) => ({ name: basename(path), bytes: await readFile(path) })));
  return attackStack(mails, ADDRESS, ({ mail, answer, takenSeconds, readSeconds, breach }) => {
    const times = `innocent mail taken ${takenSeconds.toFixed(2)} s, read ${readSeconds.toFixed(2)} s`;
    console.error(`${mail}: ${answer}; ${times} ${breach === "" ? "" : `OUT: ${breach}`}`);
  });
}

function printStack({ lines, idleSeconds }: StackResult): void {
  const head = ["mail", "answer", "innocent: taken s", "read s", ""];
  const rows = lines.map(({ mail, answer, takenSeconds, readSeconds, breach }) => [
    mail,
    answer,
    takenSeconds.toFixed(2),
    readSeconds.toFixed(2),
    breach === "" ? "ok" : `OUT: ${breach}`,
  ]);
  console.log(renderTable(head, rows));
  const within = lines.filter(({ breach }) => breach === "").length;
  console.log(`${within} of ${lines.length} innocent mails taken and read within ${INNOCENT_SECONDS} s`);
  console.log(
    Number.isFinite(idleSeconds) ? `nothing left to do after ${idleSeconds.toFixed(1)} s` : "OUT: never done",
  );
}

const options = program.opts<AttackOptions>();
const mails = await findMails(program.args, options.only);
if (mails.length === 0) program.error("There is no mail (.eml) there.", { exitCode: 2 });
if (options.stack) {
  const result = await runStack(mails);
  if (options.json) console.log(JSON.stringify(result, null, 2));
  else printStack(result);
  const isWithin = result.lines.every(({ breach }) => breach === "") && Number.isFinite(result.idleSeconds);
  process.exitCode = isWithin ? 0 : 1;
} else {
  const lines = await runAll(mails, options.verbose === true);
  if (options.json) console.log(JSON.stringify(lines, null, 2));
  else print(lines);
  process.exitCode = lines.every(({ breaches }) => breaches.length === 0) ? 0 : 1;
}
