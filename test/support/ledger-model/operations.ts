/**
 * Support: what may happen to a ledger, as people and the platform do it: each step has numbers that choose among what is
 * there when it is done, so that any other step can be left out of a sequence.
 */
import { createHash } from "node:crypto";
import type { Inputs, Outputs, ProcessOperation } from "../../../shared/contract/operations.ts";
import { removeOldDetails } from "../../../shared/ledger/retention.ts";
import type { ConflictDecision } from "../../../shared/operations.ts";
import { isoDate } from "../../../shared/storage.ts";
import type { Invocation } from "../../../workers/process/env.ts";
import { runUpkeep } from "../../../workers/process/upkeep.ts";
import { FAULT_MODES } from "../simulation/faults.ts";
import { listConflicts, listDeadLetters } from "../simulation/listings.ts";
import type { Simulation } from "../simulation/simulation.ts";
import { documentIn, mergeAll } from "./actual.ts";
import {
  ACCOUNTS,
  countedOf,
  DOMAINS,
  type Document,
  documentOf,
  type FileWithContent,
  filesWith,
  largeDocument,
  type ModelMail,
  mailWith,
  type Packing,
} from "./documents.ts";
import { dayName, isOneFile, type Model, type Reading } from "./model.ts";
import type { Performed } from "./perform.ts";

/** Two for each account, at first. */
export const RUAS = ACCOUNTS.flatMap((account) => [`dmarc@${account}.example`, `reports@${account}.example`]);
const SECONDS_PER_DAY = 86_400;
/** What a receiver said about a mail from there, as it is stored. */
const VERIFIED = "expected results dmarc=pass/reporter.example";

/** How often each step is taken, relative to the others. */
const WEIGHTS = {
  mail: 30,
  mailAgain: 8,
  importFiles: 8,
  importAgain: 3,
  keepConflict: 3,
  replaceConflict: 4,
  countBoth: 3,
  keepVerified: 2,
  takeBack: 5,
  undoTakeBack: 4,
  reprocessOne: 5,
  reprocessAll: 2,
  reprocessDomain: 2,
  cancelReprocess: 2,
  readLess: 3,
  overBudget: 4,
  runDeadLettersAgain: 4,
  discardDeadLetters: 3,
  restoreDeadLetters: 2,
  removeAddress: 2,
  register: 4,
  addDomain: 3,
  removeDomain: 2,
  oldCopy: 2,
  loseCopies: 1,
  unbind: 3,
  rollback: 2,
  outage: 2,
  backUp: 2,
  restore: 1,
  keepDays: 1,
  forget: 1,
  oldMessages: 4,
  loseSlices: 1,
  loseMail: 2,
  loseObject: 2,
  merge: 5,
  upkeep: 4,
  someUpkeep: 3,
  hours: 4,
  days: 2,
} as const;

export type StepName = keyof typeof WEIGHTS;

/** One step: what is done, and numbers that choose among what there is. */
export interface Step {
  name: StepName;
  numbers: [number, number, number, number];
  /** Its messages wait until a later step. */
  isHeld: boolean;
  /** What is asked for happens while all objects are read again. */
  isRacing: boolean;
}

/**
 * Steps after which it makes no difference whether an object was read before or after; of addresses, once all objects are
 * read again.
 */
const RACING: readonly StepName[] = [
  "keepConflict",
  "replaceConflict",
  "countBoth",
  "takeBack",
  "undoTakeBack",
  "discardDeadLetters",
  "restoreDeadLetters",
  "removeAddress",
  "register",
  "upkeep",
  "merge",
];

/** A step at random. */
export function randomStep(random: () => number): Step {
  const names = Object.keys(WEIGHTS) as StepName[];
  const places = names.flatMap((name) => Array.from({ length: WEIGHTS[name] }, () => name));
  const name = places[Math.floor(random() * places.length)] ?? "mail";
  const number = (): number => Math.floor(random() * 1_000_000);
  return {
    name,
    numbers: [number(), number(), number(), number()],
    isHeld: name === "mail" && random() < 0.4,
    isRacing: RACING.includes(name) && random() < 0.4,
  };
}

/** What a sequence works on. */
export interface Ground {
  simulation: Simulation;
  model: Model;
  mails: ModelMail[];
  /** Only mails can be verified: their receiver's results are imported with them. */
  imports: { rua: string; files: FileWithContent[]; isVerified: boolean }[];
  /** Empties the queues, under faults, and takes the outcome over into the model. @returns what is wrong */
  drain(reading?: Partial<Reading>): Promise<string[]>;
  /** The next operation is asked for while all objects are read again. */
  isRacing: boolean;
  /** Empties the queues, under faults; the model takes nothing over. */
  work(): Promise<void>;
  /** Asks for an operation, under faults. */
  ask<Name extends ProcessOperation>(name: Name, input: Inputs[Name]): Promise<Performed<Outputs[Name]>>;
  /** Runs what the platform starts, under faults, until it ends without one. */
  persist<Result>(run: (invocation: Invocation) => Promise<Result>): Promise<Result>;
  /** Brings back the ledger as it was, and the model; undefined = nothing was kept. */
  backup: { goBack(): void; day: string } | undefined;
  /** Messages that were delivered at some time. */
  delivered: DeliveredMessage[];
  /** Whether a message is lost when it should be delivered. */
  isLost(message: DeliveredMessage): boolean;
}

