/** What owners say of senders: the newest decision holds, undo puts the one before in force again, accounts are apart. */
import { beforeEach, expect, it } from "vitest";
import { ask, change } from "../../shared/ledger/database.ts";
import { putSenderDecision, senderDecisionsQuery, senderHistoryQuery } from "../../shared/ledger/sender-decisions.ts";
import { DECISION_LIMITS } from "../../shared/limits.ts";
import { decideSender, undoSenderDecision } from "../../workers/process/operations/decide-sender.ts";
import { mute } from "../../workers/process/operations/mutes.ts";
import { Simulation } from "../support/simulation/simulation.ts";

const HELPDESK = { account: "acme", domain: "acme.test", source: "helpdesk.test" };
let simulation: Simulation;

beforeEach(() => {
  simulation = new Simulation();
  simulation.register("rua@acme.test", { account: "acme" });
  simulation.register("rua@beta.test", { account: "beta" });
});

async function holding(accounts: string[]): Promise<string[]> {
  const decided = await ask(simulation.ledger, senderDecisionsQuery("acme.test", accounts));
  return decided.map(({ source, decision, note }) => `${source} ${decision} ${note}`.trim());
}

function decide(decision: "mine" | "notMine" | "forwarder", note = "", name = HELPDESK) {
  return decideSender(name, { decision, note, by: "owner@acme.test" }, simulation.invocation());
}

it("each decision is kept with who, when and why, and the newest is in force", async () => {
  await decide("notMine", "never heard of them");
  simulation.clock.nowMilliseconds += 60_000;
  await decide("mine", "the support team uses it");
  expect(await holding(["acme"])).toEqual(["helpdesk.test mine the support team uses it"]);
  const name = { domain: "acme.test", source: "helpdesk.test" };
  const history = await ask(simulation.ledger, senderHistoryQuery(name, ["acme"]));
  expect(history.map(({ decision, decidedBy }) => [decision, decidedBy])).toEqual([
    ["mine", "owner@acme.test"],
    ["notMine", "owner@acme.test"],
  ]);
});

it("two decisions within a second are both kept", async () => {
  await decide("mine");
  await decide("forwarder");
  expect(await holding(["acme"])).toEqual(["helpdesk.test forwarder"]);
});

it("undoing restores the previous decision, finally undecided, and is refused without any", async () => {
  await decide("mine", "ours");
  await decide("notMine");
  await undoSenderDecision(HELPDESK, "owner@acme.test", simulation.invocation());
  expect(await holding(["acme"])).toEqual(["helpdesk.test mine ours"]);
  const other = { ...HELPDESK, source: "lists.test" };
  await decide("forwarder", "", other);
  await undoSenderDecision(other, "owner@acme.test", simulation.invocation());
  expect(await holding(["acme"])).toEqual(["helpdesk.test mine ours", "lists.test undecided"]);
  const nothing = await undoSenderDecision({ ...HELPDESK, source: "never.test" }, "x", simulation.invocation());
  expect(nothing).toMatchObject({ ok: false, error: { code: "not_found" } });
});

it("accounts with the same domain have separate decisions", async () => {
  await decide("mine");
  await decide("notMine", "", { ...HELPDESK, account: "beta" });
  expect(await holding(["acme"])).toEqual(["helpdesk.test mine"]);
  expect(await holding(["beta"])).toEqual(["helpdesk.test notMine"]);
  expect(await holding([])).toEqual([]);
});

it("an address, prefix, domain or service has one spelling, and anything else is refused", async () => {
  for (const source of ["192.0.2.7/24", "2001:DB8::1", "Mail.Tool.test.", "service:twilio sendgrid"]) {
    await decide("mine", "", { ...HELPDESK, domain: "ACME.test", source });
  }
  expect((await holding(["acme"])).sort()).toEqual([
    "192.0.2.0/24 mine",
    "2001:db8::1 mine",
    "service:Twilio SendGrid mine",
    "tool.test mine",
  ]);
  await undoSenderDecision({ ...HELPDESK, source: "192.0.2.99/24" }, "x", simulation.invocation());
  expect(await holding(["acme"])).toContain("192.0.2.0/24 undecided");
  for (const source of ["10.0.0.0/8", "service:nobody", "a b"]) {
    const refused = { ok: false, error: { code: "bad_request" } };
    expect(await decide("mine", "", { ...HELPDESK, source })).toMatchObject(refused);
    expect(await undoSenderDecision({ ...HELPDESK, source }, "x", simulation.invocation())).toMatchObject(refused);
  }
});

it("the number of subjects per domain is limited, and existing decisions can still be changed", async () => {
  const { maxSubjects } = DECISION_LIMITS;
  const decided = { ...HELPDESK, decision: "mine", note: "", decidedBy: "x", decidedSeconds: 1 } as const;
  const subjects = Array.from({ length: maxSubjects }, (_, i) =>
    putSenderDecision({ ...decided, source: `s${i}.test` }),
  );
  await change(simulation.ledger, subjects);
  expect(await decide("mine")).toMatchObject({ ok: false, error: { code: "too_large" } });
  expect(await holding(["acme"])).toHaveLength(maxSubjects);
  expect((await decide("notMine", "", { ...HELPDESK, source: "s7.test" })).ok).toBe(true);
  // Another account's domain of the same name has its own.
  expect((await decide("mine", "", { ...HELPDESK, account: "beta" })).ok).toBe(true);
});

it("only the newest decisions about a subject are kept", async () => {
  const { maxKept } = DECISION_LIMITS;
  for (let i = 0; i < maxKept + 3; i++) await decide("mine", `note ${i}`);
  const { results } = await simulation.ledger
    .prepare("SELECT note FROM sender_decisions ORDER BY decided_seconds")
    .all();
  expect(results).toHaveLength(maxKept);
  expect(results[0]).toEqual({ note: "note 3" });
});

it("an account that there is not has no decisions and no mutes", async () => {
  const missing = { ok: false, error: { code: "not_found", message: "There is no account 'nowhere'." } };
  expect(await decide("mine", "", { ...HELPDESK, account: "nowhere" })).toEqual(missing);
  expect(await mute({ account: "nowhere" }, "owner@acme.test", simulation.invocation())).toEqual(missing);
  expect(await mute({ account: "acme" }, "owner@acme.test", simulation.invocation())).toMatchObject({ ok: true });
});
