/** People in the ledger: roles by account, entries of earlier versions, and when somebody first came. */
import { beforeEach, describe, expect, it } from "vitest";
import { readMigrations } from "../../local/migrations.ts";
import { ask, change } from "../../shared/ledger/database.ts";
import {
  accountPeopleQuery,
  findPerson,
  notePersonSeen,
  peopleQuery,
  putAccountPerson,
  putPerson,
  removeAccountPerson,
  removePerson,
} from "../../shared/ledger/people.ts";
import { PersonValueError, validPerson } from "../../shared/people.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

const NOW = 1_760_000_000;
const CHANGED = { by: "operator@acme.example", nowSeconds: NOW };
const ANN = "ann@example.com";
let directory: SqliteLedger;

beforeEach(() => {
  directory = new SqliteLedger();
});

describe("people", () => {
  it("are stored, found and removed", async () => {
    const person = validPerson(" Ann@Example.com ", { role: "administrator", accounts: ["acme"], alsoViews: ["beta"] });
    await change(directory, putPerson(person, CHANGED));
    const found = await findPerson(directory, ANN);
    expect(found).toEqual({
      ...person,
      authority: { isOperator: false, accounts: { acme: "administrator", beta: "viewer" } },
      firstSeenSeconds: 0,
    });
    await change(directory, putPerson({ ...person, entry: { role: "operator", accounts: [] } }, CHANGED));
    expect(await ask(directory, peopleQuery())).toMatchObject([
      { email: ANN, entry: { role: "operator", accounts: [] }, authority: { isOperator: true } },
    ]);
    expect(await ask(directory, accountPeopleQuery(["acme", "beta"]))).toEqual([]);
    await change(directory, removePerson(ANN));
    expect(await findPerson(directory, ANN)).toBeUndefined();
    expect(() => validPerson(ANN, { role: "king", accounts: [] })).toThrow(PersonValueError);
    expect(() => validPerson(ANN, { role: "viewer", accounts: ["not valid!"] })).toThrow(/accounts/);
    expect(() => validPerson("nobody", { role: "viewer", accounts: [] })).toThrow(PersonValueError);
  });

  it("get and lose a role in one account and keep their others", async () => {
    await change(directory, putAccountPerson({ account: "acme", email: ANN, role: "viewer" }, CHANGED));
    await change(directory, putAccountPerson({ account: "beta", email: ANN, role: "administrator" }, CHANGED));
    await change(directory, putAccountPerson({ account: "acme", email: ANN, role: "administrator" }, CHANGED));
    expect(await ask(directory, accountPeopleQuery(["acme"]))).toEqual([
      {
        account: "acme",
        email: ANN,
        role: "administrator",
        addedBy: CHANGED.by,
        addedSeconds: NOW,
        firstSeenSeconds: 0,
      },
    ]);
    await change(directory, removeAccountPerson({ account: "acme", email: ANN }, NOW));
    expect((await findPerson(directory, ANN))?.authority.accounts).toEqual({ beta: "administrator" });
    await change(directory, removeAccountPerson({ account: "beta", email: ANN }, NOW));
    expect(await findPerson(directory, ANN)).toBeUndefined();
  });

  it("remain operators whatever happens to their roles in accounts", async () => {
    await change(directory, putPerson({ email: ANN, entry: { role: "operator", accounts: [] } }, CHANGED));
    await change(directory, putAccountPerson({ account: "acme", email: ANN, role: "viewer" }, CHANGED));
    await change(directory, removeAccountPerson({ account: "acme", email: ANN }, NOW));
    expect((await findPerson(directory, ANN))?.authority.isOperator).toBe(true);
  });

  it("have one first visit", async () => {
    await change(directory, putAccountPerson({ account: "acme", email: ANN, role: "viewer" }, CHANGED));
    await change(directory, [notePersonSeen(ANN, NOW + 5), notePersonSeen(ANN, NOW + 9)]);
    expect((await findPerson(directory, ANN))?.firstSeenSeconds).toBe(NOW + 5);
    await change(directory, [notePersonSeen("nobody@example.com", NOW)]);
    expect(await findPerson(directory, "nobody@example.com")).toBeUndefined();
  });
});

describe("an owner from an earlier version", () => {
  const OWNER = `INSERT INTO people (email, role, accounts, changed_seconds) VALUES ('${ANN}', 'owner', '["acme","beta"]', 1)`;
  const both = { acme: "administrator", beta: "administrator" };

  it("is an administrator after the migration", async () => {
    const before = new SqliteLedger([]);
    for (const { name, statements } of readMigrations()) {
      if (name.startsWith("0019")) await before.prepare(OWNER).all();
      for (const statement of statements) await before.prepare(statement).all();
    }
    expect((await findPerson(before, ANN))?.authority.accounts).toEqual(both);
    expect(await ask(before, accountPeopleQuery(["acme", "beta"]))).toHaveLength(2);
  });

  it("is also one if a Worker of the earlier version wrote the entry later", async () => {
    await directory.prepare(OWNER).all();
    expect((await findPerson(directory, ANN))?.authority.accounts).toEqual(both);
    await change(directory, removeAccountPerson({ account: "acme", email: ANN }, NOW));
    expect((await findPerson(directory, ANN))?.authority.accounts).toEqual({ beta: "administrator" });
  });
});
