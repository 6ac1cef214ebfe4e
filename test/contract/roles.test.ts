/** Who may ask what: every operation of the table with every role, in the own account, in another one, and in none. */

import { describe, expect, it } from "vitest";
import { allowed } from "../../shared/contract/operation.ts";
import { OPERATION_NAMES, OPERATIONS } from "../../shared/contract/operations.ts";
import { ACCOUNT_ROLES, type Authority, authorityOf, entryOf, mayAsk, type Role } from "../../shared/people.ts";
import fc from "../support/properties.ts";

const WHO: Record<string, Authority> = {
  operator: authorityOf({ role: "operator", accounts: [] }),
  administrator: authorityOf({ role: "administrator", accounts: ["acme"] }),
  viewer: authorityOf({ role: "viewer", accounts: ["acme"] }),
  both: authorityOf({ role: "administrator", accounts: ["other"], alsoViews: ["acme"] }),
  nobody: authorityOf({ role: "viewer", accounts: [] }),
};

/** Who may ask an operation of each role about acme, about no account in particular, and about the pipeline itself (""). */
const EXPECTED: Record<Role, { acme: string[]; none: string[]; pipeline: string[] }> = {
  viewer: {
    acme: ["operator", "administrator", "viewer", "both"],
    none: ["operator", "administrator", "viewer", "both", "nobody"],
    pipeline: ["operator"],
  },
  administrator: {
    acme: ["operator", "administrator"],
    none: ["operator", "administrator", "both"],
    pipeline: ["operator"],
  },
  operator: { acme: ["operator"], none: ["operator"], pipeline: ["operator"] },
};

describe.each(OPERATION_NAMES)("%s", (name) => {
  it.each(Object.keys(WHO))("is asked by %s as its role says", (who) => {
    const operation = OPERATIONS[name];
    const authority = WHO[who] ?? { isOperator: false, accounts: {} };
    const asked = (input: object) => allowed(authority, operation, input).ok;
    const expected = EXPECTED[operation.role];
    expect(asked({ account: "acme" })).toBe(expected.acme.includes(who));
    expect(asked({})).toBe(expected.none.includes(who));
    expect(asked({ account: "" })).toBe(expected.pipeline.includes(who));
    for (const account of ["third", "constructor", "__proto__", "toString"]) {
      expect(asked({ account }), account).toBe(who === "operator");
    }
  });
});

describe("an entry of a person", () => {
  it("means the same after it was stored by account", () => {
    const names = fc.uniqueArray(
      fc.stringMatching(/^[a-z0-9._-]{1,8}$/).filter((name) => name !== "__proto__" && !/^\.+$/.test(name)),
    );
    fc.assert(
      fc.property(names, fc.infiniteStream(fc.constantFrom(...ACCOUNT_ROLES)), (accounts, roles) => {
        const given = Object.fromEntries(accounts.map((account) => [account, roles.next().value]));
        const authority = { isOperator: false, accounts: given };
        expect(authorityOf(entryOf(authority))).toEqual(authority);
        for (const account of accounts) {
          expect(mayAsk(authority, "viewer", account)).toBe(true);
          expect(mayAsk(authority, "administrator", account)).toBe(given[account] === "administrator");
        }
      }),
    );
  });
});
