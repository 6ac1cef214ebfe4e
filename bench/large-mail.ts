/**
 * What a large mail takes of an isolate: ingest and process, as they are deployed, each alone in a workerd process whose
 * bindings are in another one. Every mail must arrive whole: what is stored is what was sent, and all records come out.
 *
 * usage: npm run bench:mail -- [--v8-flags FLAGS] [FILE.eml ...]
 *   --v8-flags  given to workerd instead of --max-heap-size=128, which makes V8 collect as it must in an isolate of 128 MB
 *   FILE.eml    measures these mails instead of generated ones; what they hold is printed, not checked
 */
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import * as v from "valibot";
import { hostileMails } from "../test/support/hostile-mails.ts";
import { reportText, STYLES } from "../test/support/seeded-reports.ts";
import { type Bindings, serveBindings } from "./large-mail/bindings.ts";
import { Chain, handle } from "./large-mail/chain.ts";
import { LARGEST, LARGEST_BYTES, type LargeMail, xmlMail } from "./large-mail/mails.ts";
import type { Growth } from "./large-mail/memory.ts";
import { bundleWorker, type RunningWorker, startWorker, type WorkerSetting } from "./large-mail/workerd.ts";

const ADDRESS = { rua: "rua@acme.example", entry: { account: "acme" } };
const SIZES_BYTES = [1000, 4.1e6, 5e6, 15e6, 20e6];
const MAILS_IN_A_ROW = 6;
/** So large that ingest just parses them. */
const HOSTILE_CHARS = 4_000_000;
/** What any mail may take of a Worker; beyond it the exit code is 1. */
const MAX_MEGABYTES = { ingest: 64, process: 100 };

const { values: options, positionals } = parseArgs({
  options: { "v8-flags": { type: "string", default: "--max-heap-size=128" } },
  allowPositionals: true,
});

type Row = Record<string, string | number>;

/** What mails took of a Worker that had just been started. */
type Figures = Growth & { seconds: number };

const pointsMessage = v.object({
  points: v.optional(v.array(v.object({ dataset: v.string(), count: v.number() })), []),
});