/** A message, and the queue that it was in. */
export interface DeliveredMessage {
  queue: keyof Simulation["queues"];
  body: string;
}

type Numbers = Step["numbers"];

/** How the names of calls begin that fail together. */
const OUTAGES = [
  "r2.get",
  "r2.delete",
  "d1.batch",
  "d1_1.",
  "d1_2.",
  "d1_2.batch",
  "analytics.",
  "queue.send dmarc-points",
  "queue.",
] as const;

const STEPS: Record<StepName, (ground: Ground, numbers: Numbers, isHeld: boolean) => Promise<string[]>> = {
  async mail(ground, numbers, isHeld) {
    await sendMail(ground, numbers);
    return isHeld ? [] : ground.drain();
  },
  async mailAgain(ground, [a]) {
    const mail = pick(ground.mails, a);
    if (mail !== undefined) await deliver(ground, mail);
    return ground.drain();
  },
  async importFiles(ground, [a, b, c, d]) {
    const waiting = d % 2 === 0 ? await ground.drain() : [];
    const name = `i${ground.imports.length}`;
    const packing = c % 3 === 0 ? "mail" : packingOf(Math.floor(d / 3));
    const files = filesWith({ name, documents: documentsOf(b, c, d), packing });
    const isFailure = files[0]?.documents[0]?.kind === "failure";
    ground.imports.push({ rua: pick(RUAS, a) ?? "", files, isVerified: packing === "mail" && !isFailure && d % 5 < 2 });
    return [...waiting, ...(await importFiles(ground, ground.imports.length - 1)), ...(await ground.drain())];
  },
  async importAgain(ground, [a]) {
    const waiting = await ground.drain();
    return [...waiting, ...(await importFiles(ground, a)), ...(await ground.drain())];
  },
  keepConflict: (ground, numbers) => decide(ground, numbers, "keep"),
  replaceConflict: (ground, numbers) => decide(ground, numbers, "replace"),
  countBoth: (ground, numbers) => decide(ground, numbers, "count_both"),
  async keepVerified({ simulation, model, drain, ask }, [a]) {
    const waiting = await drain();
    const conflictsNow = async () => (await listConflicts(undefined, { shards: simulation.invocation().shards })).items;
    type Conflict = Awaited<ReturnType<typeof conflictsNow>>[number];
    const isDoubted = ({ accepted, other }: Conflict): boolean =>
      accepted.sender.state === "verified" && ["unverified", "contradicted"].includes(other.sender.state);
    const before = await conflictsNow();
    const one = pick(before.filter(isDoubted), a) ?? pick(before, a);
    if (one === undefined) return waiting;
    const groupOf = ({ account, domain, kind, reporter }: Conflict) => ({ account, domain, kind, reporter });
    const { answer } = await ask("keepVerified", { ...groupOf(one), reason: "a test" });
    if (!answer.ok) return [...waiting, `keeping: ${answer.error.message}`];
    const left = new Set((await conflictsNow()).map(({ id }) => id));
    for (const conflict of before) {
      const { id, account, other } = conflict;
      const isDecided = isDoubted(conflict) && JSON.stringify(groupOf(conflict)) === JSON.stringify(groupOf(one));
      if (left.has(id) === isDecided) waiting.push(`${id} is ${left.has(id) ? "left" : "decided"}`);
      const version = documentIn(model, other.rawKey, other.part);
      if (!left.has(id)) model.choose(model.group(account, version), version, "refused");
    }
    return [...waiting, ...(await drain())];
  },
  async takeBack({ simulation, model, drain, ask, isRacing }, [a, b]) {
    const waiting = await drain();
    const report = pick(model.reports(), a);
    if (report === undefined) return waiting;
    const { group, accepted, counted } = report;
    const rows = countedOf(accepted.document).filter(({ domain }) => accepted.domains.includes(domain));
    const reference = referenceOf(simulation, report, b);
    const { answer, isRepeated } = await ask("takeBackReport", { ...reference, reason: "a test" });
    const isDone = answer.ok || (isRepeated && answer.error.message === "The report is taken back.");
    if (counted.length < rows.length) {
      if (isDone) waiting.push("taking back: a report of which a day is final");
      return [...waiting, ...(await drain())];
    }
    if (!isDone && isRacing) return [...waiting, ...(await drain())];
    if (!isDone) return [...waiting, `taking back: ${answer.error.message}`];
    model.choose(group, accepted.document, "taken_back");
    group.takenBack = accepted;
    group.accepted = undefined;
    return [...waiting, ...(await drain())];
  },
  async undoTakeBack({ simulation, model, drain, ask, isRacing }, [a, b]) {
    const waiting = await drain();
    const able = [...model.groups.values()].filter(({ account, takenBack }) => {
      const object = model.objects.get(takenBack?.key ?? "");
      if (takenBack === undefined || object === undefined || model.isFinal(account, takenBack.document)) return false;
      // What its address's next account dropped would count for nobody's object.
      return object.account === account || !(object.isRawRemoved || object.isLost);
    });
    const group = pick(able, a);
    if (group?.takenBack === undefined) return waiting;
    const rows = simulation.rows<{ uid: string; domain: string; day: number; part: string }>(
      `SELECT lower(hex(uid)) AS uid, domain, day, part FROM reports
      WHERE state = 'taken_back' AND account = '${group.account}' AND raw_key = '${group.takenBack.key}' ORDER BY day, domain`,
    );
    const { document, key } = group.takenBack;
    const one = pick(
      rows.filter(({ part }) => documentIn(model, key, part) === document),
      b,
    );
    if (one === undefined) return waiting;
    const { domain, uid } = one;
    const reference = { account: group.account, domain, day: isoDate(one.day * SECONDS_PER_DAY), uid };
    const { answer, isRepeated } = await ask("undoTakeBack", reference);
    const isDone = answer.ok || (isRepeated && answer.error.message === "The report is accepted.");
    if (!isDone && isRacing) return [...waiting, ...(await drain())];
    if (!isDone) {
      const { rua = "" } = model.objects.get(key) ?? {};
      return model.addresses.get(rua) === group.account ? [...waiting, `restoring: ${answer.error.message}`] : waiting;
    }
    model.choose(group, document, undefined);
    group.accepted = group.takenBack;
    group.takenBack = undefined;
    if (simulation.bucket.keys(key).length > 0) model.due.add(key);
    return [...waiting, ...(await drain())];
  },
  async reprocessOne(ground, [a]) {
    const waiting = await ground.drain();
    const object = pick([...ground.model.objects.values()], a);
    if (object === undefined) return waiting;
    return [...waiting, ...(await reprocess(ground, { key: object.key }))];
  },
  reprocessAll: async (ground) => [...(await ground.drain()), ...(await reprocess(ground, {}))],
  async reprocessDomain(ground, [a]) {
    const waiting = await ground.drain();
    const report = pick(ground.model.reports(), a);
    if (report === undefined) return waiting;
    const [domain] = report.accepted.document.domains;
    return [...waiting, ...(await reprocess(ground, { domain }))];
  },
  // Some of what it enqueued may have been read by then.
  async cancelReprocess({ simulation, drain, ask }, [a]) {
    const waiting = await drain();
    simulation.clock.nowMilliseconds += 2000;
    const { answer } = await ask("startReprocess", {});
    if (!answer.ok) return waiting;
    for (let round = a % 5; round > 0; round--) await simulation.runProcess({ maxBatchSize: 1 + (a % 7) });
    const cancelled = await ask("cancelJob", { id: answer.value.id });
    if (!cancelled.answer.ok) waiting.push(`cancelling: ${cancelled.answer.error.message}`);
    return [...waiting, ...(await drain())];
  },
  async readLess(ground, [a]) {
    const { simulation, model, drain } = ground;
    const waiting = await drain();
    const object = pick([...model.objects.values()], a);
    if (object === undefined) return waiting;
    simulation.maxReportBytes = 1;
    const wrong = await reprocess(ground, { key: object.key }, { isTooSmall: true });
    simulation.maxReportBytes = 0;
    return [...waiting, ...wrong];
  },
  async overBudget(ground, numbers) {
    const { simulation, drain } = ground;
    const waiting = await drain();
    const { recordsPerDay, reportsPerDay } = simulation;
    const before = { ...recordsPerDay, ...reportsPerDay };
    if (numbers[2] % 4 === 0) reportsPerDay.reporter = 1 + (numbers[3] % 3);
    else recordsPerDay[numbers[2] % 4 === 1 ? "account" : "address"] = 1 + (numbers[3] % 6);
    for (let i = 0; i < 3; i++)
      await sendMail(ground, [numbers[0] + i * 5, numbers[1] + i, numbers[2], numbers[3] + i]);
    const wrong = await drain({ isBudgetLow: true });
    recordsPerDay.address = before.address;
    recordsPerDay.account = before.account;
    reportsPerDay.reporter = before.reporter;
    return [...waiting, ...wrong];
  },
  async runDeadLettersAgain({ simulation, model, drain, ask }, [a]) {
    const waiting = await drain();
    const found = await deadLetters(simulation, false);
    const some = found.filter((_, i) => a % 3 === 0 || i % 3 === a % 3);
    const ids = some.map(({ id }) => id);
    if (ids.length === 0) return waiting;
    await ask("requeueDeadLetters", { ids });
    for (const { rawKey } of some) if (simulation.bucket.keys(rawKey).length > 0) model.due.add(rawKey);
    return [...waiting, ...(await drain())];
  },
  discardDeadLetters: (ground, numbers) => changeDeadLetters(ground, numbers, true),
  restoreDeadLetters: (ground, numbers) => changeDeadLetters(ground, numbers, false),
  async removeAddress(ground, [a, b]) {
    const { model, drain, ask, isRacing } = ground;
    const waiting = b % 2 === 0 || isRacing ? await drain() : [];
    const rua = pick([...model.addresses.keys()], a);
    if (rua === undefined) return waiting;
    await ask("removeRegistration", { rua });
    model.addresses.delete(rua);
    if (isRacing) await readAllAgain(ground);
    return [...waiting, ...(await drain())];
  },
  async register(ground, [a, b, c]) {
    const { model, drain, ask, isRacing } = ground;
    const waiting = c % 2 === 0 || isRacing ? await drain() : [];
    const rua = pick(RUAS, a) ?? "";
    const account = pick(ACCOUNTS, b) ?? "";
    const failureReports = pick(["facts", "facts", "store", "off"] as const, Math.floor(c / 2));
    const domains = pick([undefined, undefined, [DOMAINS[0]], [DOMAINS[1]]], Math.floor(a / RUAS.length));
    const entry = { account, failureReports, ...(domains === undefined ? {} : { domains }) };
    const { answer } = await ask("putRegistration", { rua, entry });
    if (!answer.ok) return [...waiting, `registering: ${answer.error.message}`];
    model.addresses.set(rua, account);
    model.failureReports.set(rua, failureReports ?? "facts");
    model.domains.set(rua, domains ?? DOMAINS);
    if (isRacing) await readAllAgain(ground);
    return [...waiting, ...(await drain())];
  },
  async addDomain(ground, [a, b, c]) {
    const waiting = c % 2 === 0 ? await ground.drain() : [];
    const rua = pick(RUAS, a) ?? "";
    const account = pick(ACCOUNTS, b) ?? "";
    await ground.ask("addDomains", { account, domains: [pick(DOMAINS, Math.floor(c / 2)) ?? ""], rua });
    return [...waiting, ...takeOverAddresses(ground, { rua, account }), ...(await ground.drain())];
  },
  async removeDomain(ground, [a, b, c]) {
    const waiting = c % 2 === 0 ? await ground.drain() : [];
    await ground.ask("removeDomain", { account: pick(ACCOUNTS, a) ?? "", domain: pick(DOMAINS, b) ?? "" });
    return [...waiting, ...takeOverAddresses(ground), ...(await ground.drain())];
  },
  // What ingest asks first may be older than the registry.
  async oldCopy(ground, [a, b, c, d]) {
    const { registry } = ground.simulation;
    const waiting = await ground.drain();
    const name = `dmarc:${pick(RUAS, a)}`;
    const now = registry.get(name);
    registry.set(name, JSON.stringify({ v: 1, shard: b % 3, account: pick(ACCOUNTS, b) }));
    await sendMail(ground, [a, b, c, d]);
    if (now === undefined) registry.delete(name);
    else registry.set(name, now);
    return [...waiting, ...(await ground.drain())];
  },
  // Ingest goes on with what D1 says.
  async loseCopies(ground, numbers) {
    const waiting = await ground.drain();
    ground.simulation.registry.clear();
    await sendMail(ground, numbers);
    return [...waiting, ...(await ground.drain())];
  },
  // A deployment lacks a database for a while.
  async unbind(ground, [a, b, c, d]) {
    const { simulation } = ground;
    const waiting = await ground.drain();
    for (let i = 0; i < 3; i++) await sendMail(ground, [a + i, b + i, c, d + i]);
    simulation.unbind(1 + (a % 2));
    waiting.push(...(await whileUnbound(ground, [b, c, d], 1 + (a % 2))));
    for (let round = c % 60; round > 0; round--) await simulation.runProcess();
    simulation.bindAll();
    return [...waiting, ...(await ground.drain())];
  },
  // What became of some objects was stored by a newer version, which is back in the end.
  async rollback(ground, numbers) {
    const { simulation, delivered } = ground;
    const [a, b, c] = numbers;
    const waiting = await ground.drain();
    const isNewer = `received_seconds % ${2 + (a % 3)} = 0`;
    for (const { sqlite } of simulation.ledgers)
      sqlite.exec(
        `UPDATE objects SET outcomes = replace(outcomes, '"outcome":"a', '"outcome":"newer a') WHERE ${isNewer}`,
      );
    await sendMail(ground, numbers);
    if (b % 2 === 0) await readAllAgain(ground);
    const some = numbers.flatMap((number) => pick(delivered, number) ?? []);
    for (const { queue, body } of some) await simulation.queues[queue].send(JSON.parse(body));
    for (let round = c % 60; round > 0; round--) await simulation.runProcess();
    for (const { sqlite } of simulation.ledgers)
      sqlite.exec(`UPDATE objects SET outcomes = replace(outcomes, '"outcome":"newer a', '"outcome":"a')`);
    return [...waiting, ...(await ground.drain())];
  },
  // One thing fails for so long that messages are given up, or takes effect and does not say so.
  async outage(ground, numbers) {
    const { simulation } = ground;
    const [a, b, c, d] = numbers;
    const waiting = await ground.drain();
    await sendMail(ground, numbers);
    if (b % 3 > 0)
      await sendDocuments(ground, { rua: pick(RUAS, a) ?? "", documents: [largeDocument(b)], numbers: [c, d] });
    if (b % 2 === 0) await readAllAgain(ground);
    const failing = pick(OUTAGES, c) ?? "";
    const mode = pick(FAULT_MODES, Math.floor(c / OUTAGES.length));
    simulation.faults.plan = ({ name }) => (name.startsWith(failing) ? mode : undefined);
    for (let round = d % 400; round > 0; round--) await simulation.runProcess();
    simulation.faults.plan = () => undefined;
    if (a % 2 === 0) {
      // Not those of slices and jobs.
      const found = (await deadLetters(simulation, false)).filter(({ part, rawKey }) => part === "" && rawKey !== "");
      const ids = found.filter(({ code }) => code === "retries_exhausted").map(({ id }) => id);
      if (ids.length > 0) await ground.ask("discardDeadLetters", { ids: ids.filter((_, i) => i % 2 === 0) });
    }
    return [...waiting, ...(await ground.drain())];
  },
  async backUp(ground) {
    const { simulation, model, drain } = ground;
    const waiting = await drain();
    const marks = [...simulation.ledgers.map((ledger) => ledger.mark()), model.backUp()];
    const goBack = (): void => marks.forEach((mark) => void mark());
    ground.backup = { goBack, day: isoDate(simulation.invocation().nowSeconds) };
    return waiting;
  },
  // Time Travel of D1, and what docs/operations.md says to do then.
  async restore(ground) {
    const { simulation, model, drain, ask, backup } = ground;
    const waiting = await drain();
    if (backup === undefined) return waiting;
    const there = [...model.objects.values()];
    backup.goBack();
    model.isRestored = true;
    const known = new Set(simulation.rows<{ rua: string }>("SELECT rua FROM addresses").map(({ rua }) => rua));
    const restored = await ask("restoreRegistrations", {});
    if (!restored.answer.ok) return [...waiting, `restoring addresses: ${restored.answer.error.message}`];
    for (const [key, text] of simulation.registry) {
      const rua = key.slice("dmarc:".length);
      const { account, domains = DOMAINS, failureReports = "facts" } = JSON.parse(text);
      if (known.has(rua)) continue;
      model.addresses.set(rua, account);
      model.domains.set(rua, domains);
      model.failureReports.set(rua, failureReports);
    }
    const keys = new Set(simulation.bucket.keys("raw/"));
    for (const object of model.objects.values()) if (!keys.has(object.key) && !object.isRawRemoved) model.lose(object);
    for (const { key, rua, parts, isVerified, isImported } of there) {
      const file = { name: "", documents: parts.map(({ document }) => document) };
      if (keys.has(key)) model.addObject(key, rua, file, { isVerified, isImported });
    }
    // What had only its facts kept is gone with them: its message, if it came again, would be a dead letter.
    ground.delivered = ground.delivered.filter(({ body }) => {
      const { key } = JSON.parse(body);
      return key === undefined || model.objects.has(key);
    });
    const { answer } = await ask("startReconcile", { filter: { since: backup.day } });
    if (!answer.ok) return [...waiting, `reconciling: ${answer.error.message}`];
    const wrong = await drain();
    const found = (await deadLetters(simulation, false)).filter(({ code }) => code === "unregistered_rua");
    await ask("requeueDeadLetters", { filter: { code: "unregistered_rua" } });
    for (const { rawKey } of found) if (keys.has(rawKey)) model.due.add(rawKey);
    return [...waiting, ...wrong, ...(await drain())];
  },
  async keepDays({ simulation }, [a]) {
    simulation.keepDetailDays = 9 + (a % 8);
    return [];
  },
  async forget({ simulation, model, drain, ask }, [a]) {
    const waiting = await drain();
    const account = pick(ACCOUNTS, a) ?? "";
    const { answer } = await ask("forgetAccount", { account, confirm: account });
    if (!answer.ok) return waiting;
    model.forget(account);
    const wrong = await drain();
    // What it was to be known by is gone: nobody's objects at its addresses went with it.
    const left = simulation.rows<{ n: number }>(`SELECT count(*) AS n FROM reports WHERE account = '${account}'`);
    if (left.some(({ n }) => n > 0)) wrong.push(`reports of ${account} are left after it was forgotten`);
    return [...waiting, ...wrong];
  },
  async oldMessages({ simulation, delivered, drain }, numbers) {
    const waiting = await drain();
    const some = numbers.flatMap((number) => pick(delivered, number) ?? []);
    for (const { queue, body } of some) await simulation.queues[queue].send(JSON.parse(body));
    return [...waiting, ...(await drain())];
  },
  // Slices are lost, or whatever waits; upkeep finds out.
  async loseSlices(ground, [a, b, c, d]) {
    const waiting = await ground.drain();
    await sendDocuments(ground, { rua: pick(RUAS, a) ?? "", documents: [largeDocument(b)], numbers: [c, d] });
    ground.isLost = ({ body }) => JSON.parse(body).kind === "points";
    const wrong = await ground.drain();
    ground.isLost = () => false;
    return [...waiting, ...wrong, ...(await reconcile(ground))];
  },
  async loseMail(ground) {
    ground.simulation.queues["dmarc-reports"].messages.length = 0;
    return reconcile(ground);
  },
  // R2 loses what it had, or somebody removes it there.
  async loseObject({ simulation, model, drain }, [a]) {
    const waiting = await drain();
    const there = [...model.objects.values()].filter(({ key }) => simulation.bucket.keys(key).length > 0);
    const object = pick(there, a);
    if (object === undefined) return waiting;
    await simulation.bucket.delete(object.key);
    model.lose(object);
    return [...waiting, ...(await drain())];
  },
  async merge(ground, [a]) {
    const { simulation, drain } = ground;
    const beforeDay = Math.floor(simulation.clock.nowMilliseconds / 86_400_000) - (a % 12);
    return whileReading(ground, await drain(), () => mergeAll(simulation, beforeDay));
  },
  upkeep: async (ground, [a]) => whileReading(ground, await ground.drain(), () => keepUp(ground, a % 3 === 0)),
  // What a run of upkeep leaves that ends early: it closes days in order, a few at a time.
  async someUpkeep(ground, [a, b, c]) {
    const { simulation, drain } = ground;
    const waiting = await drain();
    const beforeDay = Math.floor(simulation.clock.nowMilliseconds / SECONDS_PER_DAY / 1000) - simulation.keepDetailDays;
    const bounds = { beforeDay, limit: 1 + (a % 3), atOnce: 1 + (b % 2) };
    for (const ledger of simulation.ledgers.filter((_, place) => c % 4 !== place))
      await removeOldDetails(ledger, bounds);
    return [...waiting, ...takeOverClosed(ground), ...(await drain())];
  },
  async hours({ simulation }, [a]) {
    simulation.clock.nowMilliseconds += (1 + (a % 12)) * 3_600_000;
    return [];
  },
  async days({ simulation }, [a]) {
    simulation.clock.nowMilliseconds += (1 + (a % 2)) * SECONDS_PER_DAY * 1000;
    return [];
  },
};

