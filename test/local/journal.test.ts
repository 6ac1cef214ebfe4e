/** Points that were taken and are not in the engine yet: none is lost by a fault or a crash. */
import { appendFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { Journal, type Store } from "../../local/analytics/journal.ts";
import type { CheckedPoint } from "../../local/worker/point.ts";
import { testFolder } from "./support.ts";

let folder: string;
let stored: { dataset: string; indexes: string[]; seconds: number }[];
let fault: Error | undefined;

const store: Store = async (dataset, points, seconds) => {
  if (fault !== undefined) throw fault;
  stored.push({ dataset, indexes: points.map(({ index }) => index), seconds });
};

beforeEach(() => {
  folder = join(testFolder(), "journal");
  stored = [];
  fault = undefined;
});

function point(index: string): CheckedPoint {
  return { index, blobs: ['a\n"b"', "ü"], doubles: [1, -0.5] };
}

it("writes within one second become one insert per dataset and leave no file", async () => {
  const journal = await Journal.open(folder, store);
  journal.take("records", [point("a"), point("b")], 100.2);
  journal.take("events", [point("e")], 100.5);
  journal.take("records", [point("c")], 100.9);
  journal.take("records", [point("d")], 101);
  await journal.flush();
  expect(stored).toEqual([
    { dataset: "records", indexes: ["a", "b", "c"], seconds: 100 },
    { dataset: "events", indexes: ["e"], seconds: 100 },
    { dataset: "records", indexes: ["d"], seconds: 101 },
  ]);
  expect(readdirSync(folder)).toEqual([]);
});

it("points are inserted even if nobody queries them", async () => {
  const journal = await Journal.open(folder, store);
  journal.take("records", [point("a")], 1);
  await expect.poll(() => stored.length, { timeout: 120_000 }).toBe(1);
});

it("a failed insert is logged and repeated with the next one", async () => {
  const journal = await Journal.open(folder, store);
  journal.take("records", [point("a")], 1);
  fault = new Error("disk full");
  await expect(journal.flush()).rejects.toThrow("disk full");
  journal.take("records", [point("b")], 1);
  fault = undefined;
  await journal.flush();
  expect(stored).toEqual([{ dataset: "records", indexes: ["a", "b"], seconds: 1 }]);
  expect(readdirSync(folder)).toEqual([]);
});

it("what one process left is stored by the next, except an incomplete last line", async () => {
  const journal = await Journal.open(folder, store);
  journal.take("records", [point("a")], 1);
  journal.take("records", [point("b")], 2);
  fault = new Error("killed");
  await expect(journal.flush()).rejects.toThrow("killed");
  journal.take("records", [point("c")], 3);
  const last = readdirSync(folder).sort().at(-1) ?? "";
  appendFileSync(join(folder, last), '{"dataset":"records","seconds":4,"poi');
  fault = undefined;
  const next = await Journal.open(folder, store);
  expect(stored.map(({ indexes, seconds }) => [indexes, seconds])).toEqual([
    [["a"], 1],
    [["b"], 2],
    [["c"], 3],
  ]);
  next.take("records", [point("d")], 5);
  await next.flush();
  expect(stored.at(-1)).toMatchObject({ indexes: ["d"], seconds: 5 });
});
