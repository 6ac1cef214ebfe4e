/** MTA-STS policies switched on, changed and off: whose domains, which id, who did it, and mail that would be refused. */
import { beforeEach, expect, it } from "vitest";
import type { Resolver } from "../../shared/dns/resolver.ts";
import { checkDomain } from "../../shared/guidance/domain-check.ts";
import { storedCheckOf } from "../../shared/guidance/stored-check.ts";
import { ask, change } from "../../shared/ledger/database.ts";
import { keepCheck } from "../../shared/ledger/domain-checks.ts";
import { hostedPolicyQuery, policyChangesQuery } from "../../shared/ledger/mta-sts-policies.ts";
import { authorityOf } from "../../shared/people.ts";
import { type AskedPolicy, removeMtaSts, setMtaSts } from "../../workers/process/operations/host-mta-sts.ts";
import { Simulation } from "../support/simulation/simulation.ts";

const NAME = { account: "acme", domain: "acme.test" };
const TESTING: AskedPolicy = { mode: "testing", mx: ["MX.acme.test"], maxAgeSeconds: 604_800 };
let simulation: Simulation;

beforeEach(() => {
  simulation = new Simulation();
  simulation.register("rua@acme.test", { account: "acme", domains: ["acme.test"] });
  simulation.register("rua@beta.test", { account: "beta", domains: ["beta.test"] });
  simulation.register("any@gamma.test", { account: "gamma" });
});

function set(policy: AskedPolicy = TESTING, name = NAME, role: "administrator" | "operator" = "operator") {
  const authority = authorityOf({ role, accounts: ["acme"] });
  return setMtaSts(name, policy, {
    caller: { name: `${role}@acme.test`, authority },
    invocation: simulation.invocation(),
  });
}

function remove(name = NAME) {
  return removeMtaSts(name, { by: "operator@acme.test", invocation: simulation.invocation() });
}

async function held(domain = NAME.domain) {
  const [found] = await ask(simulation.ledger, hostedPolicyQuery(domain));
  return found;
}

/** Keeps a check of the domain that found these records, and no others. */
async function checked(records: Record<string, string[]>): Promise<void> {
  const { ledger, nowSeconds } = simulation.invocation();
  const resolver: Resolver = {
    async lookup(name, type) {
      const found = records[`${type} ${name}`];
      return found === undefined ? { status: "nxdomain" } : { status: "answers", records: found };
    },
  };
  const fetchPolicy = async () => ({ problem: "none", isUnanswered: false });
  const check = storedCheckOf(await checkDomain(NAME.domain, { resolver, fetchPolicy, selectors: [] }));
  await change(ledger, keepCheck({ ...NAME, checkedSeconds: nowSeconds, check }, []));
}

it("an administrator can change it once the domain's DMARC record names an address of the account", async () => {
  const refused = {
    error: { code: "bad_request", message: expect.stringContaining("names no address of the account") },
  };
  expect(await set(TESTING, NAME, "administrator")).toMatchObject(refused);
  await checked({ "TXT _dmarc.acme.test": ["v=DMARC1; p=none; rua=mailto:rua@beta.test"] });
  expect(await set(TESTING, NAME, "administrator")).toMatchObject(refused);
  await checked({ "TXT _dmarc.acme.test": ["v=DMARC1; p=none; rua=mailto:x@other.test,mailto:RUA+a@acme.test"] });
  expect(await set(TESTING, NAME, "administrator")).toMatchObject({
    ok: true,
    value: { changedBy: "administrator@acme.test" },
  });
});

