/** The calendar month (UTC) that a report is about, from a link. Pure. */
import type { DayTotals } from "../../../shared/ledger/days.ts";
import { fail, ok, type Result } from "../../../shared/result.ts";
import type { Period } from "./period.ts";

/** A month with its days since 1970-01-01 UTC, both included. */
export interface Month extends Period {
  /** `2026-10`. */
  iso: string;
  /** `October 2026`. */
  name: string;
}

const MILLISECONDS_PER_DAY = 86_400_000;
/** Ours: months offered beside the one that is shown. */
const OFFERED = 12;

/**
 * Reads `month=2026-10`.
 *
 * @param text "" = the last month that is over
 * @returns the month, or what is wrong with it in one sentence
 */
export function readMonth(text: string, today: number): Result<Month, string> {
  if (text === "") return ok(monthBack(today, 1));
  const [, year, number] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text) ?? [];
  if (year === undefined || number === undefined) return fail(`'${text}' is not a month; write it as YYYY-MM.`);
  const month = monthOf(Number(year), Number(number) - 1);
  return month.firstDay > today ? fail(`${month.name} has not begun.`) : ok(month);
}

/** The month before. */
export function monthBefore({ firstDay }: Month): Month {
  return monthBack(firstDay, 1);
}

/** Sums of a month: messages, those that pass, those quarantined or rejected, and reports. */
export interface MonthFigures {
  messages: number;
  passed: number;
  refused: number;
  reports: number;
}

/** Adds up the days of a month. */
export function monthFigures(days: readonly DayTotals[]): MonthFigures {
  const sums: MonthFigures = { messages: 0, passed: 0, refused: 0, reports: 0 };
  for (const { messages, passed, quarantined, rejected, reports } of days) {
    sums.messages += messages;
    sums.passed += passed;
    sums.refused += quarantined + rejected;
    sums.reports += reports;
  }
  return sums;
}

/** The months a person may choose, the newest first: this one, and those before. */
export function offeredMonths(today: number): Month[] {
  return Array.from({ length: OFFERED + 1 }, (_, back) => monthBack(today, back));
}

function monthBack(day: number, back: number): Month {
  const date = new Date(day * MILLISECONDS_PER_DAY);
  return monthOf(date.getUTCFullYear(), date.getUTCMonth() - back);
}

/** @param index of the month, from 0; negative for the years before */
function monthOf(year: number, index: number): Month {
  const first = Date.UTC(year, index, 1);
  const date = new Date(first);
  const name = new Intl.DateTimeFormat("en-US", { month: "long", year: "numeric", timeZone: "UTC" }).format(date);
  return {
    iso: date.toISOString().slice(0, 7),
    name,
    firstDay: first / MILLISECONDS_PER_DAY,
    lastDay: Date.UTC(year, index + 1, 1) / MILLISECONDS_PER_DAY - 1,
  };
}
