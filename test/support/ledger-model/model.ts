/**
 * Support: what the ledger must hold, in a few rules. The model remembers which documents came in which raw object, what
 * people decided, and which days are closed. Where the order of delivery decides, which nobody controls, it accepts
 * any version that the rules allow and goes on from that one.
 */
import { type Counted, countedOf, type Document, identityOf, type MailFile } from "./documents.ts";

export type Choice = "refused" | "replaces" | "counts" | "taken_back";

/** A document in a raw object, and what became of it when the object was last read. */
export interface Part {
  document: Document;
  /** Domains that its address accepted of it. */
  domains: readonly string[];
  /**
   * report: it is counted, or a duplicate or conflict of one. closed: its day was final already. dropped: the address wants
   * no failure reports.
   */
  state: "unread" | "report" | "dead" | "discarded" | "closed" | "dropped";
}

/** Sums of one day of a domain. */
export interface DaySums extends Counted {
  account: string;
  reports: number;
  /** Of them, what the judgement does not count. */
  uncounted: { reports: number; total: number };
}

/** A raw object. */
export interface ModelObject {
  key: string;
  rua: string;
  isVerified: boolean;
  /** Not by mail: it has no budget, and its sender, unless verified, is not known, which the judgement counts. */
  isImported: boolean;
  parts: Part[];
  /** Set when it was refused as a whole. */
  whole: "dead" | "discarded" | undefined;
  /** The account it was last read for; undefined = it waits, or its address is nobody's. */
  account: string | undefined;
  generation: number;
  isRawRemoved: boolean;
  /** A reading of it failed on every attempt, and a person discarded that. */
  isGivenUp: boolean;
  /** R2 has it no more, and nobody meant that. Its report stays counted; nothing else of it can be. */
  isLost: boolean;
  /** Its address was not its account's when a report of it might have begun to count; until it is read again. */
  isOutOfReach: boolean;
}

/** The version of a report that is counted. */
export interface Accepted {
  key: string;
  document: Document;
  /** What of it is counted: what any address of its account accepts. */
  domains: readonly string[];
  /** A verified mail brought it, or one with the same content while that counted. */
  isVerified: boolean;
}

/** A version of a report in an object that was read. */
type Member = Accepted;

/** All versions of one report in one account. */
export interface Group {
  account: string;
  identity: string;
  accepted: Accepted | undefined;
  /** What was taken back last, if nothing has been accepted since. */
  takenBack: Accepted | undefined;
}

/** A row of an object as the ledger has it. */
export interface SeenObject {
  account: string;
  generation: number;
  codes: string[];
  isDecided: boolean;
  /** Documents that its address was found not to accept. */
  foreign: Document[];
}

/** An accepted report. */
export interface SeenReport {
  key: string;
  domains: string[];
  isVerified: boolean;
}

/** What was seen of the ledger after the queues were drained. */
export interface Seen {
  objects: ReadonlyMap<string, SeenObject>;
  /** By `account|identity|content`. */
  accepted: ReadonlyMap<string, SeenReport>;
}

/** What holds while objects are read. */
export interface Reading {
  /** Every object is too large for the plan. */
  isTooSmall: boolean;
  /** An object may be over its budget. */
  isBudgetLow: boolean;
}

