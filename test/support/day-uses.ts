/** Support: sums of the daily budgets' use, beside a count of the objects they are sums of. */
import { change } from "../../shared/ledger/database.ts";
import { makeDayUses, type UseName } from "../../shared/ledger/day-uses.ts";
import type { SqliteLedger } from "./sqlite-d1.ts";

/** Gives sums to every day of every address and account. */
export async function sumAllUses(ledger: SqliteLedger): Promise<void> {
  const names = ledger.sqlite
    .prepare("SELECT DISTINCT '' AS account, rua, day FROM objects UNION SELECT account, '', day FROM objects")
    .all()
    .map(({ account, rua, day }): UseName => ({ account: String(account), rua: String(rua), day: Number(day) }));
  await change(ledger, makeDayUses(names));
}

interface Sums {
  verified: number;
  unverified: number;
  reporters: Record<string, number>;
}

/** Rows of sums that say other than the objects do. */
export function wrongUses({ sqlite }: SqliteLedger): string[] {
  const objects = sqlite.prepare("SELECT account, rua, day, reporter, records, reports FROM objects").all();
  return sqlite
    .prepare("SELECT * FROM day_uses")
    .all()
    .flatMap(({ account, rua, day, verified_records, unverified_records, reporters: text }) => {
      const names: Record<string, number> = JSON.parse(String(text));
      const wanted: Sums = { verified: 0, unverified: 0, reporters: {} };
      for (const object of objects) {
        if (object.day !== day || (rua === "" ? object.account !== account : object.rua !== rua)) continue;
        const reporter = Number(object.reporter);
        if (reporter === 0) continue;
        wanted[reporter > 0 ? "verified" : "unverified"] += Number(object.records);
        const name = `${reporter}` in names ? `${reporter}` : `${Math.sign(reporter)}`;
        if (rua !== "") wanted.reporters[name] = (wanted.reporters[name] ?? 0) + Number(object.reports);
      }
      const same = (a: Record<string, number>, b: Record<string, number>): boolean =>
        [...Object.keys(a), ...Object.keys(b)].every((name) => (a[name] ?? 0) === (b[name] ?? 0));
      const isRight =
        wanted.verified === verified_records &&
        wanted.unverified === unverified_records &&
        same(wanted.reporters, names);
      if (isRight) return [];
      const found = JSON.stringify({ verified_records, unverified_records, names });
      return [`${account}${rua} on ${day}: ${found}, not ${JSON.stringify(wanted)}`];
    });
}
