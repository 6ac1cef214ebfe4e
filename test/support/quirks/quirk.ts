/** Support: what a fixture is, before it is a file. */

/** One oddity of real or hostile reports: the file that shows it and what must be read from it. */
export interface Quirk {
  /** Path under test/fixtures; the name says what is odd. */
  file: string;
  content: string | Uint8Array;
  want: Wanted;
}

/** The facts that matter about this quirk; the whole result is in the file's expected.json. */
export interface Wanted {
  /** Reports found; by default one, or none where problems are wanted. */
  reports?: number;
  /** Part of the first report. */
  report?: object;
  /** Parts of its records. */
  records?: object[];
  /** Warnings among those of the first report, as `code path`. */
  warnings?: string[];
  /** Whether the first report may have no warning at all. */
  clean?: true;
  /** Codes of the problems, all of them. */
  problems?: string[];
  /** Kinds of what is passed over, all of them. */
  passedOver?: string[];
}

/** What the ordinary report sums up to: a container must change nothing about it. */
export const ORDINARY_TOTALS = { totals: { records: 2, skippedRecords: 0, messages: 12, passed: 7 } };
