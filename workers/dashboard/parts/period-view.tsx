/** Choosing the period: links for the usual ones, a form for any range. */
import { isoDay } from "../data/days.ts";
import { type Period, PRESETS, periodBefore } from "../data/period.ts";
import { DayInput } from "./day-input.tsx";
import { Field } from "./field.tsx";
import { linkWith } from "./links.ts";

interface ControlProps {
  url: URL;
  period: Period;
  /** Last days to choose from. */
  presets?: readonly number[];
}

/** The control of a page's period; the link keeps everything else. */
export function PeriodControl({ url, period, presets = PRESETS }: ControlProps) {
  return (
    <div class="period">
      <nav class="segments" aria-label="Period">
        {presets.map((days) => (
          <a
            href={linkWith(url, { days: String(days), from: undefined, to: undefined })}
            aria-current={period.preset === days ? "true" : undefined}
          >
            {presetText(days)}
          </a>
        ))}
      </nav>
      <form class="inline" method="get" action={url.pathname}>
        <Field id="period-from" label="From">
          <DayInput id="period-from" name="from" value={isoDay(period.firstDay)} />
        </Field>
        <Field id="period-to" label="to">
          <DayInput id="period-to" name="to" value={isoDay(period.lastDay)} />
        </Field>
        <button type="submit">Show</button>
      </form>
    </div>
  );
}

function presetText(days: number): string {
  if (days === 1) return "today";
  return days === 365 ? "12 months" : `${days} days`;
}

/** `2026-10-01 to 2026-10-30, compared with …`. */
export function PeriodText({ period, compared }: { period: Period; compared?: boolean }) {
  const before = periodBefore(period);
  return (
    <span>
      <span class="nowrap">{isoDay(period.firstDay)}</span> to <span class="nowrap">{isoDay(period.lastDay)}</span>
      {compared === true && (
        <>
          , compared with <span class="nowrap">{isoDay(before.firstDay)}</span> to{" "}
          <span class="nowrap">{isoDay(before.lastDay)}</span>
        </>
      )}
    </span>
  );
}