/** Takes one step. @returns what was wrong on the way */
export async function takeStep({ name, numbers, isHeld, isRacing }: Step, ground: Ground): Promise<string[]> {
  ground.isRacing = isRacing;
  const wrong = await STEPS[name](ground, numbers, isHeld);
  ground.isRacing = false;
  return wrong;
}

/** What people and cron do while only some databases are bound. */
async function whileUnbound(ground: Ground, [a, b, c]: [number, number, number], bound: number): Promise<string[]> {
  const { simulation, model, ask } = ground;
  const account = pick(ACCOUNTS, b) ?? "";
  const rua = pick(RUAS, a) ?? "";
  switch (c % 5) {
    case 0: {
      const shards = simulation.rows<{ shard: number }>("SELECT shard FROM accounts").map(({ shard }) => shard);
      if (Math.max(0, ...shards) < bound) return [];
      const { answer } = await ask("forgetAccount", { account, confirm: account });
      return answer.ok ? [`${account} is forgotten while a database is not bound`] : [];
    }
    case 1: {
      const { answer } = await ask("putRegistration", { rua, entry: { account } });
      if (!answer.ok) return [`registering: ${answer.error.message}`];
      model.addresses.set(rua, account);
      model.failureReports.set(rua, "facts");
      model.domains.set(rua, DOMAINS);
      await readAllAgain(ground);
      return [];
    }
    case 2:
      await ask("removeRegistration", { rua });
      model.addresses.delete(rua);
      await readAllAgain(ground);
      return [];
    case 3:
      await readAllAgain(ground);
      return [];
    default:
      await ground.persist((invocation) => runUpkeep(invocation, 0.5));
      return takeOverClosed(ground);
  }
}