export class Model {
  readonly objects = new Map<string, ModelObject>();
  /**
   * Objects of accounts that were forgotten. One came to another account before: what it counts there stays if a day was
   * final when its address moved.
   */
  readonly removed = new Map<string, ModelObject>();
  readonly groups = new Map<string, Group>();
  /** `account|identity|content` → what a person decided. */
  readonly choices = new Map<string, Choice>();
  /** RUA address → account. */
  readonly addresses = new Map<string, string>();
  /** RUA address → domains it accepts; absent = any. */
  readonly domains = new Map<string, readonly string[]>();
  /** RUA address → what is kept of its failure reports; absent = facts. */
  readonly failureReports = new Map<string, "off" | "facts" | "store">();
  /** `account|kind|domain|day` of days whose sums are final, with those sums. */
  readonly final = new Map<string, DaySums>();
  /** Days before it have been closed: what is known of reports that do not count is gone with their details. */
  keptFrom = 0;
  /** Versions that a verified mail brought, as `account|identity|content`. */
  readonly proven = new Set<string>();
  /** Reports that were over a budget at some time, as `account/r-number`. */
  readonly overBudget = new Set<string>();
  /** Reports in objects that were lost at some time, as `r-number`: points cannot be written again. */
  readonly lost = new Set<string>();
  /** The ledger was restored: what was taken back or replaced since then counts again, but not its points. */
  isRestored = false;
  /** Accounts that were forgotten at some time. */
  readonly forgotten = new Set<string>();
  /** Objects that have to be read again before the ledger is looked at. */
  readonly due = new Set<string>();

  addObject(key: string, rua: string, file: MailFile, given: Pick<ModelObject, "isVerified" | "isImported">): void {
    const known = this.objects.get(key);
    if (known !== undefined) {
      known.isLost = false;
      return;
    }
    this.objects.set(key, {
      key,
      rua,
      ...given,
      parts: file.documents.map((document) => ({ document, domains: [], state: "unread" })),
      whole: undefined,
      account: undefined,
      generation: 0,
      isOutOfReach: false,
      isRawRemoved: false,
      isGivenUp: false,
      isLost: false,
    });
    this.due.add(key);
  }

  /** What of the model is in the ledger, to be brought back with it. */
  backUp(): () => void {
    const { objects, removed, groups, choices, addresses, domains, failureReports, final, proven } = this;
    const saved = { objects, removed, groups, choices, addresses, domains, failureReports, final, proven };
    const kept = structuredClone(saved);
    return () => {
      const again = structuredClone(kept);
      putBack(objects, again.objects);
      putBack(removed, again.removed);
      putBack(groups, again.groups);
      putBack(choices, again.choices);
      putBack(addresses, again.addresses);
      putBack(domains, again.domains);
      putBack(failureReports, again.failureReports);
      putBack(final, again.final);
      proven.clear();
      for (const name of again.proven) proven.add(name);
    };
  }

  /** An object, also one that was removed. */
  known(key: string): ModelObject | undefined {
    return this.objects.get(key) ?? this.removed.get(key);
  }

  /** The raw object is lost, until the same mail comes again. */
  lose(object: ModelObject): void {
    object.isLost = true;
    object.isOutOfReach = true;
    for (const { document } of object.parts) this.lost.add(`r-${document.number}`);
  }

  /** The group of a document in an account: its report's, or its own if it counts beside another version. */
  group(account: string, document: Document): Group {
    const plain = identityOf(document);
    const isSeparate = this.choices.get(nameOf(account, plain, document)) === "counts";
    const identity = isSeparate ? `${plain}#${document.content}` : plain;
    const key = `${account}|${identity}`;
    const known = this.groups.get(key) ?? { account, identity, accepted: undefined, takenBack: undefined };
    this.groups.set(key, known);
    return known;
  }

  choice({ account, identity }: Group, document: Document): Choice | undefined {
    return this.choices.get(nameOf(account, identity, document));
  }

  choose({ account, identity }: Group, document: Document, choice: Choice | undefined): void {
    const name = nameOf(account, identity, document);
    // An earlier choice ends with a new one.
    if (choice === "replaces")
      for (const [other, chosen] of this.choices)
        if (chosen === "replaces" && other.startsWith(`${account}|${identity}|`)) this.choices.set(other, "refused");
    if (choice === undefined) this.choices.delete(name);
    else this.choices.set(name, choice);
  }

  /** Whether any day of a document is. */
  isFinal(account: string, document: Document): boolean {
    return countedOf(document).some(({ domain, day }) => !this.isOpen(account, document, { domain, day }));
  }

