/**
 * The daily budgets: how many records an address and an account take, and how many reports an address takes from one
 * reporter. A flood of forged reports then ends as dead letters, and costs nobody's money. Pure.
 */
import { senderOf } from "../authentication/sender.ts";
import { sha256Text } from "../identity.ts";
import type { ReportMessage } from "../messages.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { type ReadObject, reportsOf } from "./object.ts";

/** Daily limits: records by address and by account, reports by address and reporter. */
export interface DayBudget {
  address: number;
  account: number;
  reporter: number;
}

/** What an object uses of the daily budgets. */
export interface ObjectUse {
  reporter: number;
  reports: number;
  records: number;
}

/** Charges an object to the daily budgets. @returns false if it does not fit: then nothing is charged */
export function takeBudget(
  object: ReadObject,
  { reporter, reports, records }: ObjectUse,
  { used, budget }: { used: Map<string, number>; budget: DayBudget },
): boolean {
  const keys = useKeys(object, reporter);
  const use = (key: string, more: number): number => (used.get(key) ?? 0) + more;
  const [ofAddress, ofAccount, ofReporter] = [
    use(keys.address, records),
    use(keys.account, records),
    use(keys.reporter, reports),
  ];
  const isOver = ofAddress > budget.address || ofAccount > budget.account || ofReporter > budget.reporter;
  if (object.message.liftsBudget !== true && isOver) return false;
  used.set(keys.address, ofAddress);
  used.set(keys.account, ofAccount);
  used.set(keys.reporter, ofReporter);
  return true;
}

/** The keys of the daily budgets an object draws on. Authenticated reporters have separate budgets. */
function useKeys(
  { message, registration }: Pick<ReadObject, "message" | "registration">,
  reporter: number,
): { address: string; account: string; reporter: string } {
  const day = dayOf(message);
  return {
    address: useKey(day, Math.sign(reporter), message.rua),
    account: useKey(day, Math.sign(reporter), `account ${registration?.entry.account ?? ""}`),
    reporter: useKey(day, reporter, message.rua),
  };
}

/** The key of one budget, of an address or an account, on a day (days since 1970 UTC). */
export function useKey(day: number, reporter: number, name: string): string {
  return JSON.stringify([day, reporter, name]);
}

/** The day whose budget a message draws on, in days since 1970 UTC. */
export function dayOf({ receivedSeconds }: Pick<ReportMessage, "receivedSeconds">): number {
  return Math.floor(receivedSeconds / SECONDS_PER_DAY);
}

/**
 * Identifies the reporter of an object for the budgets: the organization its mail is authenticated for, else the
 * reporter's name.
 *
 * @returns a number above 1 in the first case, below -1 in the second, 0 where it holds no report
 */
export async function reporterOf(object: Pick<ReadObject, "findings" | "authentication">): Promise<number> {
  const reports = reportsOf(object);
  const [first] = reports;
  if (first === undefined) return 0;
  const senders = reports.map(({ report }) => senderOf(report, object.authentication));
  const isVerified = senders.every(({ state }) => state === "verified");
  const name = isVerified ? organizationalDomain(senders[0]?.domain ?? "") : first.header.reporter.trim().toLowerCase();
  const hash = Number.parseInt((await sha256Text(name)).slice(0, HASH_DIGITS), 16);
  return (isVerified ? 1 : -1) * (hash + 2);
}

/** Two reporters of one number, one in 250 million, share a budget. */
const HASH_DIGITS = 7;