/** Hands a mail to ingest. @throws when what is stored is not what was sent */
async function receive(chain: Chain, { bytes }: LargeMail, { ingest, bindings }: Receiver): Promise<void> {
  await chain.receive(ingest, bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const stored = bindings.bucket.keys("raw/").some((key) => key.includes(sha256));
  if (bytes.byteLength > 5e6 && !stored) throw new Error("The mail is not stored as it was sent.");
}

interface Receiver {
  ingest: RunningWorker;
  bindings: Bindings;
}

function fail(message: string): never {
  throw new Error(message);
}

/** Hands process the reports until none is left; slices of points are counted. @returns records that came out */
async function readReports(chain: Chain, process: RunningWorker): Promise<number> {
  let records = 0;
  for (let sent = chain.waiting.shift(); sent !== undefined; sent = chain.waiting.shift()) {
    const { points } = v.parse(pointsMessage, sent.body);
    records += points.reduce((sum, { dataset, count }) => sum + (dataset === "records" ? count : 0), 0);
    if (points.length > 0) continue;
    const { answer, points: written } = await handle(process, { queue: sent.queue, bodies: [sent.body] });
    if (answer !== "ack") throw new Error("process did not acknowledge the mail.");
    records += written.filter(({ dataset }) => dataset === "records").length;
  }
  return records;
}

async function measure(worker: RunningWorker, run: () => Promise<void>): Promise<Figures> {
  const start = performance.now();
  const growth = await worker.watch(run);
  return { ...growth, seconds: (performance.now() - start) / 1000 };
}

/** Sends mails, one after the other, through Workers that were just started. */
async function runMails({ name, mails }: Workload, bindings: Bindings, setting: WorkerSetting): Promise<Row[]> {
  const chain = await Chain.open(bindings, ADDRESS);
  const ingest = await startWorker("ingest", setting);
  const received = await measure(ingest, async () => {
    for (const mail of mails) await receive(chain, mail, { ingest, bindings });
  });
  await ingest.stop();
  const process = await startWorker("process", setting);
  let found = 0;
  const read = await measure(process, async () => {
    found = await readReports(chain, process);
  });
  await process.stop();
  const expected = mails.reduce((sum, { records }) => sum + records, 0);
  if (!Number.isNaN(expected) && found !== expected) throw new Error(`${found} of ${expected} records came out.`);
  const bytes = mails.reduce((sum, mail) => sum + mail.bytes.byteLength, 0);
  const common = { mail: name, MB: (bytes / 1e6).toFixed(1), records: found };
  const isBeyond = megabytesOf(received) > MAX_MEGABYTES.ingest || megabytesOf(read) > MAX_MEGABYTES.process;
  if (isBeyond && mails.length === 1) globalThis.process.exitCode = 1;
  return [
    { ...common, Worker: "ingest", ...row(received) },
    { ...common, Worker: "process", ...row(read) },
  ];
}

function megabytesOf({ anonymousPeak }: Figures): number {
  return anonymousPeak / 1e6;
}

function row({ peak, anonymousPeak, anonymousAfter, seconds }: Figures): Row {
  const megabytes = (bytes: number): string => `+${(bytes / 1e6).toFixed(0)}`;
  return {
    "peak, MB": megabytes(anonymousPeak),
    after: megabytes(anonymousAfter),
    "with program": megabytes(peak),
    s: seconds.toFixed(1),
  };
}

interface Workload {
  name: string;
  mails: LargeMail[];
}

/** Every hostile mail that ingest parses, each alone: of each sort the one that took most. */
async function runHostile(setting: Omit<WorkerSetting, "bindingsPort">): Promise<Row[]> {
  const xml = [...reportText({ records: 2, seed: 1, style: STYLES[0] ?? fail("no styles") })].join("");
  const worst = new Map<string, Row[]>();
  for (const { kind, bytes, records } of hostileMails(HOSTILE_CHARS, { xml, records: 2 })) {
    const bindings = await serveBindings();
    const workload = { name: kind, mails: [{ kind, bytes, records }] };
    const rows = await runMails(workload, bindings, { ...setting, bindingsPort: bindings.port });
    bindings.close();
    const sort = kind.split(" ", 1)[0] ?? "";
    if (peakOf(rows) > peakOf(worst.get(sort) ?? [])) worst.set(sort, rows);
  }
  return [...worst.values()].flat();
}

function peakOf([ingest]: Row[]): number {
  return Number(ingest?.["peak, MB"] ?? Number.NEGATIVE_INFINITY);
}

async function* workloads(): AsyncGenerator<Workload> {
  for (const path of positionals) {
    yield { name: basename(path), mails: [{ kind: path, bytes: await readFile(path), records: Number.NaN }] };
  }
  if (positionals.length > 0) return;
  for (const bytes of SIZES_BYTES) yield { name: "XML", mails: [xmlMail(bytes)] };
  for (const make of LARGEST) {
    const mail = await make();
    yield { name: mail.kind, mails: [mail] };
  }
  const inARow = Array.from({ length: MAILS_IN_A_ROW }, (_, i) => xmlMail(LARGEST_BYTES, 10 + i));
  yield { name: `${MAILS_IN_A_ROW} mails in a row`, mails: inARow };
}

const folder = await mkdtemp(join(tmpdir(), "dmarc-bench-"));
const v8Flags = options["v8-flags"].split(" ").filter((flag) => flag !== "");
try {
  for (const worker of ["ingest", "process"] as const) bundleWorker(worker, folder);
  const rows: Row[] = [];
  for await (const workload of workloads()) {
    const bindings = await serveBindings();
    const setting = { folder, bindingsPort: bindings.port, v8Flags };
    rows.push(...(await runMails(workload, bindings, setting)));
    bindings.close();
  }
  if (positionals.length === 0) rows.push(...(await runHostile({ folder, v8Flags })));
  console.table(rows);
  console.log(`Load of the machine: ${loadavg()[0]?.toFixed(1)}`);
} finally {
  await rm(folder, { recursive: true });
}