  /** Whether the day of a domain of a document is not final. */
  isOpen(account: string, { kind }: Document, { domain, day }: Pick<Counted, "domain" | "day">): boolean {
    return !this.final.has(dayName({ account, kind, domain, day }));
  }

  /** Documents of a group that have been read. */
  members(group: Group): Member[] {
    return [...this.objects.values()].flatMap(({ key, account, parts, isVerified }) =>
      parts
        .filter(({ state }) => state === "report" && account === group.account)
        .filter(({ document }) => this.group(group.account, document) === group)
        .map(({ document, domains }) => ({ key, document, domains, isVerified })),
    );
  }

  /** Versions that wait for a person, as `account|identity|content`. */
  conflicts(): string[] {
    const names = new Set<string>();
    for (const group of this.groups.values()) {
      const { accepted, account } = group;
      if (accepted === undefined || this.isFinal(account, accepted.document)) continue;
      for (const { document } of this.members(group))
        if (document.content !== accepted.document.content && this.choice(group, document) === undefined)
          names.add(nameOf(account, group.identity, document));
    }
    return [...names].sort();
  }

  /** Versions in objects that are out of reach: a conflict of one stays as it was, whatever became of the other version. */
  outOfReach(): Set<string> {
    const names = [...this.objects.values()]
      .filter(({ isOutOfReach }) => isOutOfReach)
      .flatMap(({ account = "", parts }) =>
        parts.map(({ document }) => nameOf(account, this.group(account, document).identity, document)),
      );
    return new Set(names);
  }

  /** The domains of a document that an address accepts. */
  acceptedOf(rua: string, { domains }: Document): readonly string[] {
    const listed = this.domains.get(rua);
    return listed === undefined ? domains : domains.filter((domain) => listed.includes(domain));
  }

