/** What an import of accounts, addresses and domains does, line by line, from what is there. Pure. */
import * as v from "valibot";
import type { Outputs } from "./contract/operations.ts";
import { readDomainName } from "./domain-name.ts";
import type { ImportLine } from "./import-lines.ts";
import type { DomainAddress } from "./ledger/registered-domains.ts";
import { ACCOUNT_LIMITS, SETUP_LIMITS } from "./limits.ts";
import { accountName } from "./people.ts";
import { acceptsDomain, type Registration, RegistryValueError, validRegistration } from "./registry.ts";
import { fail, ok, type Result } from "./result.ts";

type Imported = Outputs["importAccounts"]["items"][number];
type Address = Pick<Registration, "rua" | "entry">;

/** A line whose parts make sense; "" = not said. */
export interface ReadLine {
  line: number;
  account: string;
  name: string;
  domain: string;
  rua: string;
}

/** Reads one line. @returns the line's result where a part makes no sense */
export function readLine({ line, account, name = "", domain = "", rua = "" }: ImportLine): Result<ReadLine, Imported> {
  const wrong = (message: string) => fail({ line, account, result: "error" as const, message });
  const named = v.safeParse(accountName, account.trim());
  if (!named.success) return wrong(`'${account}' is no name of an account: ${named.issues[0].message}.`);
  if (name.trim().length > ACCOUNT_LIMITS.nameChars) {
    return wrong(`The name has ${name.trim().length} characters; at most ${ACCOUNT_LIMITS.nameChars} are kept.`);
  }
  const read = domain.trim() === "" ? undefined : readDomainName(domain.trim());
  if (read !== undefined && !read.ok) return wrong(read.error);
  const address = rua.trim() === "" ? "" : readAddress(rua, named.output);
  if (typeof address !== "string") return wrong(address.problem);
  return ok({ line, account: named.output, name: name.trim(), domain: read?.value.name ?? "", rua: address });
}

function readAddress(rua: string, account: string): string | { problem: string } {
  try {
    return validRegistration(rua, { account }).rua;
  } catch (error) {
    if (error instanceof RegistryValueError) return { problem: error.message };
    throw error;
  }
}

/** What is there, of all that the lines name. */
export interface ImportState {
  accounts: readonly { account: string; name: string }[];
  addresses: readonly Address[];
  /** Registered domains. */
  listed: readonly DomainAddress[];
  /** How many domains accounts have. */
  counts: readonly { account: string; domains: number }[];
  /** Makes an address for a domain without one; undefined = none can be made. */
  makeAddress: (() => string) | undefined;
  /** Whether the database of new accounts is there. */
  mayCreate: boolean;
  /** Accounts and addresses that are being forgotten: what is registered for them would be forgotten, too. */
  forgotten: readonly string[];
}

/** What is to be written. */
export interface ImportPlan {
  accounts: { account: string; name: string }[];
  added: Address[];
  widened: { rua: string; domains: string[] }[];
  domains: DomainAddress[];
}

/** Takes lines one after the other; each finds what those before it have added. */
export class ImportPlanner {
  readonly #names: Map<string, string>;
  readonly #addresses: Map<string, Address>;
  /** "account domain" → address. */
  readonly #known = new Map<string, string>();
  readonly #counts: Map<string, number>;
  readonly #accounts = new Map<string, string>();
  readonly #added = new Map<string, Address>();
  readonly #widened = new Map<string, string[]>();
  readonly #domains: DomainAddress[] = [];
  readonly #made = new Set<string>();
  readonly #state: ImportState;

  constructor(state: ImportState) {
    this.#state = state;
    this.#names = new Map(state.accounts.map(({ account, name }) => [account, name]));
    this.#addresses = new Map(state.addresses.map((address) => [address.rua, address]));
    this.#counts = new Map(state.counts.map(({ account, domains }) => [account, domains]));
    for (const { rua, entry } of state.addresses) {
      for (const domain of entry.domains ?? []) this.#know(entry.account, domain, rua);
    }
    for (const { account, domain, rua } of state.listed) this.#know(account, domain, rua);
  }

  /** Whether an address was made for a domain without one. */
  isMade(rua: string | undefined): boolean {
    return rua !== undefined && this.#made.has(rua);
  }

