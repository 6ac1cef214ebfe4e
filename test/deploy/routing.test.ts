import { afterEach, expect, test } from "vitest";
import { removeRouting, routingStep, ruleStep } from "../../deploy/routing.ts";
import type { GivenSettings } from "../../deploy/settings.ts";
import { startDeployment, type TestDeployment } from "./deployment.ts";

let here: TestDeployment;
afterEach(() => here.close());

async function withIngest(given: GivenSettings, zones = ["example.com"]): Promise<ReturnType<TestDeployment["begin"]>> {
  here = await startDeployment({ zones });
  const deployment = here.begin(given);
  await deployment.api.uploadProbe(deployment.accountId, deployment.names.workers.ingest);
  return deployment;
}

test("all mail of a zone goes to ingest by its one catch-all rule, which is off again after destroy", async () => {
  const deployment = await withIngest({ rua: "dmarc@example.com", routing: "catch-all" });
  expect(await ruleStep.look(deployment)).toMatchObject({ ok: true, value: { isThere: false } });
  expect(await ruleStep.make(deployment)).toMatchObject({ ok: true });
  const [zone] = here.cloudflare.zones;
  expect(zone?.catchAll).toMatchObject({ enabled: true, actions: [{ type: "worker", value: ["dmarc-ingest"] }] });
  expect(await ruleStep.look(deployment)).toMatchObject({ ok: true, value: { isThere: true } });
  expect(await removeRouting(deployment)).toMatchObject({ ok: true });
  expect(zone?.catchAll).toMatchObject({ enabled: false, actions: [{ type: "drop" }] });
});

test("sub-addresses are switched on, and one rule takes them all", async () => {
  const deployment = await withIngest({ rua: "dmarc@rua.example.com", routing: "subaddresses" });
  expect(await routingStep.look(deployment)).toMatchObject({ ok: true, value: { isThere: false } });
  expect(await routingStep.make(deployment)).toMatchObject({ ok: true });
  expect(await routingStep.look(deployment)).toMatchObject({ ok: true, value: { isThere: true } });
  expect(await ruleStep.make(deployment)).toMatchObject({ ok: true });
  expect(here.cloudflare.zones[0]?.rules).toMatchObject([{ matchers: [{ value: "dmarc@rua.example.com" }] }]);
});

test("a host below the zone without MX records is found out, and gets its own; the zone's stay another service's", async () => {
  const given = { rua: "dmarc@reports.example.com" };
  const deployment = await withIngest(given);
  const [zone] = here.cloudflare.zones;
  zone?.unrouted.add("reports.example.com");
  for (const enabled of [true, false]) {
    if (zone !== undefined) zone.routing.enabled = enabled;
    const refused = await routingStep.look(deployment);
    expect(refused).toMatchObject({
      ok: false,
      error: expect.stringMatching(/^reports\.example\.com has no MX records/),
    });
    expect(refused).toMatchObject({
      error: expect.stringContaining("The MX records of example.com stay as they are."),
    });
  }
  const enabling = here.begin({ ...given, enableRouting: true });
  expect(await routingStep.look(enabling)).toMatchObject({ ok: true, value: { isThere: false } });
  expect(await routingStep.make(enabling)).toEqual({
    ok: true,
    value: "switched on Email Routing for reports.example.com",
  });
  expect(await routingStep.look(deployment)).toMatchObject({ ok: true, value: { isThere: true } });
  expect(here.cloudflare.asked.filter((asked) => asked.includes("/email/routing/enable"))).toEqual([]);
  // A token that may not look at them.
  zone?.unrouted.add("reports.example.com");
  here.cloudflare.fault = (asked) =>
    asked.endsWith("/email/routing/dns") ? { status: 403, code: 10000, message: "Authentication error" } : undefined;
  expect(await routingStep.look(deployment)).toMatchObject({ ok: true, value: { isThere: true } });
});

test("a rule that hands the mail to somebody else is left alone, and one that is off is taken over", async () => {
  const deployment = await withIngest({ rua: "dmarc@example.com" });
  const [zone] = here.cloudflare.zones;
  const matchers = [{ type: "literal", field: "to", value: "dmarc@example.com" }];
  zone?.rules.push({
    id: "0".repeat(32),
    enabled: true,
    matchers,
    actions: [{ type: "forward", value: ["ann@example.net"] }],
  });
  const look = await ruleStep.look(deployment);
  expect(look).toMatchObject({ ok: false, error: expect.stringContaining("forward ann@example.net") });
  const [rule] = zone?.rules ?? [];
  if (rule !== undefined) rule.enabled = false;
  expect(await ruleStep.look(deployment)).toMatchObject({ ok: true, value: { isThere: false } });
  expect(await ruleStep.make(deployment)).toMatchObject({ ok: true });
  expect(zone?.rules).toMatchObject([{ enabled: true, actions: [{ type: "worker" }] }]);
});

