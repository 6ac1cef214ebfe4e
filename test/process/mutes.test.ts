/** Mutes: how many an account may have. Every visit of one of its domains reads them all. */
import { beforeEach, expect, it } from "vitest";
import { change } from "../../shared/ledger/database.ts";
import { putMute } from "../../shared/ledger/notices.ts";
import { mute } from "../../workers/process/operations/mutes.ts";
import { Simulation } from "../support/simulation/simulation.ts";

const MOST = 1000;

let simulation: Simulation;

beforeEach(async () => {
  simulation = new Simulation();
  simulation.register("rua@acme.example", { account: "acme" });
  simulation.register("rua@globex.example", { account: "globex" });
  const { ledger, nowSeconds } = simulation.invocation();
  const mutes = Array.from({ length: MOST }, (_, i) => ({
    account: "acme",
    domain: "shop.example",
    rule: "" as const,
    subject: `sender-${i}.example`,
    // One of them for a day.
    untilSeconds: i === 0 ? nowSeconds + 86_400 : 0,
    note: "",
    mutedSeconds: nowSeconds,
    mutedBy: "ann@acme.example",
  }));
  await change(ledger, mutes.map(putMute));
});

function ask(account: string, subject: string, note = "") {
  return mute({ account, domain: "shop.example", subject, note }, "ann@acme.example", simulation.invocation());
}

it("an account has so many, and no more", async () => {
  expect(await ask("acme", "one-more.example")).toEqual({
    ok: false,
    error: {
      code: "too_large",
      message: "The account has 1000 mutes, as many as it may have: one of a domain or a rule covers many.",
    },
  });
  expect(await ask("globex", "one-more.example")).toMatchObject({ ok: true });
});

it("one of them can be changed, and the place of one that has ended is free", async () => {
  expect(await ask("acme", "sender-7.example", "for good")).toMatchObject({ ok: true, value: { note: "for good" } });
  simulation.clock.nowMilliseconds += 86_400_000;
  expect(await ask("acme", "one-more.example")).toMatchObject({ ok: true });
  expect(await ask("acme", "two-more.example")).toMatchObject({ ok: false });
});
