/** Tags of domains and groups of accounts, on the simulated platform: added once, bounded, of known domains only, accounts apart. */
import { beforeEach, expect, it } from "vitest";
import { validate } from "../../shared/contract/operation.ts";
import { OPERATIONS } from "../../shared/contract/operations.ts";
import { auditQuery } from "../../shared/ledger/audit.ts";
import { ask } from "../../shared/ledger/database.ts";
import { groupedAccountsQuery, tagCountsQuery, taggedDomainsQuery } from "../../shared/ledger/tags.ts";
import { TAG_LIMITS } from "../../shared/limits.ts";
import { OPERATOR } from "../../shared/people.ts";
import { audited } from "../../workers/process/operations/audit.ts";
import { setAccountGroup, tagDomains } from "../../workers/process/operations/tags.ts";
import { Simulation } from "../support/simulation/simulation.ts";
import { STATE_DOMAINS, seedVerdicts } from "../support/verdict-domains.ts";

const { ready, notYet } = STATE_DOMAINS;
let simulation: Simulation;

beforeEach(async () => {
  simulation = new Simulation();
  simulation.register("rua@acme.test", { account: "acme" });
  const { nowSeconds } = simulation.invocation();
  await seedVerdicts(simulation.ledger, Math.floor(nowSeconds / 86_400), nowSeconds);
});

async function tagged(): Promise<[string, string[]][]> {
  const rows = await ask(simulation.ledger, taggedDomainsQuery(["acme"]));
  return rows.map(({ domain, tags }) => [domain, tags.toSorted()]);
}

it("tags are added to domains and removed, each once", async () => {
  const input = { account: "acme", domains: [ready, notYet], add: ["shop", "eu"] };
  const done = await tagDomains(input, simulation.invocation());
  expect(done).toMatchObject({ ok: true, value: { items: [{ domain: ready, tags: ["eu", "shop"] }, {}] } });
  await tagDomains(input, simulation.invocation());
  await tagDomains({ account: "acme", domains: [notYet], remove: ["eu", "never"] }, simulation.invocation());
  expect(await tagged()).toEqual([
    [notYet, ["shop"]],
    [ready, ["eu", "shop"]],
  ]);
  expect(await ask(simulation.ledger, tagCountsQuery(["acme"]))).toEqual([
    { tag: "eu", domains: 1 },
    { tag: "shop", domains: 2 },
  ]);
  expect(await ask(simulation.ledger, taggedDomainsQuery(["acme"], "eu"))).toHaveLength(1);
  expect(await ask(simulation.ledger, taggedDomainsQuery(["globex"]))).toEqual([]);
});

it("a domain of another account, or with too many tags, is left out with a reason", async () => {
  const many = Array.from({ length: TAG_LIMITS.perDomain }, (_, i) => `tag ${i}`);
  await tagDomains({ account: "acme", domains: [ready], add: many }, simulation.invocation());
  const done = await tagDomains(
    { account: "acme", domains: [ready, notYet, "other.example"], add: ["one more"] },
    simulation.invocation(),
  );
  if (!done.ok) throw new Error(done.error.message);
  expect(done.value.items.map(({ problem }) => problem)).toEqual([
    `${ready} would have more than ${TAG_LIMITS.perDomain} tags.`,
    undefined,
    "Account acme has no domain other.example.",
  ]);
  expect((await tagged()).map(([, tags]) => tags.length)).toEqual([1, TAG_LIMITS.perDomain]);
});

it.each([
  ["", "is empty"],
  ["x".repeat(TAG_LIMITS.chars + 1), "at most"],
  ["<b>", "letters"],
])("the tag %o is refused", (text, why) => {
  const read = validate(OPERATIONS.tagDomains.input, { account: "acme", domains: ["a.example"], add: [text] });
  expect(read.ok ? "" : read.error.message).toContain(why);
});

it("the number of domains per call is limited", () => {
  const domains = Array.from({ length: TAG_LIMITS.domainsAtOnce + 1 }, (_, i) => `d${i}.example`);
  expect(validate(OPERATIONS.tagDomains.input, { account: "acme", domains, add: ["a"] }).ok).toBe(false);
});

it("tags are read in lower case with single spaces", () => {
  const read = validate(OPERATIONS.tagDomains.input, {
    account: "acme",
    domains: ["a.example"],
    add: ["  Key   Account "],
  });
  expect(read).toMatchObject({ ok: true, value: { add: ["key account"] } });
});

it("an account is put into a group and taken out, and an unknown one is refused", async () => {
  const groups = () => ask(simulation.ledger, groupedAccountsQuery(undefined));
  expect(await setAccountGroup({ account: "acme", group: "north" }, simulation.invocation())).toMatchObject({
    ok: true,
  });
  expect(await groups()).toEqual([{ account: "acme", group: "north" }]);
  expect(await ask(simulation.ledger, groupedAccountsQuery(["globex"]))).toEqual([]);
  await setAccountGroup({ account: "acme", group: "" }, simulation.invocation());
  expect(await groups()).toEqual([]);
  expect(await setAccountGroup({ account: "nobody", group: "north" }, simulation.invocation())).toMatchObject({
    ok: false,
    error: { code: "not_found" },
  });
});

it("the audit log has the tags and the group before and after", async () => {
  const invocation = simulation.invocation();
  const caller = { name: "olga@example.net", authority: OPERATOR };
  const tags = { account: "acme", domains: [ready, notYet], add: ["shop"] };
  await tagDomains({ account: "acme", domains: [ready], add: ["eu"] }, invocation);
  await audited({ name: "tagDomains", input: tags, caller, invocation }, () => tagDomains(tags, invocation));
  const group = { account: "acme", group: "north" };
  await audited({ name: "setAccountGroup", input: group, caller, invocation }, () =>
    setAccountGroup(group, invocation),
  );
  const entries = await ask(simulation.ledger, auditQuery({}, { limit: 10 }));
  expect(entries.map(({ operation, before, after }) => ({ operation, before, after }))).toEqual([
    { operation: "setAccountGroup", before: { group: "" }, after: { group: "north" } },
    {
      operation: "tagDomains",
      before: expect.arrayContaining([
        { domain: ready, tags: ["eu"] },
        { domain: notYet, tags: [] },
      ]),
      after: expect.arrayContaining([
        { domain: ready, tags: ["eu", "shop"] },
        { domain: notYet, tags: ["shop"] },
      ]),
    },
  ]);
});
