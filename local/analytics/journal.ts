/**
 * Points that were taken and are not in the engine yet: they are appended to a file, answered, and inserted many at once, because
 * an insert costs the engine 15 ms whatever its size. What the file holds is inserted again after a crash, so a point is
 * stored at least once, as queries of the datasets expect.
 */
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { CheckedPoint } from "../worker/point.ts";

/** Stores points of a dataset, or throws. */
export type Store = (dataset: string, points: CheckedPoint[], seconds: number) => Promise<void>;

/** One line of a file: points as they were written together. */
const written = v.object({
  dataset: v.string(),
  seconds: v.number(),
  points: v.array(v.object({ index: v.string(), blobs: v.array(v.string()), doubles: v.array(v.number()) })),
});
type Written = v.InferOutput<typeof written>;

interface JournalFile {
  path: string;
  descriptor: number;
  lines: Written[];
}

/** Ours: how long points may wait for an insert that nobody asks for. */
const INSERT_AFTER_MS = 500;
/** Ours: points held in memory before they are inserted. */
const MAX_HELD_POINTS = 20_000;
const FILE_NAME = /^(\d+)\.ndjson$/;

/** The journal of one engine, in a separate folder. */
export class Journal {
  readonly #folder: string;
  readonly #store: Store;
  #number: number;
  #open: JournalFile | undefined;
  /** Full files whose insert has not succeeded, oldest first. */
  #closed: JournalFile[] = [];
  #heldPoints = 0;
  #running: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  private constructor(folder: string, store: Store, number: number) {
    this.#folder = folder;
    this.#store = store;
    this.#number = number;
  }

  /** Opens the journal in a folder, made if it does not exist, and stores what an earlier process left. @throws as `store` does */
  static async open(folder: string, store: Store): Promise<Journal> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const numbers = readdirSync(folder).flatMap((name) => FILE_NAME.exec(name)?.[1] ?? []);
    const left = numbers.map(Number).sort((a, b) => a - b);
    for (const number of left) {
      const path = join(folder, `${number}.ndjson`);
      await storeLines(readLines(path), store);
      rmSync(path);
    }
    return new Journal(folder, store, (left.at(-1) ?? 0) + 1);
  }

  /** Takes points: when it returns, they survive a crash of this process. @throws when the file cannot be written */
  take(dataset: string, points: CheckedPoint[], seconds: number): void {
    const line = { dataset, seconds: Math.floor(seconds), points };
    const file = this.#open ?? this.#newFile();
    try {
      writeFileSync(file.descriptor, `${JSON.stringify(line)}\n`);
    } catch (error) {
      // It may end in half a line, which nothing may be appended to.
      this.#close();
      throw error;
    }
    file.lines.push(line);
    this.#heldPoints += points.length;
    if (this.#heldPoints >= MAX_HELD_POINTS) this.#insertLater(0);
    else this.#insertLater(INSERT_AFTER_MS);
  }

  /** Resolves when everything taken so far is stored. @throws as `store` does; it is tried again with what comes next */
  flush(): Promise<void> {
    this.#close();
    this.#running = this.#running.catch(() => undefined).then(() => this.#insertClosed());
    return this.#running;
  }

  #close(): void {
    if (this.#open === undefined) return;
    closeSync(this.#open.descriptor);
    this.#closed.push(this.#open);
    this.#open = undefined;
    this.#heldPoints = 0;
  }

  async #insertClosed(): Promise<void> {
    const files = [...this.#closed];
    if (files.length === 0) return;
    await storeLines(
      files.flatMap(({ lines }) => lines),
      this.#store,
    );
    this.#closed = this.#closed.filter((file) => !files.includes(file));
    for (const { path } of files) rmSync(path);
  }

  #newFile(): JournalFile {
    const path = join(this.#folder, `${this.#number++}.ndjson`);
    this.#open = { path, descriptor: openSync(path, "a", 0o600), lines: [] };
    return this.#open;
  }

  #insertLater(milliseconds: number): void {
    if (this.#timer !== undefined && milliseconds > 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.flush().catch((error: unknown) => {
        console.error(`points are not stored yet: ${error instanceof Error ? error.message : String(error)}`);
        this.#insertLater(INSERT_AFTER_MS);
      });
    }, milliseconds);
  }
}

async function storeLines(lines: readonly Written[], store: Store): Promise<void> {
  const together = new Map<string, Written>();
  for (const { dataset, seconds, points } of lines) {
    const key = `${dataset} ${seconds}`;
    const same = together.get(key) ?? { dataset, seconds, points: [] };
    same.points.push(...points);
    together.set(key, same);
  }
  for (const { dataset, seconds, points } of together.values()) await store(dataset, points, seconds);
}

// The last line may be cut: its points were not answered.
function readLines(path: string): Written[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      const read = v.safeParse(v.pipe(v.string(), v.parseJson(), written), line);
      return read.success ? [read.output] : [];
    });
}