/** Does something, in a race while all objects are read again: they were before, and nothing else comes of that. */
async function whileReading(ground: Ground, waiting: string[], run: () => Promise<void>): Promise<string[]> {
  if (!ground.isRacing) {
    await run();
    return [...waiting, ...(await ground.drain())];
  }
  ground.isRacing = false;
  await readAllAgain(ground);
  const wrong = await ground.drain();
  await readAllAgain(ground);
  await Promise.all([run(), ground.work()]);
  return [...waiting, ...wrong, ...(await ground.drain())];
}

/** Has all objects read again that are there. */
export async function readAllAgain({
  simulation,
  model,
  ask,
}: Pick<Ground, "simulation" | "model" | "ask">): Promise<void> {
  simulation.clock.nowMilliseconds += 2000;
  const { answer } = await ask("startReprocess", {});
  const keys = new Set(simulation.bucket.keys("raw/"));
  if (answer.ok) for (const { key } of model.objects.values()) if (keys.has(key)) model.due.add(key);
}

async function sendMail(ground: Ground, [a, b, c, d]: Numbers): Promise<void> {
  const numbers: ToSend["numbers"] = [Math.floor(d / 3), d];
  await sendDocuments(ground, { rua: pick(RUAS, a) ?? "", documents: documentsOf(b, c, d), numbers });
}

