/** The stand-in's binding in workerd: points written side by side travel together, and each caller learns the truth. */
import { createServer, type Server } from "node:http";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createTestHarness, type TestHarness } from "wrangler";
import { localWorker } from "../support/local-workers.ts";
import { listenLocally } from "../support/ports.ts";

interface Body {
  dataset: string;
  points: { index: string }[];
}

let requests: Body[] = [];
/** Answers of the engine, in order; 200 when there is none left. */
let statuses: number[] = [];
let engine: Server;
let server: TestHarness;

beforeAll(async () => {
  engine = createServer((request, response) => {
    text(request).then((body) => {
      const status = statuses.shift() ?? 200;
      if (status === 200) requests.push(JSON.parse(body));
      response.writeHead(status).end(status === 200 ? "stored" : "disk full");
    });
  });
  const port = await listenLocally(engine);
  const vars = { LOCAL_ANALYTICS_URL: `http://127.0.0.1:${port}`, LOCAL_ANALYTICS_TOKEN: "t" };
  const root = resolve(import.meta.dirname, "../..");
  server = createTestHarness({
    root,
    workers: [
      {
        config: {
          name: "caller",
          main: resolve(import.meta.dirname, "dataset-caller.js"),
          compatibility_date: "2026-11-01",
          services: [
            {
              binding: "DATASET",
              service: "dmarc-analytics",
              entrypoint: "Dataset",
              props: { dataset: "dmarc_records" },
            },
          ],
        },
      },
      localWorker("analytics", { vars }),
    ],
  });
  await server.listen();
});

afterAll(async () => {
  await server.close();
  await new Promise((closed) => engine.close(closed));
});

beforeEach(() => {
  requests = [];
  statuses = [];
});

async function writePoints(from: number, count: number, together = false): Promise<string[]> {
  const body = JSON.stringify({ from, count, together });
  const answer = await server.getWorker("caller").fetch("http://caller.example/", { method: "POST", body });
  return JSON.parse(await answer.text());
}

function storedIndexes(): number[] {
  return requests.flatMap(({ points }) => points.map(({ index }) => Number(index))).sort((a, b) => a - b);
}

it("points of one invocation are sent in few requests, each point once", async () => {
  expect(await writePoints(0, 240)).toEqual(Array.from({ length: 240 }, () => "stored"));
  expect(storedIndexes()).toEqual(Array.from({ length: 240 }, (_, i) => i));
  expect(requests.length).toBeLessThan(40);
  expect(new Set(requests.map(({ dataset }) => dataset))).toEqual(new Set(["dmarc_records"]));
});

it("points of concurrent invocations are stored for both", async () => {
  const answers = await Promise.all([writePoints(0, 100), writePoints(100, 100), writePoints(200, 100)]);
  expect(answers.flat()).toEqual(Array.from({ length: 300 }, () => "stored"));
  expect(storedIndexes()).toEqual(Array.from({ length: 300 }, (_, i) => i));
});

it("an error reaches every caller of its batch and no other", async () => {
  statuses = [500];
  const answers = await writePoints(0, 240);
  const stored = answers.flatMap((answer, index) => (answer === "stored" ? [index] : []));
  expect(storedIndexes()).toEqual(stored);
  const errors = answers.filter((answer) => answer !== "stored");
  expect(errors.length).toBeGreaterThan(0);
  expect(new Set(errors)).toEqual(new Set(["Error: The local Analytics Engine answered 500: disk full"]));
  expect(await writePoints(240, 10)).toEqual(Array.from({ length: 10 }, () => "stored"));
});

it("each point gets its true outcome when some batches of concurrent invocations fail", async () => {
  const invocations = 12;
  for (let round = 0; round < 5; round++) {
    requests = [];
    statuses = [200, 500, 200, 200, 500];
    const starts = Array.from({ length: invocations }, (_, i) => i * 100);
    const answers = (await Promise.all(starts.map((from) => writePoints(from, 100)))).flat();
    const stored = answers.flatMap((answer, index) => (answer === "stored" ? [index] : []));
    expect(storedIndexes()).toEqual(stored);
    const errors = new Set(answers.filter((answer) => answer !== "stored"));
    expect([...errors]).toEqual(errors.size === 0 ? [] : ["Error: The local Analytics Engine answered 500: disk full"]);
  }
});

it("points written in one call are sent in one request, and each refused one is named", async () => {
  const answers = await writePoints(0, 240, true);
  expect(requests).toHaveLength(1);
  expect(storedIndexes()).toEqual(Array.from({ length: 240 }, (_, i) => i).filter((i) => i !== 1));
  expect(answers[1]).toBe("writeDataPoint(): Size of indexes[0] exceeds 96 bytes).");
  expect(answers.filter((answer) => answer === "stored")).toHaveLength(239);
});

it("points written in one call all get the engine's error", async () => {
  statuses = [500];
  const answers = await writePoints(0, 10, true);
  expect(new Set(answers)).toEqual(new Set(["Error: The local Analytics Engine answered 500: disk full"]));
});
