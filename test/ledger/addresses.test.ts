import { describe, expect, it } from "vitest";
import { accountsQuery } from "../../shared/ledger/accounts.ts";
import {
  addressesQuery,
  copyDue,
  findRegistrations,
  insertAddresses,
  putAddress,
  removeAddress,
} from "../../shared/ledger/addresses.ts";
import { commitBatch, noChanges } from "../../shared/ledger/commit-batch.ts";
import { ask, change } from "../../shared/ledger/database.ts";
import { findRegistration } from "../../shared/ledger/find-registration.ts";
import { findObjects } from "../../shared/ledger/objects.ts";
import { shardsOf } from "../../shared/ledger/shards.ts";
import { USE_LIMITS } from "../../shared/limits.ts";
import { findCopy, RegistryValueError, validRegistration } from "../../shared/registry.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

const NOW = 1_795_000_000;

/** KV in memory, which can be told to fail. */
class Store {
  readonly values = new Map<string, string>();
  isDown = false;

  async get(key: string): Promise<string | null> {
    return this.values.get(key) ?? null;
  }

  async put(key: string, value: string): Promise<void> {
    if (this.isDown) throw new Error("KV is down");
    this.values.set(key, value);
  }

  async delete(key: string): Promise<void> {
    if (this.isDown) throw new Error("KV is down");
    this.values.delete(key);
  }
}

function place() {
  return { directory: new SqliteLedger(), copy: new Store(), newAccountShard: 0 };
}

describe("the registry", () => {
  it("writes the ledger first, then the copy, and creates the account", async () => {
    const registry = place();
    const registration = await putAddress(validRegistration("DMARC@Example.com", { account: "acme" }), registry, NOW);
    expect(registration).toEqual({ rua: "dmarc@example.com", entry: { account: "acme" }, shard: 0 });
    expect(await findCopy(registry.copy, "dmarc@example.com")).toEqual(registration);
    expect(await ask(registry.directory, accountsQuery())).toEqual([{ account: "acme", shard: 0 }]);
    expect(await ask(registry.directory, addressesQuery())).toEqual([registration]);
  });

  it("knows an address at once, even if KV does not", async () => {
    const registry = place();
    registry.copy.isDown = true;
    const wanted = validRegistration("dmarc@example.com", { account: "acme", domains: ["example.com"] });
    await expect(putAddress(wanted, registry, NOW)).rejects.toThrow("KV is down");
    expect(await findRegistration(registry, "DMARC+acme@example.com")).toMatchObject({ rua: "dmarc@example.com" });
    expect(await findRegistration(registry, "other@example.com")).toBeUndefined();
    registry.copy.isDown = false;
    expect(await copyDue(registry)).toBe(1);
    expect(await copyDue(registry)).toBe(0);
    expect(await findCopy(registry.copy, "dmarc@example.com")).toMatchObject({ entry: { domains: ["example.com"] } });
  });

  it("also removes an address from the copy, later if KV is down", async () => {
    const registry = place();
    await putAddress(validRegistration("dmarc@example.com", { account: "acme" }), registry, NOW);
    registry.copy.isDown = true;
    await expect(removeAddress("dmarc@example.com", registry, NOW + 1)).rejects.toThrow("KV is down");
    expect(await ask(registry.directory, addressesQuery())).toEqual([]);
    registry.copy.isDown = false;
    await copyDue(registry);
    expect(await findRegistration(registry, "dmarc@example.com")).toBeUndefined();
    await removeAddress("nobody@example.com", registry, NOW + 2);
  });

  it("keeps an account in its database, wherever new accounts go", async () => {
    const registry = place();
    await putAddress(validRegistration("a@example.com", { account: "acme" }), registry, NOW);
    const later = { ...registry, newAccountShard: 2 };
    expect((await putAddress(validRegistration("b@example.com", { account: "acme" }), later, NOW)).shard).toBe(0);
    expect((await putAddress(validRegistration("c@example.com", { account: "new" }), later, NOW)).shard).toBe(2);
  });

  it("finds the accounts of a batch and all their addresses in one query", async () => {
    const registry = place();
    for (const rua of ["a@example.com", "b@example.com"]) {
      await putAddress(validRegistration(rua, { account: "acme" }), registry, NOW);
    }
    await putAddress(validRegistration("c@example.com", { account: "new" }), { ...registry, newAccountShard: 2 }, NOW);
    await putAddress(validRegistration("d@example.com", { account: "else" }), registry, NOW);
    const asked = ["A@example.com", "c@example.com", "c@example.com", "nobody@example.com"];
    const found = await findRegistrations(registry.directory, asked);
    expect([...found.byAddress]).toEqual([
      ["a@example.com", { rua: "a@example.com", entry: { account: "acme" }, shard: 0 }],
      ["c@example.com", { rua: "c@example.com", entry: { account: "new" }, shard: 2 }],
    ]);
    expect(Object.fromEntries(found.addressesOf)).toEqual({
      acme: ["a@example.com", "b@example.com"],
      new: ["c@example.com"],
    });
  });

  it("reads only some addresses of an account that has many, and says so by one more", async () => {
    const directory = new SqliteLedger();
    const names = Array.from({ length: 3000 }, (_, i) => `a${String(i).padStart(4, "0")}@example.com`);
    const made = names.map((rua) => ({ rua, domain: "example.com" }));
    await change(directory, insertAddresses("acme", made, { newAccountShard: 0, nowSeconds: NOW }));
    const found = await findRegistrations(directory, names.slice(2000, 2002));
    expect([...found.byAddress.keys()]).toEqual(names.slice(2000, 2002));
    expect(found.addressesOf.get("acme")).toEqual(names.slice(0, USE_LIMITS.countedAddresses + 1));
  });

  it("refuses an invalid address and an invalid entry", () => {
    expect(() => validRegistration("nobody", { account: "acme" })).toThrow(RegistryValueError);
    expect(() => validRegistration("a@example.com", { account: "not valid!" })).toThrow(/account/);
  });
});

describe("an object that moves to another database", () => {
  const object = {
    rua: "a@example.com",
    rawKey: "raw/1",
    receivedSeconds: NOW,
    account: "acme",
    version: 0,
    generation: 1,
    records: 1,
    reporter: 0,
    reports: 1,
    outcomes: [],
    rawRemoved: false,
    found: 1,
    passedOver: {},
  };

  it("is removed, unless it has changed since it was read", async () => {
    const ledger = new SqliteLedger();
    await commitBatch(ledger, { ...noChanges(), objects: [object] }, NOW);
    const move = (version: number) =>
      commitBatch(ledger, { ...noChanges(), movedObjects: [{ ...object, version }] }, NOW);
    expect((await move(7)).state).toBe("changed");
    expect((await findObjects(ledger, [object])).size).toBe(1);
    expect((await move(1)).state).toBe("committed");
    expect((await findObjects(ledger, [object])).size).toBe(0);
  });
});

describe("shards", () => {
  it("are the bound databases in order, and a missing one is reported", () => {
    const [first, second] = [new SqliteLedger(), new SqliteLedger()];
    const shards = shardsOf({ D1_DMARC_REPORTS: first, D1_DMARC_REPORTS_1: second, KV: {} });
    expect(shards.all).toEqual([first, second]);
    expect(shards.of(1)).toBe(second);
    expect(() => shards.of(2)).toThrow("bind D1_DMARC_REPORTS_2");
    expect(() => shardsOf({})).toThrow("D1_DMARC_REPORTS is missing");
  });
});