test("a catch-all rule for a host below the zone, and a host in no zone, are problems", async () => {
  const below = await withIngest({ rua: "dmarc@rua.example.com", routing: "catch-all" });
  expect(await routingStep.look(below)).toMatchObject({
    ok: false,
    error: expect.stringContaining("--routing subaddresses"),
  });
  const elsewhere = here.begin({ rua: "dmarc@example.net" });
  expect(await routingStep.look(elsewhere)).toMatchObject({
    ok: false,
    error: expect.stringContaining("in no zone of this account"),
  });
});

test("destroy finds the rules of earlier settings: made before --routing none, and for an address of another zone", async () => {
  const first = await withIngest({ rua: "dmarc@example.com" }, ["example.com", "example.net", "example.org"]);
  expect(await ruleStep.make(first)).toMatchObject({ ok: true });
  expect(await ruleStep.make(here.begin({ rua: "dmarc@example.net", routing: "catch-all" }))).toMatchObject({
    ok: true,
  });
  const [com, net, org] = here.cloudflare.zones;
  const theirs = {
    id: "0".repeat(32),
    enabled: true,
    matchers: [{ type: "literal", field: "to", value: "ann@example.com" }],
    actions: [{ type: "forward", value: ["ann@example.net"] }],
  };
  com?.rules.push(theirs);
  // As one that another machine made, of which this one has kept nothing.
  org?.rules.push({
    id: "1".repeat(32),
    enabled: true,
    matchers: [{ type: "literal", field: "to", value: "old@example.org" }],
    actions: [{ type: "worker", value: ["dmarc-ingest"] }],
  });
  const last = here.begin({ rua: "dmarc@example.org", routing: "none" });
  expect(await removeRouting(last)).toEqual({ ok: true, value: "removed the rules of Email Routing that were ours" });
  expect([com?.rules, org?.rules, net?.catchAll.enabled]).toEqual([[theirs], [], false]);
  expect(await removeRouting(last)).toEqual({ ok: true, value: "no rule of Email Routing is ours" });
});

test("destroy finds a rule that an earlier version of this tool made, once a deployment has seen it", async () => {
  const first = await withIngest({ rua: "dmarc@example.com" }, ["example.com", "example.net"]);
  const [com] = here.cloudflare.zones;
  com?.rules.push({
    id: "0".repeat(32),
    enabled: true,
    matchers: [{ type: "literal", field: "to", value: "dmarc@example.com" }],
    actions: [{ type: "worker", value: ["dmarc-ingest"] }],
  });
  expect(await ruleStep.look(first)).toMatchObject({ ok: true, value: { isThere: true } });
  const last = here.begin({ rua: "dmarc@example.net" });
  expect(await ruleStep.make(last)).toMatchObject({ ok: true });
  expect(await removeRouting(last)).toMatchObject({ ok: true });
  expect(com?.rules).toEqual([]);
});

test("destroy after --routing none for a host that Cloudflare does not know says where to look", async () => {
  const deployment = await withIngest({ rua: "dmarc@elsewhere.test", routing: "none" });
  expect(await removeRouting(deployment)).toEqual({
    ok: true,
    value: expect.stringContaining("one that hands mail to dmarc-ingest is removed at https://dash.cloudflare.com/"),
  });
  const routed = here.begin({ rua: "dmarc@elsewhere.test" });
  expect(await removeRouting(routed)).toMatchObject({ ok: false, error: expect.stringContaining("in no zone") });
});

test("destroy after --routing none needs no permission for rules where none was made from here", async () => {
  const deployment = await withIngest({ rua: "dmarc@example.com", routing: "none" });
  here.cloudflare.options.without.push("Routing");
  expect(await removeRouting(deployment)).toEqual({
    ok: true,
    value: expect.stringContaining("one that hands mail to dmarc-ingest is removed at https://dash.cloudflare.com/"),
  });
  const routed = here.begin({ rua: "dmarc@example.com" });
  expect(await removeRouting(routed)).toMatchObject({
    ok: false,
    error: expect.stringContaining("Routing Rules Edit"),
  });
});
