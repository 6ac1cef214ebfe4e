/** Small marks: results, figures, notes, shares. A result always has a word and a sign, never colour alone. */
import type { Child } from "hono/jsx";
import type { CheckState } from "../../../shared/guidance/check.ts";
import { DASHBOARD_LIMITS } from "../../../shared/limits.ts";
import { formatCount, formatShare } from "../data/numbers.ts";
import { ForeignText } from "./foreign-text.tsx";
import { Explain } from "./term.tsx";

/** `pass`, `fail` or another word of a report. */
export function ResultMark({ result }: { result: string }) {
  if (result === "pass") return <span class="result pass">✓ pass</span>;
  if (result === "fail") return <span class="result fail">✕ fail</span>;
  return <span class="result">{result === "" ? "–" : <ForeignText text={result} />}</span>;
}

/** What a receiver did with mail. */
export function DispositionMark({ disposition }: { disposition: string }) {
  if (disposition === "reject") return <span class="result fail">⊘ reject</span>;
  if (disposition === "quarantine") return <span class="result warn">! quarantine</span>;
  return <span class="result">{disposition === "" ? "–" : <ForeignText text={disposition} />}</span>;
}

/** The state of a check. */
export function StateMark({ state }: { state: CheckState }) {
  switch (state) {
    case "good":
      return <span class="result pass">✓ good</span>;
    case "attention":
      return <span class="result warn">! attention</span>;
    case "broken":
      return <span class="result fail">✕ broken</span>;
    case "unknown":
      return <span class="result">? unknown</span>;
  }
}

interface FigureProps {
  label: string;
  term?: string;
  value: string;
  /** Compared with the period before, or another remark. */
  remark?: Child;
}

/** One large figure. */
export function Figure({ label, term, value, remark }: FigureProps) {
  return (
    <div class="figure">
      <dt>
        {label} {term !== undefined && <Explain name={term} />}
      </dt>
      <dd>
        <div class={valueClass(value)}>{value}</div>
        <div class="change">{remark ?? " "}</div>
      </dd>
    </div>
  );
}

/** Ours: what fits in the large letters of a figure beside five others. */
const LARGE_CHARS = 9;

function valueClass(value: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(value)) return "value day";
  return value.length > LARGE_CHARS ? "value long" : "value";
}

interface NoteProps {
  kind?: "warn" | "done" | "fault";
  /** It says what a form did: the page begins there for a keyboard and a screen reader. */
  isOutcome?: boolean;
  children?: Child;
}

/** A note that stands out: something is partial, done, or went wrong. */
export function Note({ kind = "warn", isOutcome = false, children }: NoteProps) {
  const focus = isOutcome ? { tabindex: -1, autofocus: true } : {};
  return (
    <div class={`note ${kind}`} role={kind === "fault" ? "alert" : "status"} {...focus}>
      {children}
    </div>
  );
}

/** Why a form was refused; its page shows it above the form. */
export function ProblemNote({ problem }: { problem: string }) {
  return (
    <Note kind="fault" isOutcome>
      <ForeignText text={problem} />
    </Note>
  );
}

/** Says that a part of the page is missing. */
export function MissingPart({ part, problem }: { part: string; problem: string }) {
  return (
    <Note kind="fault">
      <strong>{part} can't be shown now.</strong> {problem} No data is lost. Reload the page in a moment.
    </Note>
  );
}

/**
 * Says that a statement's limit was reached: there may be more rows than these.
 *
 * @param which what to do for the rest, or which rows these are
 */
export function limitNote(
  rows: readonly unknown[],
  limit: number,
  which = "choose a shorter period to see the rest",
): Child {
  if (rows.length < limit) return undefined;
  return (
    <Note>
      Only {formatCount(limit)} rows are shown, and there may be more: {which}.
    </Note>
  );
}

/** Says that a file holds fewer rows than the table has. */
export function exportNote(): Child {
  return <Note>CSV and JSON have the first {formatCount(DASHBOARD_LIMITS.maxExportRows)} rows.</Note>;
}

interface ShareProps {
  part: number;
  total: number;
  /** All of it is mail that receivers reject as the published policy asks. That is no fault: the bar is grey. */
  isRefused?: boolean;
}

/** A share as text over a small bar of it and the rest. */
export function ShareBar({ part, total, isRefused = false }: ShareProps) {
  const width = 72;
  const filled = total <= 0 ? 0 : (width * part) / total;
  return (
    <span class="stack">
      <span>{formatShare(part, total)}</span>
      {total > 0 && (
        <svg class="bar" width={width} height="5" viewBox={`0 0 ${width} 5`} aria-hidden="true">
          <rect width={filled} height="5" class="fill-pass" />
          <rect x={filled} width={width - filled} height="5" class={isRefused ? "fill-soft" : "fill-fail"} />
        </svg>
      )}
      {total > 0 && isRefused && <span class="small muted">rejection intended</span>}
    </span>
  );
}

/** A word of a report, and below it what it means. */
export function Explained({ word, meaning }: { word: string; meaning: string }) {
  return (
    <span class="stack explained">
      <span>{word === "" ? "not reported" : <ForeignText text={word} />}</span>
      {meaning !== "" && <span class="small muted">{meaning}</span>}
    </span>
  );
}

/** Label and value pairs. A value that is a text may be a stranger's. */
export function Pairs({ pairs }: { pairs: [Child, Child][] }) {
  return (
    <dl class="pairs">
      {pairs.map(([label, value]) => (
        <>
          <dt>{label}</dt>
          <dd>{typeof value === "string" ? <ForeignText text={value} /> : value}</dd>
        </>
      ))}
    </dl>
  );
}
