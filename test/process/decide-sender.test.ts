/** What owners say of senders: the newest decision holds, undo puts the one before in force again, accounts are apart. */
import { beforeEach, expect, it } from "vitest";
import { ask } from "../../shared/ledger/database.ts";
import { senderDecisionsQuery, senderHistoryQuery } from "../../shared/ledger/sender-decisions.ts";
import { decideSender, undoSenderDecision } from "../../workers/process/decide-sender.ts";
import { World } from "../support/simulation/world.ts";

const HELPDESK = { account: "acme", domain: "acme.test", source: "helpdesk.test" };
let world: World;

beforeEach(() => {
  world = new World();
  world.register("rua@acme.test", { account: "acme" });
  world.register("rua@beta.test", { account: "beta" });
});

async function holding(accounts: string[]): Promise<string[]> {
  const decided = await ask(world.ledger, senderDecisionsQuery("acme.test", accounts));
  return decided.map(({ source, decision, note }) => `${source} ${decision} ${note}`.trim());
}

function decide(decision: "mine" | "notMine" | "forwarder", note = "", name = HELPDESK) {
  return decideSender(name, { decision, note, by: "owner@acme.test" }, world.invocation());
}

it("keeps each decision with who, when and why; the newest holds", async () => {
  await decide("notMine", "never heard of them");
  world.clock.nowMilliseconds += 60_000;
  await decide("mine", "the support team uses it");
  expect(await holding(["acme"])).toEqual(["helpdesk.test mine the support team uses it"]);
  const name = { domain: "acme.test", source: "helpdesk.test" };
  const history = await ask(world.ledger, senderHistoryQuery(name, ["acme"]));
  expect(history.map(({ decision, decidedBy }) => [decision, decidedBy])).toEqual([
    ["mine", "owner@acme.test"],
    ["notMine", "owner@acme.test"],
  ]);
});

it("loses none of two decisions within a second", async () => {
  await decide("mine");
  await decide("forwarder");
  expect(await holding(["acme"])).toEqual(["helpdesk.test forwarder"]);
});

it("undoes to what held before, in the end to undecided, and refuses where nothing was decided", async () => {
  await decide("mine", "ours");
  await decide("notMine");
  await undoSenderDecision(HELPDESK, "owner@acme.test", world.invocation());
  expect(await holding(["acme"])).toEqual(["helpdesk.test mine ours"]);
  const other = { ...HELPDESK, source: "lists.test" };
  await decide("forwarder", "", other);
  await undoSenderDecision(other, "owner@acme.test", world.invocation());
  expect(await holding(["acme"])).toEqual(["helpdesk.test mine ours", "lists.test undecided"]);
  const nothing = await undoSenderDecision({ ...HELPDESK, source: "never.test" }, "x", world.invocation());
  expect(nothing).toMatchObject({ ok: false, error: { code: "not_found" } });
});

it("keeps accounts apart that have the same domain", async () => {
  await decide("mine");
  await decide("notMine", "", { ...HELPDESK, account: "beta" });
  expect(await holding(["acme"])).toEqual(["helpdesk.test mine"]);
  expect(await holding(["beta"])).toEqual(["helpdesk.test notMine"]);
  expect(await holding([])).toEqual([]);
});
