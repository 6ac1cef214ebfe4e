/** A few thousand mutated fixtures: nothing but reports and problems comes out. More of them: npm run fuzz. */
import { expect, test } from "vitest";
import { makeCase, runCase } from "../support/fuzz/cases.ts";

const CASES = 2000;

test(`${CASES} hostile inputs end as reports or problems`, async () => {
  for (let number = 0; number < CASES; number++) {
    const what = await runCase(makeCase(1, number));
    expect(what, `npm run fuzz -- --seed 1 --case ${number}`).toBeUndefined();
  }
});
