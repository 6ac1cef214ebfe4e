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
import { Readable } from "node:stream";
import { parseArgs } from "node:util";
import * as v from "valibot";
import { hostileMails } from "../test/support/hostile-mails.ts";
import { type Bindings, type SentMessage, serveBindings } from "./large-mail/bindings.ts";
import { LARGEST, LARGEST_BYTES, type LargeMail, xmlMail } from "./large-mail/mails.ts";
import type { Growth } from "./large-mail/memory.ts";
import { bundleWorker, type Place, type RunningWorker, startWorker } from "./large-mail/workerd.ts";
import { reportText, STYLES, seeded } from "./reports.ts";

const RUA = "rua@acme.example";
const SIZES_BYTES = [1000, 4.1e6, 5e6, 15e6, 20e6];
const MAILS_IN_A_ROW = 6;
const MAX_PIECE_BYTES = 200_000;
/** So large that ingest just parses them. */
const HOSTILE_CHARS = 4_000_000;
/** What any mail may take of ingest; beyond it the exit code is 1. */
const MAX_INGEST_MEGABYTES = 64;

const { values: options, positionals } = parseArgs({
  options: { "v8-flags": { type: "string", default: "--max-heap-size=128" } },
  allowPositionals: true,
});

type Row = Record<string, string | number>;

/** What mails took of a Worker that had just been started. */
type Figures = Growth & { seconds: number };

/** What reached the queues and the datasets so far. */
interface Outcome {
  waiting: SentMessage[];
  records: number;
}

const sentMessage = v.object({
  kind: v.string(),
  points: v.optional(v.array(v.object({ dataset: v.string(), count: v.number() })), []),
});
const processed = v.object({ answer: v.string(), records: v.number() });

/** The mail as it comes in from the network: in pieces of any size. */
function* inPieces(bytes: Uint8Array): Generator<Uint8Array> {
  const random = seeded(bytes.byteLength);
  for (let at = 0; at < bytes.byteLength; ) {
    const end = at + 1 + Math.floor(random() ** 3 * MAX_PIECE_BYTES);
    yield bytes.subarray(at, end);
    at = end;
  }
}

function fail(message: string): never {
  throw new Error(message);
}

class Chain {
  readonly #bindings: Bindings;
  readonly #outcome: Outcome = { waiting: [], records: 0 };

  constructor(bindings: Bindings) {
    this.#bindings = bindings;
    bindings.registry.set(`dmarc:${RUA}`, JSON.stringify({ account: "acme" }));
    bindings.onMessage = (sent) => this.#take(sent);
  }

  #take(sent: SentMessage): void {
    const { kind, points } = v.parse(sentMessage, sent.body);
    if (kind === "report") this.#outcome.waiting.push(sent);
    for (const { dataset, count } of points) if (dataset === "records") this.#outcome.records += count;
  }

  /** Hands a mail to ingest. @throws when what is stored is not what was sent */
  async receive(ingest: RunningWorker, { bytes }: LargeMail): Promise<void> {
    await ingest.send(`/?to=${RUA}&rawSize=${bytes.byteLength}`, Readable.from(inPieces(bytes)));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const stored = this.#bindings.bucket.keys("raw/").some((key) => key.includes(sha256));
    if (bytes.byteLength > 5e6 && !stored) throw new Error("The mail is not stored as it was sent.");
  }

  /** Hands process the messages until none is left. @returns records that came out */
  async run(process: RunningWorker): Promise<number> {
    this.#outcome.records = 0;
    for (let sent = this.#outcome.waiting.shift(); sent !== undefined; sent = this.#outcome.waiting.shift()) {
      const { answer, records } = v.parse(processed, await process.send("/", Readable.from([JSON.stringify(sent)])));
      if (answer !== "ack") throw new Error("process did not acknowledge the mail.");
      this.#outcome.records += records;
    }
    return this.#outcome.records;
  }
}

async function measure(worker: RunningWorker, run: () => Promise<void>): Promise<Figures> {
  const start = performance.now();
  const growth = await worker.watch(run);
  return { ...growth, seconds: (performance.now() - start) / 1000 };
}

/** Sends mails, one after the other, through Workers that were just started. */
async function runMails({ name, mails }: Workload, bindings: Bindings, place: Place): Promise<Row[]> {
  const chain = new Chain(bindings);
  const ingest = await startWorker("ingest", place);
  const received = await measure(ingest, async () => {
    for (const mail of mails) await chain.receive(ingest, mail);
  });
  await ingest.stop();
  const process = await startWorker("process", place);
  let found = 0;
  const read = await measure(process, async () => {
    found = await chain.run(process);
  });
  await process.stop();
  const expected = mails.reduce((sum, { records }) => sum + records, 0);
  if (!Number.isNaN(expected) && found !== expected) throw new Error(`${found} of ${expected} records came out.`);
  const bytes = mails.reduce((sum, mail) => sum + mail.bytes.byteLength, 0);
  const common = { mail: name, MB: (bytes / 1e6).toFixed(1), records: found };
  return [
    { ...common, Worker: "ingest", ...row(received) },
    { ...common, Worker: "process", ...row(read) },
  ];
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
async function runHostile(place: Omit<Place, "bindingsPort">): Promise<Row[]> {
  const xml = [...reportText({ records: 2, seed: 1, style: STYLES[0] ?? fail("no styles") })].join("");
  const worst = new Map<string, Row[]>();
  for (const { kind, bytes, records } of hostileMails(HOSTILE_CHARS, { xml, records: 2 })) {
    const bindings = await serveBindings();
    const workload = { name: kind, mails: [{ kind, bytes, records }] };
    const rows = await runMails(workload, bindings, { ...place, bindingsPort: bindings.port });
    bindings.close();
    const sort = kind.split(" ", 1)[0] ?? "";
    if (peakOf(rows) > peakOf(worst.get(sort) ?? [])) worst.set(sort, rows);
    if (peakOf(rows) > MAX_INGEST_MEGABYTES) process.exitCode = 1;
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
    const place = { folder, bindingsPort: bindings.port, v8Flags };
    rows.push(...(await runMails(workload, bindings, place)));
    bindings.close();
  }
  if (positionals.length === 0) rows.push(...(await runHostile({ folder, v8Flags })));
  console.table(rows);
  console.log(`Load of the machine: ${loadavg()[0]?.toFixed(1)}`);
} finally {
  await rm(folder, { recursive: true });
}