  /** Takes over what happened to the objects, by the rules. @returns what broke them */
  settle(seen: Seen, reading: Reading): string[] {
    const wrong: string[] = [];
    for (const object of this.objects.values()) {
      const row = seen.objects.get(object.key);
      if (row === undefined) {
        wrong.push(`${object.key} has no outcome`);
        continue;
      }
      const isRun = row.generation > object.generation;
      if (this.due.has(object.key) && !isRun) wrong.push(`${object.key} was not read again`);
      if (isRun && isGivenUp(object, row)) object.isGivenUp = true;
      else if (isRun) wrong.push(...this.#read(object, row, reading));
      object.generation = row.generation;
      if (row.account !== (object.account ?? ""))
        wrong.push(`${object.key} is of ${row.account || "nobody"}, not ${object.account ?? "nobody"}`);
    }
    this.due.clear();
    for (const group of [...this.groups.values()]) wrong.push(...this.#count(group, seen));
    return wrong;
  }

  /** What reading an object does. @returns what broke the rules */
  #read(object: ModelObject, row: SeenObject, { isTooSmall, isBudgetLow }: Reading): string[] {
    const account = this.addresses.get(object.rua);
    if (account !== undefined && !object.isLost) object.isOutOfReach = false;
    const isDecided = object.parts.some(({ state }) => state === "report");
    const states = object.parts.map(({ state }) => state);
    const isGone = (state: Part["state"]): boolean => state === "discarded" || state === "dropped";
    const isDiscarded = object.isGivenUp || object.whole === "discarded" || (states.length > 0 && states.every(isGone));
    const isThere = !object.isRawRemoved && !object.isLost;
    if ((account === undefined || !isThere) && (isDecided || isDiscarded)) return [];
    object.isGivenUp = false;
    const refuse = (): void => {
      object.whole = object.whole === "discarded" ? "discarded" : "dead";
      for (const part of object.parts) if (part.state !== "discarded") part.state = "unread";
    };
    if (account === undefined || !isThere) {
      object.account = account ?? object.account;
      refuse();
      return [];
    }
    const [first] = object.parts;
    if (isTooSmall) {
      object.account = account;
      if (isOneFile(object) && (first?.state === "discarded" || first?.state === "dead")) {
        object.whole = first.state === "discarded" ? "discarded" : "dead";
      }
      refuse();
      for (const part of object.parts) part.state = "unread";
      return [];
    }
    // What was decided in another account's database is not known in this one's.
    const isMoved = object.account !== account;
    if (isBudgetLow && !object.isImported && (!isDecided || isMoved) && row.codes.includes("over_budget")) {
      object.account = account;
      for (const { document } of object.parts) this.overBudget.add(`${account}/r-${document.number}`);
      refuse();
      return [];
    }
    if (isOneFile(object) && first !== undefined && object.whole === "discarded") first.state = "discarded";
    object.whole = undefined;
    const kept = this.failureReports.get(object.rua) ?? "facts";
    for (const part of object.parts) {
      part.domains = this.acceptedOf(object.rua, part.document);
      if (part.domains.length > 0 || part.document.kind === "broken")
        this.#readPart(part, { account, before: object.account, kept });
      // What was accepted from it stays so, and what became of it as people decided.
      else if (this.#staysRead(object, part, account)) {
        if (row.foreign.includes(part.document)) return [`${object.key} is foreign to ${object.rua}`];
        part.state = "report";
      } else if (row.foreign.includes(part.document)) part.state = part.state === "discarded" ? "discarded" : "dead";
      else if (part.state !== "discarded") return [`${object.key} is not foreign to ${object.rua}`];
    }
    object.account = account;
    const isFailure = first?.document.kind === "failure";
    if (isFailure && kept !== "store" && (first.state === "report" || isGone(first.state))) object.isRawRemoved = true;
    return [];
  }

  /** Whether a report is not asked whether its address accepts its domain: also one that was taken back, or refused. */
  #staysRead({ key, account: before }: ModelObject, { document, state }: Part, account: string): boolean {
    const group = this.group(account, document);
    const choice = this.choice(group, document);
    const wasRead = state === "report" && account === before;
    if (wasRead && (choice === "taken_back" || this.isFinal(account, document))) return true;
    if (choice === "refused" && !this.isFinal(account, document)) return true;
    return group.accepted?.key === key || group.takenBack?.key === key;
  }