/** One to three documents, and perhaps a broken one; a failure report is alone. */
function documentsOf(b: number, c: number, d: number): Document[] {
  const first = documentOf(b, c);
  const documents: Document[] = [first];
  if (first.kind === "failure") return documents;
  for (let i = 1; i < 1 + (d % 3); i++) {
    const next = documentOf(b + 7 * i, c + i * 5);
    if (next.kind !== "failure") documents.push(next);
  }
  if (d % 7 === 0) documents.push({ ...documentOf(0, 0), kind: "broken", number: b % 1000 });
  return documents;
}

interface ToSend {
  rua: string;
  documents: Document[];
  numbers: [packing: number, verified: number];
}

async function sendDocuments(ground: Ground, { rua, documents, numbers }: ToSend): Promise<void> {
  const name = `m${ground.mails.length}`;
  const mail = mailWith({ name, rua, documents, packing: packingOf(numbers[0]), isVerified: numbers[1] % 5 < 2 });
  ground.mails.push(mail);
  await deliver(ground, mail);
}

function packingOf(number: number): Packing {
  return (["plain", "gzip", "zip"] as const)[number % 3] ?? "plain";
}

/** Imports files, for the first time or again. */
async function importFiles({ simulation, model, imports, ask }: Ground, number: number): Promise<string[]> {
  const one = pick(imports, number);
  if (one === undefined) return [];
  const { rua, files, isVerified } = one;
  const before = new Set(simulation.bucket.keys("raw/"));
  const given = files.map(({ name, content }) => ({
    sha256: createHash("sha256").update(content).digest("hex"),
    name,
    origin: `files/${name}`,
    isMail: name === "message.eml",
    from: "a@reporter.example",
    authentication: isVerified ? VERIFIED : "unsigned",
    content: Buffer.from(content).toString("base64"),
  }));
  const { answer } = await ask("importFiles", { rua, files: given });
  const isRegistered = model.addresses.has(rua);
  if (answer.ok !== isRegistered) return [`importing: ${answer.ok ? "taken" : answer.error.message}`];
  for (const key of simulation.bucket.keys("raw/").filter((name) => !before.has(name))) {
    const file = files.find((_, place) => key.includes(given[place]?.sha256 ?? "?"));
    if (file === undefined) return [`Nobody imported ${key}.`];
    model.addObject(key, rua, file, { isVerified, isImported: true });
  }
  const items = answer.ok ? answer.value.items : [];
  return items.filter(({ key }) => !model.objects.has(key)).map(({ key }) => `${key} was taken as known`);
}

