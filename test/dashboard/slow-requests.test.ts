/** Strangers who send a form slowly: everybody else gets answers meanwhile. */
import { type ClientRequest, request } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DASHBOARD_LIMITS } from "../../shared/limits.ts";
import { API_TOKEN, type Dashboard, startDashboard } from "./harness.ts";

let dashboard: Dashboard;
const slow: ClientRequest[] = [];

beforeAll(async () => {
  dashboard = await startDashboard({ vars: { API_TOKEN } });
}, 180_000);

afterAll(async () => {
  for (const one of slow) one.destroy();
  await dashboard.close();
});

/** Begins a form whose end does not come. */
function begin(headers: Record<string, string>): Promise<void> {
  const type = { "content-type": "application/x-www-form-urlencoded" };
  const sent = request(`${dashboard.url}/confirm`, { method: "POST", headers: { ...type, ...headers } });
  sent.on("error", () => undefined);
  slow.push(sent);
  return new Promise((resolve) => sent.write("account=acme&id=", () => resolve()));
}

it.each([
  ["of a known length", { "content-length": "4000" }],
  ["in chunks", { "transfer-encoding": "chunked" }],
])("a form %s that strangers send slowly takes nobody's place", async (_, headers) => {
  const statuses: number[] = [];
  for (let i = 0; i < DASHBOARD_LIMITS.maxRequests + 3; i++) {
    await begin(headers);
    const answer = await fetch(`${dashboard.url}/api/v1/stats`, { headers: { authorization: `Bearer ${API_TOKEN}` } });
    await answer.body?.cancel();
    statuses.push(answer.status);
  }
  expect(new Set(statuses)).toEqual(new Set([200]));
});

it("such a form that is complete is answered, and a large one refused", async () => {
  const send = async (body: string): Promise<number> =>
    (await dashboard.ask("/confirm", { method: "POST", body }, null)).status;
  const link = `account=acme&id=${"0".repeat(16)}&until=1&signature=${"0".repeat(64)}`;
  expect(await send("account=acme")).toBe(404);
  // It reaches process, whose stand-in here knows no links.
  expect(await send(link)).toBe(502);
  expect(await send(`${link}&more=${"x".repeat(5000)}`)).toBe(404);
});
