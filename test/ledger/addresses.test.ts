import { describe, expect, it } from "vitest";
import { accountsQuery } from "../../shared/ledger/accounts.ts";
import { addressesQuery, copyDue, putAddress, removeAddress } from "../../shared/ledger/addresses.ts";
import { ask, change } from "../../shared/ledger/database.ts";
import { findRegistration } from "../../shared/ledger/find-registration.ts";
import { findPerson, peopleQuery, putPerson, removePerson } from "../../shared/ledger/people.ts";
import { shardsOf } from "../../shared/ledger/shards.ts";
import { findCopy, RegistryValueError, validRegistration } from "../../shared/registry.ts";
import { ViewerValueError, validViewer } from "../../shared/viewers.ts";
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
  it("writes the ledger first, then the copy, and makes the account", async () => {
    const registry = place();
    const registration = await putAddress(validRegistration("DMARC@Example.com", { account: "acme" }), registry, NOW);
    expect(registration).toEqual({ rua: "dmarc@example.com", entry: { account: "acme" }, shard: 0 });
    expect(await findCopy(registry.copy, "dmarc@example.com")).toEqual(registration);
    expect(await ask(registry.directory, accountsQuery())).toEqual([{ account: "acme", shard: 0 }]);
    expect(await ask(registry.directory, addressesQuery())).toEqual([registration]);
  });

  it("knows an address at once, even where KV does not", async () => {
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

  it("removes an address from the copy too, later where KV is down", async () => {
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

  it("keeps an account in its database, whatever new accounts get", async () => {
    const registry = place();
    await putAddress(validRegistration("a@example.com", { account: "acme" }), registry, NOW);
    const later = { ...registry, newAccountShard: 2 };
    expect((await putAddress(validRegistration("b@example.com", { account: "acme" }), later, NOW)).shard).toBe(0);
    expect((await putAddress(validRegistration("c@example.com", { account: "new" }), later, NOW)).shard).toBe(2);
  });

  it("refuses what is no address and no entry", () => {
    expect(() => validRegistration("nobody", { account: "acme" })).toThrow(RegistryValueError);
    expect(() => validRegistration("a@example.com", { account: "not valid!" })).toThrow(/account/);
  });
});

describe("people", () => {
  it("are stored, found and removed", async () => {
    const directory = new SqliteLedger();
    const person = validViewer(" Ann@Example.com ", { role: "owner", accounts: ["acme"] });
    await change(directory, [putPerson(person, NOW)]);
    expect(await findPerson(directory, "ann@example.com")).toEqual(person);
    await change(directory, [putPerson({ ...person, entry: { role: "operator", accounts: [] } }, NOW + 1)]);
    expect(await ask(directory, peopleQuery())).toEqual([
      { email: "ann@example.com", entry: { role: "operator", accounts: [] } },
    ]);
    await change(directory, [removePerson("ann@example.com")]);
    expect(await findPerson(directory, "ann@example.com")).toBeUndefined();
    expect(() => validViewer("ann@example.com", { role: "king", accounts: [] })).toThrow(ViewerValueError);
  });
});

describe("shards", () => {
  it("are the bound databases in order, and a missing one is said", () => {
    const [first, second] = [new SqliteLedger(), new SqliteLedger()];
    const shards = shardsOf({ D1_DMARC_REPORTS: first, D1_DMARC_REPORTS_1: second, KV: {} });
    expect(shards.all).toEqual([first, second]);
    expect(shards.of(1)).toBe(second);
    expect(() => shards.of(2)).toThrow("bind D1_DMARC_REPORTS_2");
    expect(() => shardsOf({})).toThrow("D1_DMARC_REPORTS is missing");
  });
});