/** Takes over what is registered: which address a domain has is not the ledger's. @param added may be new */
function takeOverAddresses({ simulation, model }: Ground, added?: { rua: string; account: string }): string[] {
  const wrong: string[] = [];
  const before = new Map(model.addresses);
  model.addresses.clear();
  for (const { rua, account, entry } of simulation.rows<{ rua: string; account: string; entry: string }>(
    "SELECT rua, account, entry FROM addresses WHERE removed = 0",
  )) {
    const isAdded = rua === added?.rua && account === added.account && !before.has(rua);
    if (before.get(rua) !== account && !isAdded) wrong.push(`${rua} is an address of ${account} all of a sudden`);
    const { domains = DOMAINS, failureReports = "facts" } = JSON.parse(entry);
    model.addresses.set(rua, account);
    model.domains.set(rua, domains);
    model.failureReports.set(rua, failureReports);
  }
  return wrong;
}

/** Half a day later upkeep enqueues what is not finished. */
async function reconcile(ground: Ground): Promise<string[]> {
  ground.simulation.clock.nowMilliseconds += 13 * 3_600_000;
  await keepUp(ground, false);
  return ground.drain();
}

/** Takes over which days upkeep closed in some databases. @returns those that it was too early for */
function takeOverClosed({ simulation, model }: Ground): string[] {
  const beforeDay = Math.floor(simulation.clock.nowMilliseconds / SECONDS_PER_DAY / 1000) - simulation.keepDetailDays;
  const rows = simulation.rows<Parameters<typeof dayName>[0]>(
    "SELECT account, kind, domain, day FROM domain_days WHERE is_final = 1",
  );
  const closed = new Set(rows.map(dayName));
  model.close(beforeDay, (name) => closed.has(name));
  return [...closed].filter((name) => !model.final.has(name)).map((name) => `${name} was closed early`);
}

