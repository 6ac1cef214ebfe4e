/** The trend on the operations page: what Analytics Engine adds where it is configured, and that nothing else needs it. */
import { createServer } from "node:http";
import { expect, it, onTestFinished } from "vitest";
import { DASHBOARD_LIMITS } from "../../shared/limits.ts";
import { eventRow, startTestEngine } from "../support/local-engine.ts";
import { listenLocally } from "../support/ports.ts";
import { TODAY } from "../support/today.ts";
import { API_TOKEN, type Dashboard, startDashboard } from "./harness.ts";

const DAY = new Date((TODAY - 1) * 86_400_000).toISOString().slice(0, 10);
const LEDGER = "Outcomes by day";
const TREND = "Trend of outcomes by day";

async function start(vars: Record<string, string>): Promise<Dashboard> {
  const dashboard = await startDashboard({ vars: { API_TOKEN, ...vars } });
  onTestFinished(() => dashboard.close());
  return dashboard;
}

async function read(dashboard: Dashboard, path: string): Promise<string> {
  const answer = await dashboard.ask(path, { headers: { accept: "text/html" } });
  expect(answer.status).toBe(200);
  return (await answer.text()).replaceAll(/\s+/g, " ");
}

it("the trend comes from the points, below the ledger's figures, and can be exported", async () => {
  const engine = await startTestEngine();
  onTestFinished(() => engine.stop());
  const at = { processedSeconds: (TODAY - 1) * 86_400 + 60 };
  await engine.write("events", [
    eventRow({ ...at, eventId: "a", latencySeconds: 2 }),
    eventRow({ ...at, eventId: "a", latencySeconds: 2 }),
    eventRow({ ...at, eventId: "b", latencySeconds: 4 }),
    eventRow({ ...at, eventId: "c", latencySeconds: 300 }),
    eventRow({ ...at, eventId: "c", outcome: "slice" }),
    // It was one, though it is none any more.
    eventRow({ ...at, eventId: "d", outcome: "dead_letter" }),
    eventRow({ ...at, eventId: "d", outcome: "cleared", generation: 2 }),
  ]);
  const dashboard = await start(engine.variables);
  const page = await read(dashboard, "/operations?days=7");
  expect(page.indexOf(LEDGER)).toBeGreaterThan(0);
  expect(page.indexOf(TREND)).toBeGreaterThan(page.indexOf(LEDGER));
  const rows = async (table: string): Promise<Record<string, unknown>[]> =>
    JSON.parse(await read(dashboard, `/operations?days=7&export=json&table=${table}`));
  expect(await rows("trend")).toEqual(
    expect.arrayContaining([
      { day: DAY, outcome: "accepted", events: 3 },
      { day: DAY, outcome: "cleared", events: 1 },
      { day: DAY, outcome: "dead_letter", events: 1 },
    ]),
  );
  expect(await rows("trend")).toHaveLength(3);
  expect(await rows("trend-latency")).toEqual([{ day: DAY, median_seconds: 4, p95_seconds: 300, max_seconds: 300 }]);
  expect(await rows("outcomes")).toEqual([]);
});

it("without a token only the trend is missing", async () => {
  const page = await read(await start({ ANALYTICS_ACCOUNT_ID: "a", ANALYTICS_API_TOKEN: "" }), "/operations");
  expect(page).toContain("ANALYTICS_API_TOKEN is not set, so the trend");
  expect(page).toContain("Everything else on this page");
  expect(page).toContain(LEDGER);
  expect(page).not.toContain(TREND);
});

it("without an answer of the engine only the trend is missing", async () => {
  const silent = createServer(() => undefined);
  const port = await listenLocally(silent);
  onTestFinished(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const dashboard = await start({
    ANALYTICS_SQL_URL: `http://127.0.0.1:${port}`,
    ANALYTICS_ACCOUNT_ID: "a",
    ANALYTICS_API_TOKEN: "t",
  });
  const before = performance.now();
  const page = await read(dashboard, "/operations");
  expect(performance.now() - before).toBeGreaterThan(DASHBOARD_LIMITS.engineTimeoutMs - 100);
  expect(page).toContain("Analytics Engine does not answer, so the trend");
  expect(page).toContain(LEDGER);
});
