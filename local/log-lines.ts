/**
 * Makes wrangler's output readable: one short line per JSON line that a Worker logs, and its errors. Pure; lines not
 * shown still go to the stack's log file.
 */

/** What to do with one line of wrangler's output. `isRoutine` = logged of all ordinary mail. */
export type LineView =
  | { kind: "event"; text: string; isRoutine: boolean }
  | { kind: "error"; text: string }
  | { kind: "hidden" };

const HIDDEN: LineView = { kind: "hidden" };

/** Not shown individually: a large report has thousands of slices. */
const HIDDEN_EVENTS: unknown[] = ["points"];
const ROUTINE_EVENTS: unknown[] = ["mail", "report", "finish"];

/** Fields in display order; the first two name the event. */
const TITLE_FIELDS = ["event", "outcome"];
const DETAIL_FIELDS = ["code", "reason", "message", "error", "to", "rua", "account", "domain", "reporter", "reportId"];
const COUNT_FIELDS = ["parts", "reports", "records", "messages"];

/** The Worker of an event; all others are from process. */
const WORKER_OF_EVENT: Record<string, string> = { mail: "ingest", dashboard_fault: "dashboard" };

/** Parses one line, without colours. */
export function viewLine(line: string): LineView {
  const record = readRecord(line);
  if (record !== undefined) {
    if (HIDDEN_EVENTS.includes(record.event)) return HIDDEN;
    const worker = WORKER_OF_EVENT[show(record.event)] ?? "process";
    return { kind: "event", text: describe(worker, record), isRoutine: ROUTINE_EVENTS.includes(record.event) };
  }
  const error = /(?:\[ERROR\]|\[wrangler:error\])\s*(.*)$/.exec(line)?.[1];
  if (error === undefined) return HIDDEN;
  return { kind: "error", text: error };
}

// A Worker's line, possibly printed as a warning or error.
function readRecord(line: string): Record<string, unknown> | undefined {
  const start = line.indexOf("{");
  if (start === -1 || !/^(\[wrangler:(error|warn)\] |[✘▲] \[(ERROR|WARNING)\] )?$/u.test(line.slice(0, start)))
    return undefined;
  try {
    const value: unknown = JSON.parse(line.slice(start));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function describe(worker: string, record: Record<string, unknown>): string {
  const title = TITLE_FIELDS.map((name) => show(record[name])).filter((value) => value !== "");
  const details = DETAIL_FIELDS.map((name) => show(record[name])).filter((value) => value !== "");
  const counts = COUNT_FIELDS.filter((name) => typeof record[name] === "number").map(
    (name) => `${name}=${record[name]}`,
  );
  const ruas = listed(record.ruas, printable);
  const keys = listed(record.keys ?? record.key, shortKey);
  const attempts = Number(record.attempts) > 1 ? [`attempt ${Number(record.attempts)}`] : [];
  const took = record.ms ?? record.milliseconds;
  const ms = typeof took === "number" ? [`${Math.round(took)} ms`] : [];
  return [worker.padEnd(8), title.join(" ").padEnd(18), ...details, ...ruas, ...keys, ...counts, ...attempts, ...ms]
    .join("  ")
    .trimEnd();
}

function show(value: unknown): string {
  if (typeof value === "string") return printable(value);
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

/** The first of some texts and how many more there are; one text is a list of one. */
function listed(value: unknown, shown: (text: string) => string): string[] {
  const [first, ...more] = [value].flat();
  if (typeof first !== "string") return [];
  return [more.length === 0 ? shown(first) : `${shown(first)} and ${more.length} more`];
}

// raw/2026/11/21/<64 hex digits>/name → raw/2026/11/21/0123abcd…/name
function shortKey(key: string): string {
  return printable(key.replace(/([0-9a-f]{8})[0-9a-f]{56}/g, "$1…"));
}

// Values come out of mails: no control characters may reach the terminal.
function printable(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}]+/gu, " ").trim();
  return plain.length > 200 ? `${plain.slice(0, 199)}…` : plain;
}