/** Cron may start it twice at once. */
async function keepUp({ simulation, model, persist }: Ground, isTwice: boolean): Promise<void> {
  const runs = [0.25, 0.75].slice(0, isTwice ? 2 : 1);
  await Promise.all(runs.map((random) => persist((invocation) => runUpkeep(invocation, random))));
  model.close(Math.floor(simulation.invocation().nowSeconds / SECONDS_PER_DAY) - simulation.keepDetailDays);
}

async function deliver({ simulation, model }: Ground, { mail, files }: ModelMail): Promise<void> {
  const before = new Set(simulation.bucket.keys("raw/"));
  await simulation.deliver(mail);
  const isVerified = Buffer.from(mail.raw).toString("latin1").startsWith("Authentication-Results");
  for (const key of simulation.bucket.keys("raw/").filter((one) => !before.has(one))) {
    const file = files.find(({ name }) => key.endsWith(name));
    if (file === undefined) throw new Error(`Nobody sent ${key}.`);
    model.addObject(key, mail.to, file, { isVerified, isImported: false });
  }
}

async function decide(
  { simulation, model, drain, ask, isRacing }: Ground,
  [a]: Numbers,
  decision: ConflictDecision,
): Promise<string[]> {
  const waiting = await drain();
  const { items } = await listConflicts(undefined, { shards: simulation.invocation().shards });
  const conflict = pick(items, a);
  if (conflict === undefined) return waiting;
  const { account, accepted, other } = conflict;
  const group = model.group(account, documentIn(model, other.rawKey, other.part));
  const version = documentIn(model, other.rawKey, other.part);
  const counted = group.accepted?.document ?? documentIn(model, accepted.rawKey, accepted.part);
  // If its address accepts none of it any more, it cannot count; which domains of a TLS report it accepts is not asked.
  const isLost = model.objects.get(other.rawKey)?.isLost === true;
  const isAble = decision === "keep" || model.acceptedOf(other.rua, version).length > 0;
  if (!isAble && version.kind === "tls") return waiting;
  const { answer, isRepeated } = await ask("decideConflict", { id: conflict.id, decision, reason: "a test" });
  const isKept = decision === "keep" && isRepeated && !answer.ok && answer.error.message.startsWith("There is no");
  if (!answer.ok && !isKept && isRacing) return [...waiting, ...(await drain())];
  if (!answer.ok && !isKept) {
    const isOwn = model.addresses.get(other.rua) === account;
    const isPossible = isOwn && isAble && !isLost;
    return isPossible || decision === "keep" ? [...waiting, `deciding: ${answer.error.message}`] : waiting;
  }
  if (isLost && decision !== "keep") return [...waiting, `deciding for ${conflict.id}, which nothing can read`];
  if (!isAble) return [...waiting, `deciding for ${conflict.id}, which its address does not accept`];
  if (decision === "keep") model.choose(group, version, "refused");
  if (decision === "count_both") model.choose(group, version, "counts");
  if (decision === "replace") {
    model.choose(group, version, "replaces");
    model.choose(group, counted, "refused");
  }
  if (decision !== "keep") model.due.add(other.rawKey);
  return [...waiting, ...(await drain())];
}

