/** What every kind of import shares: its options and settings, what Ctrl-C says, and reporting what happened to the files. */
import { partWord } from "../../shared/mail/part-words.ts";
import { CommandError } from "../command-error.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { exitCodes } from "../exit-codes.ts";
import { interruptible } from "../interrupt.ts";
import { startProgress } from "../progress.ts";
import { printError, printJson, printOut, renderPairs, safeText } from "../terminal.ts";
import { WAIT_BOUNDS } from "../wait.ts";
import type { LeftOut } from "./find-files.ts";
import type { FileResult, ImportSettings } from "./import-page.ts";
import { type OutcomeCounts, waitForOutcomes } from "./outcomes.ts";
import { chosenAddresses } from "./owner.ts";
import { count, type ImportCounts, noCounts } from "./run-import.ts";

/** The options of every kind of import. */
export interface ImportOptions extends ConnectionOptions {
  rua?: string;
  account?: string;
  authservId?: string;
  dryRun?: true;
  wait?: true;
  json?: true;
}

const WAIT_FORMAT = "{bar} {value}/{total} processed, {eta_formatted} left";

/** The settings of an import. @throws CommandError when an address or account does not exist */
export async function settingsOf(options: ImportOptions): Promise<ImportSettings> {
  const client = connect(options);
  const { items } = await client.ask("listRegistrations", {});
  const chosen = chosenAddresses(items, options);
  if (!chosen.ok) throw new CommandError(chosen.error);
  return {
    client,
    chosen: chosen.value,
    authservId: options.authservId ?? "",
    isDryRun: options.dryRun === true,
    nowSeconds: Date.now() / 1000,
  };
}

/** What Ctrl-C says while files are sent, and while their outcomes are waited for. */
export const IMPORT_CONTINUES = "Run the same command again: it continues, and nothing counts twice.";

/** Ours: files named individually, of each kind. */
const MAX_NAMED = 20;

/** Collects and prints what happened to the files of one import. */
export class ImportReport {
  readonly counts: ImportCounts = noCounts();
  #unreadable = 0;
  readonly #leftOut: Record<LeftOut, number> = { hidden: 0, server: 0 };
  readonly #named = new Map<string, number>();
  readonly #sha256s: string[] = [];
  readonly #isWaiting: boolean;

  constructor({ wait, dryRun }: ImportOptions) {
    this.#isWaiting = wait === true && dryRun !== true;
  }

  add(one: FileResult): void {
    count(this.counts, one);
    if (this.#isWaiting && (one.result === "taken" || one.result === "known")) this.#sha256s.push(one.sha256);
    if (one.result === "no_owner" || one.result === "failed") this.#name(one.result, one.file.origin, one.reason);
  }

  passOver(_path: string, why: LeftOut): void {
    this.#leftOut[why]++;
  }

  unreadable(path: string, reason: string): void {
    this.#unreadable++;
    this.#name("unreadable", path, reason);
  }

  // Thousands of files usually have one reason.
  #name(kind: string, path: string, reason: string): void {
    const named = (this.#named.get(kind) ?? 0) + 1;
    this.#named.set(kind, named);
    if (named <= MAX_NAMED) printError(`dmarc import: ${path}: ${reason}`);
    else if (named === MAX_NAMED + 1) printError("dmarc import: further files of this kind are only counted");
  }

  /** Waits if asked to, prints the counts. @returns the exit code */
  async end(settings: ImportSettings, options: ImportOptions): Promise<number> {
    const wait = (): Promise<OutcomeCounts> => this.#wait(settings, options);
    const outcomes = this.#isWaiting ? await interruptible(IMPORT_CONTINUES, wait) : undefined;
    const { counts } = this;
    const unreadable = this.#unreadable;
    const { hidden: hiddenFiles, server: serverFiles } = this.#leftOut;
    if (options.json)
      printJson({ ...counts, unreadable, hiddenFiles, serverFiles, ...(outcomes === undefined ? {} : { outcomes }) });
    else {
      printOut(renderPairs(this.#pairs(settings, outcomes)));
      if ((outcomes?.dead_letter ?? 0) > 0) printOut("Why, and what to do:  dmarc dead-letters reasons");
    }
    if (counts.failed > 0 || unreadable > 0) return exitCodes.failure;
    return counts.noOwner > 0 ? exitCodes.rejected : exitCodes.done;
  }

  async #wait({ client }: ImportSettings, options: ImportOptions): Promise<OutcomeCounts> {
    const sha256s = [...new Set(this.#sha256s)];
    const progress = startProgress(WAIT_FORMAT, { silent: options.json === true });
    try {
      const { stillSeconds } = WAIT_BOUNDS;
      const onDone = (done: number): void => progress.update(done, sha256s.length);
      return await waitForOutcomes(sha256s, client, { stillSeconds, onDone });
    } finally {
      progress.stop();
    }
  }

  #pairs({ isDryRun }: ImportSettings, outcomes: OutcomeCounts | undefined): [string, unknown][] {
    const { files, taken, selected, known, noReport, noOwner, failed, addresses } = this.counts;
    const all: [string, number][] = [
      ["imported before", known],
      ["without a report", noReport],
      ["no account found", noOwner],
      ["failed", failed],
      ["unreadable", this.#unreadable],
      ["hidden files and links", this.#leftOut.hidden],
      ["files of a mail server", this.#leftOut.server],
    ];
    return [
      ["files", files],
      [isDryRun ? "would be taken" : "taken", taken + selected],
      ...Object.entries(addresses).map(([rua, number]): [string, unknown] => [`  for ${safeText(rua)}`, number]),
      ...all.filter(([, number]) => number > 0),
      ...Object.entries(outcomes ?? {}).map(([name, number]): [string, unknown] => [
        `now ${partWord(name, number)}`,
        number,
      ]),
    ];
  }
}
