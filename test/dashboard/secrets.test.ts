/**
 * Secrets of channels, targets and tokens, however they are typed, valid or not: no page, no answer of the API but the one that makes
 * it, no audit entry and no export of an account has one. Other forms as of any property (support/properties.ts).
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { TARGET_KINDS } from "../../shared/forward/target.ts";
import { CHANNEL_KINDS } from "../../shared/notify/channel.ts";
import fc from "../support/properties.ts";
import { type Pipeline, startPipeline } from "./pipeline.ts";

/** Stands in every secret that is typed. */
const SECRET = "qzsecret";
const CONFIGURATIONS = 20 * fc.TIMES;

const url = fc
  .tuple(
    fc.constantFrom(
      "https://",
      "http://",
      "HTTPS://",
      "",
      "htps://",
      "//",
      " https://",
      "https:/",
      "https://me:qzsecret@",
    ),
    fc.constantFrom("hooks.slack.example", "hooks.slack.test", "192.0.2.1", "h ooks", "[::1]", ""),
    fc.constantFrom(
      `/services/T0/B0/${SECRET}`,
      `/?sig=${SECRET}`,
      `?sig=${SECRET}`,
      `#${SECRET}`,
      `/${SECRET}@x.example`,
    ),
  )
  .map((parts) => parts.join(""));
const channel = fc.record({
  kind: fc.constantFrom(...CHANNEL_KINDS),
  name: fc.constant("a channel"),
  target: url,
  sendsNotices: fc.boolean(),
  digest: fc.constantFrom("none" as const, "daily" as const),
  timeZone: fc.constant("UTC"),
});
const target = fc.record({
  kind: fc.constantFrom(...TARGET_KINDS),
  name: fc.constant("a target"),
  url,
  secret: fc.constantFrom("", SECRET, ` ${SECRET} `),
  region: fc.constantFrom("", "auto"),
  accessKeyId: fc.constantFrom("", "AKIA"),
  withRecords: fc.boolean(),
});

const RIGHT_URL = `https://hooks.slack.example/services/${SECRET}`;
const RIGHT_CHANNEL = {
  kind: "webhook" as const,
  name: "a webhook",
  target: RIGHT_URL,
  sendsNotices: true,
  digest: "none" as const,
  timeZone: "UTC",
};
const RIGHT_TARGET = {
  kind: "http" as const,
  name: "an endpoint",
  url: RIGHT_URL,
  secret: "",
  region: "",
  accessKeyId: "",
  withRecords: false,
};

let pipeline: Pipeline;
/** What was answered once, to whoever made it. */
const made: string[] = [];

beforeAll(async () => {
  pipeline = await startPipeline();
  await pipeline.ask("/registry/rua@acme.example", "PUT", { account: "acme", domains: ["acme.example"] });
  const { client } = pipeline;
  for (const settings of [RIGHT_CHANNEL, ...fc.sample(channel, CONFIGURATIONS)]) {
    const answer = await client.ask("addChannel", { account: "acme", ...settings });
    if (answer.ok && answer.value.secret !== "") made.push(answer.value.secret);
    if (answer.ok) await client.ask("testChannel", { account: "acme", id: answer.value.id });
    if (answer.ok && made.length > 2) await client.ask("removeChannel", { account: "acme", id: answer.value.id });
  }
  for (const settings of [RIGHT_TARGET, ...fc.sample(target, CONFIGURATIONS)]) {
    const answer = await client.ask("addForward", { account: "acme", ...settings });
    if (answer.ok && answer.value.secret !== "") made.push(answer.value.secret);
  }
  const token = await client.ask("createToken", { account: "acme", name: "a token", scope: "read" });
  if (token.ok) made.push(token.value.secret);
}, 300_000);

afterAll(() => pipeline.close());

it("something was made, and something was refused", async () => {
  expect(new Set(made).size).toBeGreaterThan(2);
  const { items } = await pipeline.ask<{ items: { outcome: string }[] }>("/audit?limit=100");
  expect(new Set(items.map(({ outcome }) => outcome))).toEqual(new Set(["done", "refused"]));
});

it.each(["/audit?limit=100", "/channels", "/deliveries", "/forwards", "/tokens", "/accounts/acme/export"])(
  "the API's %s has none",
  async (path) => {
    const text = JSON.stringify(await pipeline.ask(path));
    expect(text.match(new RegExp(`.{0,120}(?:${[SECRET, ...made].join("|")})`, "g")) ?? []).toEqual([]);
  },
);

it.each([
  "/audit",
  "/channels",
  "/operations/forwarding",
  "/tokens",
  "/accounts/acme",
  "/audit?export=csv&table=entries",
])("the page %s has none", async (path) => {
  const { status, text } = await pipeline.page(path);
  expect(status).toBe(200);
  expect(text.match(new RegExp(`.{0,120}(?:${[SECRET, ...made].join("|")})`, "g")) ?? []).toEqual([]);
});