  /** What becomes of a line. */
  add(line: ReadLine): Imported {
    const { account, domain } = line;
    const wrong = this.#problemOf(line);
    const named = { line: line.line, account, ...(domain === "" ? {} : { domain }) };
    if (wrong !== undefined) return { ...named, result: "error", message: wrong };
    const done = this.#addAccount(line);
    const rua = this.#addAddress(line, done);
    const address = rua === "" ? {} : { rua };
    return { ...named, ...address, result: done.length > 0 ? "new" : "exists", message: done.join(", ") };
  }

  plan(): ImportPlan {
    return {
      accounts: [...this.#accounts].map(([account, name]) => ({ account, name })),
      added: [...this.#added.values()],
      widened: [...this.#widened].map(([rua, domains]) => ({ rua, domains })),
      domains: this.#domains,
    };
  }

  #problemOf({ account, domain, rua }: ReadLine): string | undefined {
    const { forgotten } = this.#state;
    if (forgotten.includes(account)) return `The account ${account} is being forgotten; wait until that is done.`;
    if (forgotten.includes(rua)) {
      return `${rua} is an address of an account that is being forgotten; wait until that is done.`;
    }
    if (!this.#names.has(account) && !this.#state.mayCreate) {
      return "The database for new accounts (NEW_ACCOUNTS_SHARD) is not bound to process.";
    }
    const present = this.#addresses.get(rua);
    if (present !== undefined && present.entry.account !== account) {
      return `${rua} is an address of the account ${present.entry.account}.`;
    }
    if (domain === "" || this.#known.has(keyOf(account, domain))) return undefined;
    if (rua === "" && this.#state.makeAddress === undefined) {
      return "No address can be made: RUA_HOST of process is not set. Name one.";
    }
    if ((this.#counts.get(account) ?? 0) >= SETUP_LIMITS.domainsOfAccount) {
      return `An account has at most ${SETUP_LIMITS.domainsOfAccount} domains.`;
    }
    return undefined;
  }

  #addAccount({ account, name }: ReadLine): string[] {
    const present = this.#names.get(account);
    if (present !== undefined && (present !== "" || name === "")) return [];
    this.#names.set(account, name);
    this.#accounts.set(account, name);
    return [present === undefined ? "new account" : "name of the account"];
  }

  /** @param done what was done for the line, which is added to. @returns the address of the line's domain, or "" */
  #addAddress({ account, domain, rua: given }: ReadLine, done: string[]): string {
    const known = domain === "" ? undefined : this.#known.get(keyOf(account, domain));
    if (known !== undefined && (given === "" || given === known)) return known;
    const rua = given === "" && domain !== "" ? this.#makeAddress() : given;
    if (rua === "") return "";
    const present = this.#addresses.get(rua);
    const domains = domain === "" ? [] : [domain];
    if (present === undefined) {
      const entry = domain === "" ? { account } : { account, domains };
      this.#addresses.set(rua, { rua, entry });
      this.#added.set(rua, { rua, entry });
      done.push("new address");
    } else if (domain !== "" && !acceptsDomain(present.entry, domain)) {
      this.#widen(present, domain);
    }
    if (domain !== "" && known === undefined) {
      this.#know(account, domain, rua);
      this.#domains.push({ account, domain, rua });
      this.#counts.set(account, (this.#counts.get(account) ?? 0) + 1);
      done.push("new domain");
    } else if (domain !== "" && present !== undefined && !acceptsDomain(present.entry, domain)) {
      done.push("the address takes it as well");
    }
    return rua;
  }

  #makeAddress(): string {
    const rua = this.#state.makeAddress?.() ?? "";
    this.#made.add(rua);
    return rua;
  }

  #widen({ rua, entry }: Address, domain: string): void {
    const wider = { rua, entry: { ...entry, domains: [...(entry.domains ?? []), domain] } };
    this.#addresses.set(rua, wider);
    if (this.#added.has(rua)) this.#added.set(rua, wider);
    else this.#widened.set(rua, [...(this.#widened.get(rua) ?? []), domain]);
  }

  #know(account: string, domain: string, rua: string): void {
    const key = keyOf(account, domain);
    if (!this.#known.has(key)) this.#known.set(key, rua);
  }
}

function keyOf(account: string, domain: string): string {
  return `${account} ${domain}`;
}
