/** Accounts in the ledger: what they are called, their logo, and lists of them. */
import { beforeEach, expect, it } from "vitest";
import {
  accountHeadQuery,
  accountProfile,
  addAccount,
  listAccounts,
  removeAccountLogo,
  setAccountLogo,
  setAccountName,
} from "../../shared/ledger/accounts.ts";
import { ask, change } from "../../shared/ledger/database.ts";
import { putAccountPerson } from "../../shared/ledger/people.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

const LOGO = { mediaType: "image/png" as const, base64: "iVBORw0KGgo=", changedSeconds: 7 };
let directory: SqliteLedger;

beforeEach(async () => {
  directory = new SqliteLedger();
  const names = ["acme", "beta", "gamma-acme", "zeta"];
  await change(
    directory,
    names.map((account) => addAccount({ account, shard: 0 }, 1)),
  );
});

it("accounts are shown by name and logo, or by their id", async () => {
  expect(await accountProfile(directory, "acme")).toEqual({ account: "acme", name: "acme", logo: undefined });
  await change(directory, [setAccountName("acme", "Acme Ltd"), setAccountLogo("acme", LOGO)]);
  expect(await accountProfile(directory, "acme")).toEqual({ account: "acme", name: "Acme Ltd", logo: LOGO });
  expect(await ask(directory, accountHeadQuery("acme"))).toEqual([
    { account: "acme", name: "Acme Ltd", logoSeconds: 7 },
  ]);
  await change(directory, [setAccountName("acme", ""), removeAccountLogo("acme")]);
  expect(await accountProfile(directory, "acme")).toEqual({ account: "acme", name: "acme", logo: undefined });
  expect(await accountProfile(directory, "nowhere")).toBeUndefined();
});

it("accounts are listed page by page, found by part of a name, and limited to what the person may see", async () => {
  const list = async (accounts: string[] | undefined, text = "", offset = 0) => {
    const { rows, matching } = await listAccounts((query) => ask(directory, query), {
      accounts,
      text,
      limit: 2,
      offset,
    });
    return { names: rows.map(({ account }) => account), matching };
  };
  await change(directory, [setAccountName("zeta", "The ACME of the north")]);
  await change(
    directory,
    putAccountPerson({ account: "acme", email: "ann@example.com", role: "viewer" }, { by: "", nowSeconds: 1 }),
  );
  expect(await list(undefined)).toEqual({ names: ["acme", "beta"], matching: 4 });
  expect(await list(undefined, "", 2)).toEqual({ names: ["gamma-acme", "zeta"], matching: 4 });
  expect(await list(undefined, "AcMe", 2)).toEqual({ names: ["zeta"], matching: 3 });
  expect(await list(["beta", "nowhere"])).toEqual({ names: ["beta"], matching: 1 });
  expect(await list([])).toEqual({ names: [], matching: 0 });
  expect(await list(undefined, "%")).toEqual({ names: [], matching: 0 });
});
