/** Tokens of programs: how many an account may have, and which names are free. */
import { beforeEach, expect, it } from "vitest";
import { TOKEN_LIMITS } from "../../shared/limits.ts";
import { OPERATOR } from "../../shared/people.ts";
import { createToken, revokeToken } from "../../workers/process/operations/tokens.ts";
import { Simulation } from "../support/simulation/simulation.ts";

let simulation: Simulation;

beforeEach(() => {
  simulation = new Simulation();
  simulation.register("rua@acme.example", { account: "acme" });
});

const caller = { name: "olga@example.net", authority: OPERATOR };

async function make(name: string, expiresInDays?: number) {
  const settings = { account: "acme", name, scope: "read" as const, expiresInDays };
  const made = await createToken(settings, { invocation: simulation.invocation(), caller });
  return made.ok ? made.value : made.error;
}

it("an expired token's name may be used again, as may that of a revoked one", async () => {
  const first = await make("ci", 1);
  expect(await make("ci", 1)).toMatchObject({ code: "already_exists" });
  simulation.clock.nowMilliseconds += 86_400_000;
  const second = await make("ci", 1);
  expect(second).toMatchObject({ name: "ci", state: "active" });
  expect("id" in first && "id" in second && first.id !== second.id).toBe(true);
  const id = "id" in second ? second.id : "";
  await revokeToken({ account: "acme", id }, { invocation: simulation.invocation(), caller });
  expect(await make("ci")).toMatchObject({ state: "active" });
});

it("expired and revoked tokens do not count among those an account may have", async () => {
  const { perAccount } = TOKEN_LIMITS;
  for (let i = 0; i < perAccount; i++) expect(await make(`short ${i}`, 1)).toMatchObject({ state: "active" });
  expect(await make("one more")).toMatchObject({ code: "too_large" });
  simulation.clock.nowMilliseconds += 86_400_000;
  for (let i = 0; i < perAccount; i++) expect(await make(`long ${i}`)).toMatchObject({ state: "active" });
  expect(await make("one more")).toMatchObject({ code: "too_large" });
});
