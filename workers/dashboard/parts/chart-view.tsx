/** Charts as SVG: stacked days, and small lines. Each has its figures as text too: on every day, and as a table. */
import { isoDay } from "../data/days.ts";
import { formatCompact, formatCount } from "../data/numbers.ts";
import { type Chart, type ChartDay, type ChartSize, layOutDays, sparkline } from "./charts.ts";

/** A series of a stacked chart. Failing things are hatched as well as coloured. */
export interface Series {
  name: string;
  label: string;
  look: "pass" | "fail" | "plain";
}

export interface DayChartProps {
  id: string;
  /** What the chart shows, in one sentence, for people who cannot see it. */
  label: string;
  days: readonly ChartDay[];
  /** From the bottom up. */
  series: readonly Series[];
  unit: string;
  /** A day of the chart in words. */
  nameOf?: (day: number) => string;
  /** What happened on days, under the axis. */
  marks?: readonly DayMark[];
}

/** A mark under a day of the chart. */
export interface DayMark {
  day: number;
  /** From the top, from 0. */
  lane: number;
  /** SVG path around 0, 0. */
  path: string;
  tip: string;
}

/** Ours: height of a lane of marks. */
const LANE_HEIGHT = 14;

const WIDE: ChartSize = { width: 1150, height: 240 };
const NARROW: ChartSize = { width: 360, height: 200 };

/** A chart of stacked days with its legend. */
export function DayChart(props: DayChartProps) {
  return (
    <figure class="chart stack">
      <ul class="legend">
        {[...props.series].reverse().map(({ label, look }) => (
          <li>
            <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
              <rect width="14" height="14" rx="2" class={`fill-${look}`} />
              {look === "fail" && <path d="M0 14L14 0M-3 7L7 -3M7 17L17 7" class="hatch" />}
            </svg>
            {label}
          </li>
        ))}
      </ul>
      <ChartSvg {...props} size={WIDE} shown="wide" />
      <ChartSvg {...props} size={NARROW} shown="narrow" />
    </figure>
  );
}

function ChartSvg({ size, shown, ...props }: DayChartProps & { size: ChartSize; shown: string }) {
  const { id, label, days, series, nameOf = isoDay, marks = [] } = props;
  const chart = layOutDays(
    days,
    series.map(({ name }) => name),
    size,
  );
  const pattern = `hatch-${id}-${shown}`;
  const height = size.height + LANE_HEIGHT * Math.max(0, ...marks.map(({ lane }) => lane + 1));
  const lookOf = (name: string): string => series.find((s) => s.name === name)?.look ?? "plain";
  return (
    <svg class={shown} viewBox={`0 0 ${size.width} ${height}`} role="img" aria-label={label}>
      <defs>
        <pattern id={pattern} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect width="6" height="6" class="fill-fail" />
          <path d="M0 0V6" class="hatch" />
        </pattern>
      </defs>
      <Axes chart={chart} nameOf={nameOf} />
      {chart.areas.map((part) => (
        <path d={part.path} {...fill(lookOf(part.series), pattern)} />
      ))}
      {chart.bars.map((part) => (
        <rect {...box(part)} {...fill(lookOf(part.series), pattern)} />
      ))}
      <Marks chart={chart} marks={marks} top={size.height} />
      {chart.days.map(({ day, x, width }) => {
        const tip = dayText(days.find((d) => d.day === day) ?? { day, values: {} }, { ...props, nameOf });
        const { top, bottom } = chart.plot;
        return (
          <rect class="hover" x={round(x)} y={top} width={round(width)} height={bottom - top} data-tip={tip}>
            <title>{tip}</title>
          </rect>
        );
      })}
    </svg>
  );
}

// At the middle of their days, as the bars are; what happened on a day that the chart does not have is in the list.
function Marks({ chart, marks, top }: { chart: Chart; marks: readonly DayMark[]; top: number }) {
  const places = new Map(chart.days.map(({ day, x, width }) => [day, x + width / 2]));
  return (
    <g>
      {marks.map(({ day, lane, path, tip }) => {
        const x = places.get(day);
        if (x === undefined) return null;
        const y = top + LANE_HEIGHT * (lane + 0.5);
        return (
          <path class="mark" d={path} transform={`translate(${round(x)} ${y})`} data-tip={`${isoDay(day)}: ${tip}`}>
            <title>{`${isoDay(day)}: ${tip}`}</title>
          </path>
        );
      })}
    </g>
  );
}

function Axes({ chart: { yTicks, xTicks, plot }, nameOf }: { chart: Chart; nameOf: (day: number) => string }) {
  return (
    <g>
      {yTicks.map(({ value, y }) => (
        <>
          <path class="grid" d={`M${plot.left} ${round(y)}H${plot.right}`} />
          <text class="axis" x={plot.left - 6} y={round(y + 4)} text-anchor="end">
            {formatCompact(value)}
          </text>
        </>
      ))}
      {xTicks.map(({ day, x }) => (
        <text class="axis" x={round(x)} y={plot.bottom + 17} text-anchor="middle">
          {nameOf(day)}
        </text>
      ))}
    </g>
  );
}

function fill(look: string, pattern: string): Record<string, string> {
  return look === "fail" ? { fill: `url(#${pattern})` } : { class: `fill-${look}` };
}

function box({ x, y, width, height }: { x: number; y: number; width: number; height: number }) {
  return { x: round(x), y: round(y), width: round(width), height: round(height) };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** All series of a day together. */
export function chartDaySum({ values }: ChartDay, series: readonly Series[]): number {
  return series.reduce((sum, { name }) => sum + (values[name] ?? 0), 0);
}

interface Wording extends Pick<DayChartProps, "series" | "unit"> {
  nameOf: (day: number) => string;
}

function dayText({ day, values }: ChartDay, { series, unit, nameOf }: Wording): string {
  const total = chartDaySum({ day, values }, series);
  const parts = series.map(({ name, label }) => `${label} ${formatCount(values[name] ?? 0)}`);
  return `${nameOf(day)}: ${formatCount(total)} ${unit} (${parts.join(", ")})`;
}

/** A small area chart without axes; its numbers are shown beside it. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  const size = { width: 110, height: 26 };
  return (
    <svg
      width={size.width}
      height={size.height}
      viewBox={`0 0 ${size.width} ${size.height}`}
      role="img"
      aria-label={label}
    >
      <path d={sparkline(values, size)} class="fill-plain" fill-opacity="0.75" />
    </svg>
  );
}
