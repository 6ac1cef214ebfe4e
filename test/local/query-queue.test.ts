/** The queue before the local engine, without an engine. */
import { expect, test } from "vitest";
import { QueryQueue } from "../../local/analytics/query-queue.ts";

test("the queue runs statements in order up to its limit, and continues after a failed one", async () => {
  const queue = new QueryQueue({ maxRunning: 1, maxWaiting: 2 });
  const order: number[] = [];
  const task = (place: number) => async (): Promise<number> => {
    order.push(place);
    await Promise.resolve();
    if (place === 1) throw new Error("failed");
    return place;
  };
  const runs = [1, 2, 3, 4].map((place) => queue.run(task(place)));
  expect(await Promise.allSettled(runs)).toEqual([
    { status: "rejected", reason: expect.any(Error) },
    { status: "fulfilled", value: 2 },
    { status: "fulfilled", value: 3 },
    { status: "fulfilled", value: undefined },
  ]);
  expect(order).toEqual([1, 2, 3]);
  expect(await Promise.all([5, 6, 7].map((place) => queue.run(task(place))))).toEqual([5, 6, 7]);
});
