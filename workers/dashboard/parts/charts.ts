/** Geometry of the charts: the one file that knows d3-scale and d3-shape. Pure; numbers in, coordinates out. */
import { scaleBand, scaleLinear } from "d3-scale";
import { area, stack } from "d3-shape";

/** The values of a day, or of an hour, by the names of the series. */
export interface ChartDay {
  /** Days, or hours, since 1970 UTC. */
  day: number;
  values: Record<string, number>;
}

export interface ChartSize {
  width: number;
  height: number;
}

/** One bar, or one part of a stacked bar. */
export interface ChartBar {
  series: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Chart {
  bars: ChartBar[];
  /** Instead of bars where there are too many days for them: series → SVG path. */
  areas: { series: string; path: string }[];
  /** A strip for each day, to point at. */
  days: { day: number; x: number; width: number }[];
  yTicks: { value: number; y: number }[];
  /** The middle of each label. */
  xTicks: { day: number; x: number }[];
  plot: { left: number; right: number; top: number; bottom: number };
}

/** Ours: with more days bars become lines. */
const MAX_BARS = 100;
const MARGIN = { left: 44, right: 8, top: 8, bottom: 24 };
/** Ours: width of a day's label with its distance to the next. */
const LABEL_WIDTH = 92;

/** Lays out stacked values by day; `series` from the bottom up. Days without a value must be there with 0. */
export function layOutDays(days: readonly ChartDay[], series: readonly string[], { width, height }: ChartSize): Chart {
  const plot = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
  const totals = days.map(({ values }) => series.reduce((sum, name) => sum + (values[name] ?? 0), 0));
  const y = scaleLinear([0, Math.max(4, ...totals)], [plot.bottom, plot.top]).nice(4);
  const x = scaleBand(
    days.map(({ day }) => day),
    [plot.left, plot.right],
  ).paddingInner(days.length > 40 ? 0.15 : 0.25);
  const layers = stack<ChartDay, string>()
    .keys([...series])
    .value(({ values }, name) => values[name] ?? 0)([...days]);
  const asBars = days.length <= MAX_BARS;
  const center = (day: number): number => (x(day) ?? 0) + x.bandwidth() / 2;
  return {
    plot,
    bars: asBars ? layers.flatMap((layer) => layer.map((part) => bar(layer.key, part, { x, y }))) : [],
    areas: asBars
      ? []
      : layers.map((layer) => ({
          series: layer.key,
          path:
            area<(typeof layer)[number]>(
              ({ data }) => center(data.day),
              ({ 0: low }) => y(low),
              ({ 1: high }) => y(high),
            )(layer) ?? "",
        })),
    days: days.map(({ day }) => ({ day, x: (x(day) ?? 0) - (x.step() - x.bandwidth()) / 2, width: x.step() })),
    yTicks: y.ticks(4).map((value) => ({ value, y: y(value) })),
    xTicks: dayTicks(days, center, plot),
  };
}

interface Scales {
  x: { (day: number): number | undefined; bandwidth(): number };
  y: (value: number) => number;
}

function bar(series: string, part: { 0: number; 1: number; data: ChartDay }, { x, y }: Scales): ChartBar {
  const top = y(part[1]);
  return { series, x: x(part.data.day) ?? 0, y: top, width: x.bandwidth(), height: Math.max(0, y(part[0]) - top) };
}

// From the last day back in even steps, so that labels never come close to each other.
function dayTicks(days: readonly ChartDay[], center: (day: number) => number, plot: Chart["plot"]): Chart["xTicks"] {
  const room = Math.max(1, Math.floor((plot.right - plot.left) / LABEL_WIDTH));
  const step = Math.max(1, Math.ceil(days.length / room));
  return days
    .filter((_, i) => (days.length - 1 - i) % step === 0)
    .map(({ day }) => ({ day, x: Math.min(center(day), plot.right - LABEL_WIDTH / 2 + 10) }))
    .filter(
      ({ x }, i, all) => x - LABEL_WIDTH / 2 > 0 && (all[i + 1]?.x ?? Number.POSITIVE_INFINITY) - x > LABEL_WIDTH - 12,
    );
}

/** The path of a small line without axes, from 0 to the largest value. */
export function sparkline(values: readonly number[], { width, height }: ChartSize): string {
  const y = scaleLinear([0, Math.max(1, ...values)], [height - 1, 1]);
  const x = scaleLinear([0, Math.max(1, values.length - 1)], [1, width - 1]);
  return (
    area<number>(
      (_, i) => x(i),
      () => height - 1,
      (value) => y(value),
    )([...values]) ?? ""
  );
}
