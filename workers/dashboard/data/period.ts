/**
 * The period a page is about: the last 7, 30, 90 or 365 days or any range, from a link's parameters. Pure. Days are those of
 * the reports' periods, not of their arrival.
 */
import { parseDay } from "../../../shared/report-day.ts";
import { fail, ok, type Result } from "../../../shared/result.ts";
import { isoDay } from "./days.ts";

/** Days since 1970-01-01 UTC, both included. */
export interface Period {
  firstDay: number;
  lastDay: number;
  /** Chosen as "the last … days"; absent = a range. */
  preset?: number;
}

export const PRESETS = [7, 30, 90, 365] as const;
/** Operations are looked at over shorter periods. */
export const OPERATIONS_PRESETS = [1, 7, 30, 90] as const;
const DEFAULT_DAYS = 30;
/** Ours: ten years, longer than anybody has reports for; a page has a row for each day. */
const MAX_DAYS = 3660;

/**
 * Reads `days=` or `from=` and `to=`.
 *
 * @param today the current day
 * @returns the period, or what is wrong with the parameters in one sentence
 */
export function readPeriod(parameters: URLSearchParams, today: number): Result<Period, string> {
  const [from, to] = [parameters.get("from") ?? "", parameters.get("to") ?? ""];
  if (from === "" && to === "") return readPreset(parameters.get("days") ?? "", today);
  const lastDay = to === "" ? today : parseDay(to);
  if (lastDay === undefined) return fail(`'${to}' is not a day; write it as YYYY-MM-DD.`);
  const firstDay = from === "" ? lastDay - DEFAULT_DAYS + 1 : parseDay(from);
  if (firstDay === undefined) return fail(`'${from}' is not a day; write it as YYYY-MM-DD.`);
  if (firstDay > lastDay) return fail(`The period ends (${isoDay(lastDay)}) before it begins (${isoDay(firstDay)}).`);
  if (lastDay - firstDay >= MAX_DAYS) return fail(`A period has at most ${MAX_DAYS} days.`);
  return ok({ firstDay, lastDay });
}

/** The period of the same length right before. */
export function periodBefore({ firstDay, lastDay }: Period): Period {
  return { firstDay: firstDay - (lastDay - firstDay + 1), lastDay: firstDay - 1 };
}

/** Every day of a period. */
export function daysOf({ firstDay, lastDay }: Period): number[] {
  return Array.from({ length: lastDay - firstDay + 1 }, (_, i) => firstDay + i);
}

/** Ours: more parts could not be distinguished in a line as wide as a word. */
const MAX_PARTS = 30;

/** A period cut into at most thirty equal parts; the last one may be shorter. First and last day, both included. */
export function partsOfPeriod({ firstDay, lastDay }: Period): [firstDay: number, lastDay: number][] {
  const days = lastDay - firstDay + 1;
  const width = Math.ceil(days / MAX_PARTS);
  return Array.from({ length: Math.ceil(days / width) }, (_, i): [number, number] => {
    const first = firstDay + i * width;
    return [first, Math.min(lastDay, first + width - 1)];
  });
}

function readPreset(text: string, today: number): Result<Period, string> {
  const days = text === "" ? DEFAULT_DAYS : Number(text);
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS) return fail(`days=${text} is not a number of days.`);
  return ok({ firstDay: today - days + 1, lastDay: today, preset: days });
}