it("the policy is kept with who and when, and gets a new id only if it changes", async () => {
  const first = await set();
  expect(first).toMatchObject({
    ok: true,
    value: {
      policy: { mode: "testing", mx: ["mx.acme.test"], maxAgeSeconds: 604_800 },
      changedBy: "operator@acme.test",
      record: { name: "_mta-sts.acme.test", type: "TXT", value: expect.stringMatching(/^v=STSv1; id=\d{14};$/) },
    },
  });
  simulation.clock.nowMilliseconds += 60_000;
  expect(await set({ ...TESTING, mx: ["mx.acme.test."] })).toEqual(first);
  // Within the same second as the change after it.
  const second = await set({ ...TESTING, mode: "enforce" });
  const third = await set(TESTING);
  const ids = [first, second, third].map((answer) => (answer.ok ? answer.value.id : ""));
  expect(new Set(ids).size).toBe(3);
  const changes = await ask(simulation.ledger, policyChangesQuery("acme.test", "acme", 10));
  expect(changes.map(({ policy, changedBy }) => [policy?.mode, changedBy])).toEqual([
    ["testing", "operator@acme.test"],
    ["enforce", "operator@acme.test"],
    ["testing", "operator@acme.test"],
  ]);
});

it("turning it off says how long senders remember the policy and records who did it", async () => {
  const message = "No policy of the account acme is served for acme.test.";
  expect(await remove()).toEqual({ ok: false, error: { code: "not_found", message } });
  await set();
  expect(await remove({ ...NAME, account: "beta" })).toMatchObject({ ok: false, error: { code: "not_found" } });
  expect(await remove()).toEqual({ ok: true, value: { ...NAME, rememberedSeconds: 604_800 } });
  expect(await held()).toMatchObject({ policy: null, changedBy: "operator@acme.test" });
  expect(await remove()).toMatchObject({ ok: false, error: { code: "not_found" } });
  await set({ mode: "none", mx: [], maxAgeSeconds: 86_400 });
  expect(await remove()).toMatchObject({ value: { rememberedSeconds: 0 } });
});

it("only domains that the account has registered, and their subdomains, are accepted", async () => {
  expect(await set(TESTING, { account: "acme", domain: "beta.test" })).toMatchObject({
    error: { code: "bad_request" },
  });
  // An address for any domain registers none.
  expect(await set(TESTING, { account: "gamma", domain: "acme.test" })).toMatchObject({ ok: false });
  expect(await set(TESTING, { account: "acme", domain: "xacme.test" })).toMatchObject({ ok: false });
  expect(await set(TESTING, { account: "acme", domain: "mail.acme.test" })).toMatchObject({ ok: true });
});

it("it ends when the address is removed, and only then may another account take the domain", async () => {
  await set();
  expect(await held()).toMatchObject({ isRegistered: true });
  simulation.register("rua2@beta.test", { account: "beta", domains: ["acme.test"] });
  const beta = { ...NAME, account: "beta" };
  expect(await set(TESTING, beta)).toMatchObject({ error: { message: expect.stringContaining("another account") } });
  await change(simulation.ledger, [
    { sql: "UPDATE addresses SET removed = 1 WHERE rua = 'rua@acme.test'", parameters: [] },
  ]);
  expect(await held()).toMatchObject({ isRegistered: false });
  expect(await set(TESTING, beta)).toMatchObject({ ok: true });
  expect(await held()).toMatchObject({ account: "beta", isRegistered: true });
});

it("enforcing a policy that misses a mail host has to be confirmed", async () => {
  await checked({ "MX acme.test": ["10 mx.acme.test.", "20 backup.other.test."] });
  const enforce: AskedPolicy = { ...TESTING, mode: "enforce" };
  expect(await set()).toMatchObject({ ok: true });
  expect(await set(enforce)).toMatchObject({ error: { message: expect.stringContaining("backup.other.test") } });
  expect(await held()).toMatchObject({ policy: { mode: "testing" } });
  expect(await set({ ...enforce, mx: ["mx.acme.test", "*.other.test"] })).toMatchObject({ ok: true });
  expect(await set({ ...enforce, force: true })).toMatchObject({ ok: true });
});

it("an invalid policy is refused", async () => {
  for (const wrong of [{ mx: [] }, { mx: ["mx.*.test"] }, { maxAgeSeconds: 60 }, { maxAgeSeconds: 31_557_601 }])
    expect(await set({ ...TESTING, ...wrong })).toMatchObject({ error: { code: "bad_request" } });
  expect(await held()).toBeUndefined();
});
