/**
 * The use of the daily budgets that a batch has to know: which uses to look up, and what was found. An account of few
 * addresses is counted from theirs; for one with many, sums are kept. Pure.
 */
import type { Registrations } from "../ledger/addresses.ts";
import type { DayUse, UseName } from "../ledger/day-uses.ts";
import { USE_LIMITS } from "../limits.ts";
import { dayOf, useKey } from "./budgets.ts";
import type { LedgerSnapshot, ReadObject } from "./object.ts";

type AddressesOf = Registrations["addressesOf"];

/** The uses to look up for a batch. */
export interface WantedUses {
  names: readonly UseName[];
  /** Reporters to look up individually. */
  reporters: readonly number[];
  /** Address → account. */
  owners: ReadonlyMap<string, string>;
  addressesOf: AddressesOf;
}

/** The uses to look up for some objects. @param addressesOf addresses of an account, as Registrations has them */
export function wantedUses(objects: readonly ReadObject[], addressesOf: AddressesOf): WantedUses {
  const wanted = new Map<string, UseName>();
  const owners = new Map<string, string>();
  const want = (name: UseName, owner: string): void => {
    // The batch's own addresses come first: they are needed whatever is known of their account.
    const key = JSON.stringify([name.rua === "" ? owner : "", name.rua, name.day]);
    if (!wanted.has(key)) wanted.set(key, name);
    if (name.rua !== "") owners.set(name.rua, owner);
  };
  const charged = objects.filter(({ findings }) => findings.length > 0);
  for (const { message, registration } of charged)
    if (registration !== undefined)
      want({ account: "", rua: message.rua, day: dayOf(message) }, registration.entry.account);
  for (const { message, registration } of charged) {
    if (registration === undefined) continue;
    const { account } = registration.entry;
    const day = dayOf(message);
    want({ account, rua: "", day }, account);
    const addresses = addressesOf.get(account) ?? [];
    if (!hasMany(addresses)) for (const rua of addresses) want({ account, rua, day }, account);
  }
  const reporters = [...new Set(objects.map(({ reporter }) => reporter))].filter((reporter) => reporter !== 0);
  return { names: [...wanted.values()], reporters, owners, addressesOf };
}

/** What was used of the budgets, and which uses should have sums from now on. */
export function readUses(
  uses: readonly DayUse[],
  { names, owners, addressesOf }: WantedUses,
): Pick<LedgerSnapshot, "used" | "usesToSum"> {
  const summed = summedAccounts(uses);
  const unsummed = names.filter(
    ({ account, rua, day }) =>
      rua === "" && hasMany(addressesOf.get(account) ?? []) && !summed.has(`${day} ${account}`),
  );
  return { used: sumUse(uses, owners, summed), usesToSum: [...unsummed, ...toSum(uses, owners, addressesOf)] };
}

/** Whether an account has too many addresses for counting its use from theirs. */
function hasMany(addresses: readonly string[]): boolean {
  return addresses.length > USE_LIMITS.countedAddresses;
}

/** Accounts with sums, and the days of the sums. */
function summedAccounts(uses: readonly DayUse[]): Set<string> {
  return new Set(uses.filter(({ rua }) => rua === "").map(({ account, day }) => `${day} ${account}`));
}

function sumUse(
  uses: readonly DayUse[],
  owners: ReadonlyMap<string, string>,
  summed: ReadonlySet<string>,
): LedgerSnapshot["used"] {
  const used: LedgerSnapshot["used"] = new Map();
  const add = (key: string, count: number): void => void used.set(key, (used.get(key) ?? 0) + count);
  for (const { account, rua, day, reporter, records, reports } of uses) {
    const sign = Math.sign(reporter);
    if (rua === "") {
      add(useKey(day, sign, `account ${account}`), records);
      continue;
    }
    add(useKey(day, sign, rua), records);
    if (reporter !== sign) add(useKey(day, reporter, rua), reports);
    // An account of many addresses without sums, which it gets with this batch, has used what these addresses have.
    const owner = owners.get(rua) ?? "";
    if (!summed.has(`${day} ${owner}`)) add(useKey(day, sign, `account ${owner}`), records);
  }
  return used;
}

/** Addresses with so many objects on a day that sums should be kept for it. */
function toSum(uses: readonly DayUse[], owners: ReadonlyMap<string, string>, addressesOf: AddressesOf): UseName[] {
  const due = new Map<string, UseName>();
  const objectsOf = new Map<string, number>();
  for (const { rua, day, objects } of uses) {
    if (objects === 0) continue;
    const account = owners.get(rua) ?? "";
    const key = `${day} ${rua}`;
    const counted = (objectsOf.get(key) ?? 0) + objects;
    objectsOf.set(key, counted);
    const addresses = addressesOf.get(account) ?? [];
    const share = hasMany(addresses) ? 1 : Math.max(1, addresses.length);
    if (counted >= USE_LIMITS.countedObjects / share) due.set(key, { account: "", rua, day });
  }
  return [...due.values()];
}
