/** The local engine as benchmarks use it: rows written to it as points, and the CPU time it has taken. */
import { readFile } from "node:fs/promises";
import { buildPoint, DATASETS, type DatasetId, type RowInput } from "../shared/analytics/columns.ts";

/** Where an engine listens and what it lets in. */
export interface EngineConnection {
  url: string;
  token: string;
}

const BATCH = 10_000;

/** Writes rows, some thousands at once. @throws Error when the engine does not take them */
export async function writeRows<D extends DatasetId>(
  engine: EngineConnection,
  dataset: D,
  rows: Iterable<RowInput<D>>,
): Promise<void> {
  let points: object[] = [];
  for (const row of rows) {
    const { indexes, blobs, doubles } = buildPoint(dataset, row);
    points.push({ index: indexes[0] ?? "", blobs, doubles });
    if (points.length < BATCH) continue;
    await writePoints(engine, dataset, points);
    points = [];
  }
  if (points.length > 0) await writePoints(engine, dataset, points);
}

async function writePoints({ url, token }: EngineConnection, dataset: DatasetId, points: object[]): Promise<void> {
  const response = await fetch(`${url}/local/points`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ dataset: DATASETS[dataset].name, points }),
  });
  if (!response.ok) throw new Error(await response.text());
}

/** CPU time of a process so far, in milliseconds, as Linux tells it; NaN elsewhere. */
export async function processCpuMilliseconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