  #readPart(
    part: Part,
    { account, before, kept }: { account: string; before: string | undefined; kept: "off" | "facts" | "store" },
  ): void {
    const { document, state } = part;
    if (document.kind === "failure" && kept === "off") part.state = "dropped";
    else if (document.kind === "broken") part.state = state === "discarded" ? "discarded" : "dead";
    else if (!this.isFinal(account, document)) part.state = "report";
    else if (state === "report" && account === before) part.state = "report";
    else part.state = state === "discarded" ? "discarded" : "closed";
  }

  /** Which version of a group is counted. @returns what broke the rules */
  #count(group: Group, { accepted }: Seen): string[] {
    const { account, identity } = group;
    const members = this.members(group);
    const found = [...accepted].filter(([name]) => name.startsWith(`${account}|${identity}|`));
    const documents = found.map(([name, one]) => ({ ...one, content: Number(name.split("|")[2]) }));
    const before = group.accepted;
    const [one, ...more] = documents;
    const name = `${account} ${identity}`;
    if (more.length > 0) return [`${name}: ${documents.length} versions are counted`];
    const isClosed = before !== undefined && this.isFinal(account, before.document);
    if (isClosed) {
      // Its first day may have gone, and the others still be there.
      return one === undefined || one.content === before.document.content
        ? []
        : [`${name} changed after its day was closed`];
    }
    const allowed = this.#allowed(group, members);
    if (one === undefined) {
      if (allowed.length > 0) return [`${name}: nothing is counted of ${allowed.map(({ key }) => key).join(" ")}`];
      group.accepted = undefined;
      return [];
    }
    const chosen = allowed.find(({ key, document }) => key === one.key && document.content === one.content);
    if (chosen === undefined) {
      const keys = allowed.map(({ key, document }) => `${document.content} of ${key}`);
      return [`${name}: version ${one.content} of ${one.key} is counted, not ${keys.join(" or ") || "none"}`];
    }
    if (chosen.isVerified && !one.isVerified) return [`${name} of ${one.key} is not verified`];
    const isProven = this.#isProven(group, members, one.content);
    if (one.isVerified && !isProven) return [`${name} of ${one.key} is verified, which nobody sent`];
    group.accepted = { ...chosen, domains: one.domains, isVerified: one.isVerified };
    group.takenBack = undefined;
    // What another brought is not lost.
    const lost = members
      .filter(({ document }) => document.content === one.content)
      .filter((member) => this.choice(group, member.document) !== "refused" && this.#isInReach(member.key, group))
      .flatMap(({ domains }) => domains.filter((domain) => !one.domains.includes(domain)));
    return lost.map((domain) => `${name} is not counted for ${domain}`);
  }

  /** Whether a verified mail brought this content, now or before. */
  #isProven(group: Group, members: readonly Member[], content: number): boolean {
    const name = `${group.account}|${group.identity}|${content}`;
    if (members.some(({ document, isVerified }) => document.content === content && isVerified)) this.proven.add(name);
    return this.proven.has(name);
  }

  #allowed(group: Group, members: readonly Member[]): Accepted[] {
    const before = group.accepted;
    const isSame = ({ key, document }: Accepted): boolean =>
      key === before?.key && document.content === before.document.content;
    const able = members.filter((member) => {
      const choice = this.choice(group, member.document);
      return (choice === undefined || choice === "replaces") && (isSame(member) || this.#isInReach(member.key, group));
    });
    const chosen = able.filter(({ document }) => this.choice(group, document) === "replaces");
    if (chosen.length > 0) return chosen;
    // The same content is as good as that of a verified mail, once that counts.
    const isBefore = ({ document }: Accepted): boolean =>
      before?.isVerified === true && document.content === before.document.content;
    const verified = able.filter((member) => member.isVerified || (isSame(member) && isBefore(member)));
    const contents = new Set(verified.map(({ document }) => document.content));
    const best = verified.length > 0 ? able.filter(({ document }) => contents.has(document.content)) : able;
    const kept = (verified.length > 0 ? verified : able).filter(isSame);
    // The same version takes its place if it came to an address that accepts more of its domains.
    const wider = best.filter(
      ({ document, domains }) =>
        document.content === before?.document.content && domains.some((domain) => !before.domains.includes(domain)),
    );
    return kept.length > 0 ? [...kept, ...wider] : best;
  }

  /** Whether an object can be read for an account, and has been if it could not before. */
  #isInReach(key: string, { account }: Group): boolean {
    const object = this.objects.get(key);
    if (object === undefined) return false;
    object.isOutOfReach ||= this.addresses.get(object.rua) !== account;
    return !object.isOutOfReach;
  }

  /** Closes the days before one. @param isClosed which of them, by name; absent = all */
  close(beforeDay: number, isClosed: (name: string) => boolean = () => true): void {
    this.keptFrom = Math.max(this.keptFrom, beforeDay);
    for (const counted of this.sums()) {
      const name = dayName(counted);
      if (counted.day < beforeDay && !this.final.has(name) && isClosed(name)) this.final.set(name, counted);
    }
  }

  /** Forgets an account. */
  forget(account: string): void {
    this.forgotten.add(account);
    const objects = [...this.objects.values()];
    // Mail of nobody's at addresses that it has, or had and nobody has now, goes with it.
    const had = objects.filter((object) => object.account === account && !this.addresses.has(object.rua));
    const has = [...this.addresses].filter(([, owner]) => owner === account);
    const ruas = new Set([...had.map(({ rua }) => rua), ...has.map(([rua]) => rua)]);
    for (const object of objects)
      if (object.account === account || (object.account === undefined && ruas.has(object.rua))) {
        this.objects.delete(object.key);
        this.removed.set(object.key, object);
      }
    for (const map of [this.groups, this.choices, this.final])
      for (const key of map.keys()) if (key.startsWith(`${account}|`)) map.delete(key);
    for (const [rua, owner] of this.addresses) if (owner === account) this.addresses.delete(rua);
  }

  /** Accepted reports of which any day is kept, with what they count. */
  reports(): { group: Group; accepted: Accepted; counted: Counted[] }[] {
    return [...this.groups.values()].flatMap((group) => {
      const { accepted } = group;
      if (accepted === undefined) return [];
      const { document } = accepted;
      const counted = countedOf(document)
        .filter(({ domain }) => accepted.domains.includes(domain))
        .filter((one) => this.isOpen(group.account, document, one));
      return counted.length === 0 ? [] : [{ group, accepted, counted }];
    });
  }

  /** Whether the judgement counts a version. */
  isCounted({ key, isVerified }: Accepted): boolean {
    return isVerified || this.known(key)?.isImported === true;
  }

  /** Sums by account, kind, domain and day: of final days, and of the reports that count. */
  sums(): DaySums[] {
    const sums = new Map<string, DaySums>();
    for (const [name, counted] of this.final) sums.set(name, counted);
    for (const { group, accepted, counted } of this.reports()) {
      for (const one of counted) {
        const name = dayName({ ...one, account: group.account });
        const sum = sums.get(name) ?? {
          ...one,
          account: group.account,
          reports: 0,
          total: 0,
          passed: 0,
          byAddress: {},
          uncounted: { reports: 0, total: 0 },
        };
        const byAddress = { ...sum.byAddress };
        for (const [address, count] of Object.entries(one.byAddress))
          byAddress[address] = (byAddress[address] ?? 0) + count;
        const reports = one.day === accepted.document.days[0] ? 1 : 0;
        const { uncounted } = sum;
        sums.set(name, {
          ...sum,
          reports: sum.reports + reports,
          uncounted: this.isCounted(accepted)
            ? uncounted
            : { reports: uncounted.reports + reports, total: uncounted.total + one.total },
          total: sum.total + one.total,
          passed: sum.passed + one.passed,
          byAddress,
        });
      }
    }
    return [...sums.values()];
  }

  /** Open dead letters. */
  deadLetters(): number {
    let count = 0;
    for (const { whole, parts } of this.objects.values()) {
      if (whole === "dead") count++;
      count += parts.filter(({ state }) => state === "dead" || state === "closed").length;
    }
    return count;
  }
}

/** Whether the last message about an object was given up, which is discarded, and what it is was not decided by another. */
function isGivenUp({ parts }: ModelObject, { codes, isDecided }: SeenObject): boolean {
  const wasDecided = parts.some(({ state }) => state === "report");
  return codes.includes("retries_exhausted") && (wasDecided || !isDecided);
}

function putBack<Key, Value>(map: Map<Key, Value>, values: ReadonlyMap<Key, Value>): void {
  map.clear();
  for (const [key, value] of values) map.set(key, value);
}

export function nameOf(account: string, identity: string, { content }: Pick<Document, "content">): string {
  return `${account}|${identity}|${content}`;
}

/** Whether an object is a file that holds no others: what was discarded of one is discarded of the other. */
export function isOneFile({ key, parts }: Pick<ModelObject, "key" | "parts">): boolean {
  const isMail = key.endsWith(".eml") && parts[0]?.document.kind !== "failure";
  return parts.length === 1 && !key.endsWith(".zip") && !isMail;
}

/** The name of a day of a domain. */
export function dayName({
  account,
  kind,
  domain,
  day,
}: Pick<Counted, "kind" | "domain" | "day"> & { account: string }): string {
  return `${account}|${kind}|${domain}|${day}`;
}