type Filter = NonNullable<Inputs["startReprocess"]["filter"]>;

/** Reads again what a filter names. */
async function reprocess(
  { simulation, model, drain, ask }: Ground,
  filter: Filter,
  reading: Partial<Reading> = {},
): Promise<string[]> {
  simulation.clock.nowMilliseconds += 2000;
  const { answer } = await ask("startReprocess", { filter });
  if (!answer.ok) return [];
  const keys = new Set(simulation.bucket.keys("raw/"));
  for (const object of model.objects.values()) {
    const isNamed = filter.domain === undefined && (filter.key === undefined || filter.key === object.key);
    if (isNamed && keys.has(object.key)) model.due.add(object.key);
  }
  return drain(reading);
}

async function deadLetters(simulation: Simulation, isDiscarded: boolean) {
  const { shards } = simulation.invocation();
  return (await listDeadLetters({ isDiscarded, limit: 1000 }, { shards })).items;
}

async function changeDeadLetters(
  { simulation, model, drain, ask }: Ground,
  [a]: Numbers,
  isDiscard: boolean,
): Promise<string[]> {
  const waiting = await drain();
  const found = await deadLetters(simulation, !isDiscard);
  const some = found.filter((_, i) => i % 2 === a % 2);
  const selection = { ids: some.map(({ id }) => id) };
  if (selection.ids.length === 0) return waiting;
  await ask(isDiscard ? "discardDeadLetters" : "restoreDeadLetters", selection);
  for (const { rawKey, part, code } of some) {
    const object = model.objects.get(rawKey);
    if (object === undefined) continue;
    // A file that was refused as a whole keeps the dead letter that a person discarded when it had been read.
    if (code === "retries_exhausted") {
      // It is retried at once when it is open again.
      if (isDiscard || simulation.bucket.keys(rawKey).length > 0) continue;
      object.whole = "dead";
      continue;
    }
    const isOfWhole = WHOLE_CODES.has(code) || (object.whole !== undefined && isOneFile(object));
    if (isOfWhole) object.whole = isDiscard ? "discarded" : "dead";
    else {
      const document = documentIn(model, rawKey, part);
      for (const one of object.parts.filter((other) => other.document === document))
        one.state = isDiscard ? "discarded" : code === "day_closed" ? "closed" : "dead";
    }
  }
  return [...waiting, ...(await drain())];
}

/** Codes of dead letters that are about a whole object. */
const WHOLE_CODES = new Set([
  "over_budget",
  "unregistered_rua",
  "too_large_for_plan",
  "missing_object",
  "retries_exhausted",
]);

/** The report, by any of its rows: pages link to each. */
function referenceOf(
  simulation: Simulation,
  { group, accepted, counted }: ReturnType<Model["reports"]>[number],
  number: number,
) {
  const { account } = group;
  const { day, domain, kind } = pick(counted, number) ?? { day: 0, domain: "", kind: "aggregate" };
  const [row] = simulation.rows<{ uid: string }>(
    `SELECT lower(hex(uid)) AS uid FROM reports WHERE account = '${account}' AND kind = '${kind}' AND domain = '${domain}'
      AND day = ${day} AND raw_key = '${accepted.key}' AND state = 'accepted'
      AND (report_id = '' OR report_id LIKE '%-${accepted.document.number}')`,
  );
  return { account, domain, day: isoDate(day * SECONDS_PER_DAY), uid: row?.uid ?? "" };
}

function pick<Item>(items: readonly Item[], number: number): Item | undefined {
  return items[number % Math.max(1, items.length)];
}
