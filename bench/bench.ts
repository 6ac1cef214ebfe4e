/**
 * `npm run bench`: how fast reports are read, against a plain baseline in the same run. Method and goals are in
 * docs/performance.md.
 *
 * usage: npm run bench [-- --json] [-- --quick]
 *   --json   print figures as JSON
 *   --quick  smaller reports and fewer rounds, in a minute or two
 */
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { printHelp } from "../scripts/help.ts";
import { bySize, type SizeFigure } from "./memory.ts";
import { type Figure, underNode } from "./node.ts";
import { inWorkerd } from "./workerd.ts";

const USAGE = `usage: npm run bench [-- --json] [-- --quick]

  --json   print figures as JSON
  --quick  smaller reports and fewer rounds, in a minute or two`;

if (printHelp(USAGE)) process.exit(0);

const { values: options } = parseArgs({ options: { json: { type: "boolean" }, quick: { type: "boolean" } } });
const effort = options.quick
  ? { largeRecords: 30_000, rounds: 3, roundMilliseconds: 500, sizes: [1e3, 1e4, 1e5] }
  : { largeRecords: 100_000, rounds: 5, roundMilliseconds: 1500, sizes: [1e3, 1e4, 1e5, 1e6] };

const machine = {
  node: process.version,
  cpu: cpus()[0]?.model ?? "",
  cores: availableParallelism(),
  loadBefore: loadavg()[0],
};
const tell = (text: string): void => console.error(text);

tell("Node …");
const figures: Figure[] = await underNode(effort);
tell("workerd …");
figures.push(...(await inWorkerd(effort)));
tell("Memory and cost by size …");
const sizes = await bySize(effort.sizes);

if (options.json) console.log(JSON.stringify({ machine, effort, figures, sizes }, null, 2));
else {
  console.log(`Node ${machine.node}, ${machine.cpu}, ${machine.cores} cores, load ${machine.loadBefore?.toFixed(1)}\n`);
  console.log(figures.map(figureLine).join("\n"));
  console.log(`\n${sizes.map(sizeLine).join("\n")}`);
}

function figureLine({ name, timesBaseline, timesInflating, bestOverMedian, ...figure }: Figure): string {
  const columns = [
    amount(figure.filesPerSecond, "files/s"),
    amount(figure.recordsPerSecond, "records/s"),
    amount(figure.megabytesPerSecond, "MB/s"),
  ];
  const notes = [
    ...(timesBaseline === undefined ? [] : [`${timesBaseline.toFixed(1)} × the baseline`]),
    ...(timesInflating === undefined ? [] : [`${timesInflating.toFixed(2)} × the time of pako`]),
    ...(bestOverMedian === undefined ? [] : [`best round ${bestOverMedian.toFixed(2)} ×`]),
  ];
  return `${name.padEnd(42)} ${columns.join(" ")}  ${notes.join(", ")}`;
}

function amount(perSecond: number | undefined, unit: string): string {
  const text = perSecond === undefined ? "" : `${Math.round(perSecond).toLocaleString("en-US")} ${unit}`;
  return text.padStart(19);
}

function sizeLine({ records, microsecondsPerRecord, liveBytes, residentBytes }: SizeFigure): string {
  const cost = `${microsecondsPerRecord.toFixed(2)} µs a record`;
  const memory = [`live +${megabytes(liveBytes)} MB`, `resident +${megabytes(residentBytes)} MB at most`];
  return `${records.toLocaleString("en-US").padStart(9)} records: ${[cost, ...memory].join(", ")}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
