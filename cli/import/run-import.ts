/** Imports any number of files, a page at a time and a few pages side by side, and counts the results. */
import { IMPORT_LIMITS } from "../../shared/limits.ts";
import type { FoundFile } from "./found-file.ts";
import { type FileResult, held, type ImportSettings, importPage } from "./import-page.ts";

/** What became of all files. */
export interface ImportCounts {
  /** Files and mails looked at. */
  files: number;
  taken: number;
  /** Only of a dry run. */
  selected: number;
  /** Imported before. */
  known: number;
  noReport: number;
  noOwner: number;
  failed: number;
  /** Address → files taken or selected for it. */
  addresses: Record<string, number>;
}

/** The counts of an import that has not begun. */
export function noCounts(): ImportCounts {
  return { files: 0, taken: 0, selected: 0, known: 0, noReport: 0, noOwner: 0, failed: 0, addresses: {} };
}

const COUNTED = {
  taken: "taken",
  selected: "selected",
  known: "known",
  no_report: "noReport",
  no_owner: "noOwner",
  failed: "failed",
} as const;

/** Adds a file to the counts. */
export function count(counts: ImportCounts, { result, rua }: Pick<FileResult, "result" | "rua">): void {
  counts.files++;
  counts[COUNTED[result]]++;
  if (result === "taken" || result === "selected") counts.addresses[rua] = (counts.addresses[rua] ?? 0) + 1;
}

/** Pages that are sent at once: while one waits for the API, the next is read. */
const PAGES_AT_ONCE = 3;
/** Three calls' worth. */
const FILES_PER_PAGE = 3 * IMPORT_LIMITS.filesPerCall;

/**
 * Imports files as they are found.
 *
 * @param onResults called with the results of each page
 * @throws CommandError as `importPage` does
 */
export async function runImport(
  files: AsyncIterable<FoundFile>,
  settings: ImportSettings,
  onResults: (results: readonly FileResult[]) => void,
): Promise<void> {
  const pages = new Pages(async (page) => onResults(await importPage(page, settings)));
  let page: FoundFile[] = [];
  let bytes = 0;
  for await (const file of files) {
    const { sizeBytes } = file.source;
    // Its source is closed when the next is asked for.
    if (sizeBytes > IMPORT_LIMITS.maxSharedFileBytes) {
      onResults(await importPage([file], settings));
      continue;
    }
    page.push(await held(file));
    bytes += sizeBytes;
    if (page.length < FILES_PER_PAGE && bytes < IMPORT_LIMITS.maxCallBytes) continue;
    await pages.add(page);
    page = [];
    bytes = 0;
  }
  if (page.length > 0) await pages.add(page);
  await pages.finish();
}

/** A bounded number of pages at work. */
class Pages {
  readonly #work: (page: FoundFile[]) => Promise<void>;
  readonly #running = new Set<Promise<void>>();
  #error: { error: unknown } | undefined;

  constructor(work: (page: FoundFile[]) => Promise<void>) {
    this.#work = work;
  }

  /** Waits for room. @throws what an earlier page threw */
  async add(page: FoundFile[]): Promise<void> {
    while (this.#running.size >= PAGES_AT_ONCE) await Promise.race(this.#running);
    if (this.#error !== undefined) throw this.#error.error;
    const running = this.#work(page)
      .catch((error: unknown) => {
        this.#error ??= { error };
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** @throws what a page threw */
  async finish(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#error !== undefined) throw this.#error.error;
  }
}
