/** Numbers for people: grouped digits, shares that never round a failure away. Pure. */

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

/** 1234567 → `1,234,567`. */
export function formatCount(count: number): string {
  return whole.format(count);
}

/** 1234567 → `1.2M`. */
export function formatCompact(count: number): string {
  return compact.format(count);
}

/** A share of a whole as `98.7 %`; only all is `100 %` and only nothing is `0 %`; `–` of nothing. */
export function formatShare(part: number, total: number): string {
  if (total <= 0) return "–";
  const share = (100 * part) / total;
  if (part === total) return "100 %";
  if (part === 0) return "0 %";
  if (share > 99.9) return "> 99.9 %";
  if (share < 0.1) return "< 0.1 %";
  return `${share.toFixed(1)} %`;
}

/** A share between 0 and 1, "" of nothing: what a column of shares sorts by and exports. */
export function shareOf(part: number, total: number): number | "" {
  return total <= 0 ? "" : part / total;
}

/** 4000 → `1 h 6 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return "< 1 s";
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  const minutes = Math.round(seconds / 60);
  if (seconds < 172_800) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** 2048 → `2.0 KB` (1000 bytes each). */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_950) return `${(bytes / 1e3).toFixed(1)} KB`;
  if (bytes < 999_950_000) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** 110 after 100 → `↑ 10 % from 100`. */
export function changeOfCount(now: number, before: number): string {
  if (before === 0) return now === 0 ? "unchanged" : "no earlier data";
  const change = (100 * (now - before)) / before;
  if (Math.abs(change) < 0.5) return "unchanged";
  return `${change > 0 ? "↑" : "↓"} ${formatCount(Math.abs(change))} % from ${formatCount(before)}`;
}
