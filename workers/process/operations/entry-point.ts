/**
 * The RPC entry point of process: the operations of the contract it answers. Validates the input, checks that the caller
 * has the role it takes, calls the implementation, and returns failures as problems.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { allowed, validate } from "../../../shared/contract/operation.ts";
import { type Inputs, OPERATIONS, type Outputs, type ProcessOperation } from "../../../shared/contract/operations.ts";
import type { Answer, ProblemCode } from "../../../shared/contract/problems.ts";
import type { Caller, OperationsEntry } from "../../../shared/contract/rpc.ts";
import { conflictOf } from "../../../shared/contract/shapes.ts";
import { removeAddress } from "../../../shared/ledger/addresses.ts";
import { change } from "../../../shared/ledger/database.ts";
import { notePersonSeen, removePerson } from "../../../shared/ledger/people.ts";
import { REPORT_KINDS, type ReportKind, type ReportReference } from "../../../shared/ledger/report-rows.ts";
import { findReports } from "../../../shared/ledger/reports.ts";
import { noteTokenUse } from "../../../shared/ledger/tokens.ts";
import type { OperationRefused } from "../../../shared/operations.ts";
import { normalizeEmail } from "../../../shared/people.ts";
import { normalizeRua } from "../../../shared/registry.ts";
import { parseDay, SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { fail, ok } from "../../../shared/result.ts";
import { isoDate } from "../../../shared/storage.ts";
import { checkNow } from "../domains/check-domains.ts";
import { followAddress } from "../domains/follow-registry.ts";
import { outsideWorld } from "../domains/outside-world.ts";
import { type Invocation, inShardOf, newInvocation, type ProcessEnv } from "../env.ts";
import { createTarget, deleteTarget, listTargets, retryTarget, testTarget } from "../forward/targets.ts";
import { cancelJob, startForgetting, startJob } from "../jobs/start-job.ts";
import { noAccount } from "../no-account.ts";
import { confirmByLink, confirmByOperator } from "../notify/confirm-channel.ts";
import { describeRawObject, readRawObject } from "../reports/raw-object.ts";
import { runSchedule, SCHEDULES } from "../schedules.ts";
import { watchDomains } from "../watch/round.ts";
import {
  changeLogo,
  createAccount,
  dropLogo,
  givePersonRole,
  putIdentity,
  renameAccount,
  takePersonRole,
} from "./accounts.ts";
import { addDomain, addDomains, domainSetup, removeDomain } from "./add-domain.ts";
import { adviseSpfInTime } from "./advise-spf.ts";
import { audited, isAudited } from "./audit.ts";
import { createChannel, deleteChannel, testChannel } from "./channels.ts";
import { compareConflict, decideConflict, keepVerified } from "./conflicts.ts";
import { discardDeadLetters, requeueDeadLetters, restoreDeadLetters } from "./dead-letters.ts";
import { decideSender, undoSenderDecision } from "./decide-sender.ts";
import { exportAccount } from "./export-account.ts";
import { exportRecords } from "./export-records.ts";
import { readHealth } from "./health.ts";
import { removeMtaSts, setMtaSts } from "./host-mta-sts.ts";
import { importAccounts } from "./import-accounts.ts";
import { importFile, importFiles } from "./import-files.ts";
import { mute, unmute } from "./mutes.ts";
import { nameAddresses } from "./name-addresses.ts";
import { readRecords } from "./records.ts";
import { addRegistration, putRegistration, restoreRegistrations } from "./registrations.ts";
import { readStatus } from "./status.ts";
import { setAccountGroup, tagDomains } from "./tags.ts";
import { takeBackReport, undoTakeBack } from "./take-back.ts";
import { createToken, revokeToken } from "./tokens.ts";

interface Call {
  invocation: Invocation;
  caller: Caller;
}

type Handlers = {
  [Name in ProcessOperation]: (input: Inputs[Name], call: Call) => Promise<Answer<Outputs[Name]>>;
};

const HANDLERS: Handlers = {
  pipelineStatus: async (_, { invocation }) => ok(await readStatus(invocation)),

  addRegistration: async ({ rua, entry }, { invocation }) =>
    followed(await addRegistration(rua, entry, invocation), invocation),
  putRegistration: async ({ rua, entry }, { invocation }) =>
    followed(await putRegistration(rua, entry, invocation), invocation),
  restoreRegistrations: ({ cursor }, { invocation }) => restoreRegistrations(cursor, invocation),
  health: async (_, { invocation }) => ok(await readHealth(invocation)),
  async removeRegistration({ rua }, { invocation }) {
    const { env, shards, nowSeconds } = invocation;
    await removeAddress(rua, { directory: shards.directory, copy: env.KV_DMARC_REPORTS }, nowSeconds);
    await followAddress(normalizeRua(rua), invocation);
    return ok(undefined);
  },
  putIdentity,
  async removeIdentity({ email }, { invocation: { shards } }) {
    await change(shards.directory, removePerson(normalizeEmail(email)));
    return ok(undefined);
  },

  createAccount,
  setAccountName: renameAccount,
  setAccountLogo: changeLogo,
  removeAccountLogo: dropLogo,
  putAccountPerson: givePersonRole,
  removeAccountPerson: takePersonRole,
  importAccounts: async ({ lines, dryRun = false }, { invocation }) =>
    ok({ items: await importAccounts(lines, { dryRun, invocation, randomBytes }) }),
  async noteSeen(_, { invocation: { shards, nowSeconds }, caller }) {
    await change(shards.directory, [notePersonSeen(normalizeEmail(caller.name), nowSeconds)]);
    return ok(undefined);
  },
  importFiles: (files, { invocation, caller }) => importFiles(files, caller, invocation),
  importFile: (file, { invocation, caller }) => importFile(file, caller, invocation),

  requeueDeadLetters: async (selection, { invocation }) => answer(await requeueDeadLetters(selection, invocation)),
  discardDeadLetters: async (selection, { invocation, caller }) =>
    answer(await discardDeadLetters(selection, caller.name, invocation)),
  restoreDeadLetters: async (selection, { invocation }) => answer(await restoreDeadLetters(selection, invocation)),
  async describeRawObject({ key }, { invocation: { env } }) {
    const found = await describeRawObject(env.R2_DMARC_REPORTS, key);
    return found === undefined ? missing(`There is no raw object '${key}'.`) : ok(found);
  },
  async readRawObject({ key }, { invocation: { env } }) {
    const found = await readRawObject(env.R2_DMARC_REPORTS, key);
    return found === undefined ? missing(`There is no raw object '${key}'.`) : ok(found);
  },

  async compareConflict({ id }, { invocation }) {
    const found = await compareConflict(id, invocation);
    return found === undefined ? missing(`There is no conflict '${id}'.`) : ok(found);
  },
  async decideConflict({ id, decision, reason }, { invocation, caller }) {
    const decided = await decideConflict(id, { decision, note: { by: caller.name, reason } }, invocation);
    return "refused" in decided ? refusal(decided, "not_found") : ok(conflictOf(decided));
  },

  async keepVerified({ reason, ...group }, { invocation, caller }) {
    return ok(await keepVerified(group, { by: caller.name, reason }, invocation));
  },

  async readRecords({ text, isPass, order, descending, limit, offset = 0, cursor, ...name }, { invocation }) {
    const reference = await findReference(name, invocation);
    if (reference === undefined) return missing("There is no such report.");
    const first = cursor === undefined ? offset : Number(cursor);
    if (!Number.isSafeInteger(first))
      return fail({ code: "bad_request", message: "cursor: it does not come from this list." });
    const query = { reference, text, isPass, order, descending, limit, offset: first };
    const answer = await readRecords(query, invocation);
    if (answer.kind !== "aggregate") return ok(answer);
    const next = first + answer.records.length;
    const isLast = answer.records.length === 0 || next >= answer.matching;
    return ok(isLast ? answer : { ...answer, cursor: String(next) });
  },
  listForwards: async (_, { invocation }) => ok(await listTargets(invocation)),
  addForward: createTarget,
  removeForward: deleteTarget,
  testForward: testTarget,
  retryForward: retryTarget,
  exportRecords: (input, { invocation }) => exportRecords(input, invocation),
  async readReportFile(name, { invocation, caller }) {
    const key = await rawKeyOf(name, caller, invocation);
    const found = key === undefined ? undefined : await readRawObject(invocation.env.R2_DMARC_REPORTS, key);
    return found === undefined ? missing("There is no such report, or its raw object is gone.") : ok(found);
  },
  async takeBackReport({ reason, ...name }, { invocation, caller }) {
    const reference = await findReference(name, invocation);
    if (reference === undefined) return missing("There is no such report.");
    return named(await takeBackReport(reference, { by: caller.name, reason }, invocation));
  },
  async undoTakeBack(name, { invocation }) {
    const reference = await findReference(name, invocation);
    if (reference === undefined) return missing("There is no such report.");
    return named(await undoTakeBack(reference, invocation));
  },

  checkDomain: (name, { invocation }) => checkNow(name, invocation),
  addingDomains: async (_, { invocation }) => ok({ ruaHost: invocation.env.RUA_HOST }),
  addDomain: async (named, { invocation, caller }) =>
    mayName(named.rua, caller) ? addDomain(named, invocation, { randomBytes }) : fail(FOREIGN_ADDRESS),
  addDomains: async (named, { invocation, caller }) =>
    mayName(named.rua, caller) ? addDomains(named, invocation, randomBytes) : fail(FOREIGN_ADDRESS),
  domainSetup: (named, { invocation }) => domainSetup(named, invocation),
  removeDomain: (named, { invocation }) => removeDomain(named, invocation),
  addChannel: createChannel,
  removeChannel: deleteChannel,
  testChannel,
  createToken: (wanted, { invocation, caller }) => createToken(wanted, { invocation, caller, randomBytes }),
  revokeToken,
  async noteTokenUse({ id }, { invocation: { shards, nowSeconds } }) {
    await change(shards.directory, [noteTokenUse(id, nowSeconds)]);
    return ok(undefined);
  },
  confirmChannel: confirmByOperator,
  confirmChannelByLink: confirmByLink,
  tagDomains: (input, { invocation }) => tagDomains(input, invocation),
  setAccountGroup: (input, { invocation }) => setAccountGroup(input, invocation),
  decideSender: ({ decision, note, ...name }, { invocation, caller }) =>
    decideSender(name, { decision, note: note ?? "", by: caller.name }, invocation),
  undoSenderDecision: (name, { invocation, caller }) => undoSenderDecision(name, caller.name, invocation),
  setMtaSts: ({ account, domain, ...policy }, { invocation, caller }) =>
    setMtaSts({ account, domain }, policy, { caller, invocation }),
  removeMtaSts: (name, { invocation, caller }) => removeMtaSts(name, { by: caller.name, invocation }),
  spfAdvice: async ({ domain, sender }, { invocation }) =>
    ok(await adviseSpfInTime(domain, { ...sender, returnPaths: sender.returnPaths }, outsideWorld(invocation.env))),
  nameAddresses: async (shown, { invocation }) =>
    ok({ named: await nameAddresses(shown, invocation, outsideWorld(invocation.env)) }),

  async runSchedule({ cron }, { invocation }) {
    if (SCHEDULES[cron] === undefined) return missing(`There is no schedule '${cron}'.`);
    return ok(await runSchedule(cron, invocation));
  },
  runWatch: async (_, { invocation }) => ok(await watchDomains(invocation, true)),
  mute: (wanted, { invocation, caller }) => mute(wanted, caller.name, invocation),
  async unmute(name, { invocation }) {
    await unmute(name, invocation);
    return ok(undefined);
  },

  startReprocess: async (request, { invocation }) =>
    answer(await startJob({ kind: "reprocess", random: Math.random() }, request, invocation)),
  startReconcile: async (request, { invocation }) =>
    answer(await startJob({ kind: "reconcile", random: Math.random() }, request, invocation)),
  exportAccount: ({ account, cursor }, { invocation }) => exportAccount(account, cursor, invocation),
  async forgetAccount({ account, confirm }, { invocation }) {
    if (confirm !== account) return fail({ code: "bad_request", message: "confirm: it is not the account's name." });
    const job = await startForgetting(account, Math.random(), invocation);
    return job === undefined ? noAccount(account) : ok(job);
  },
  async cancelJob({ id }, { invocation }) {
    const job = await cancelJob(id, invocation);
    return job === undefined ? missing(`There is no job '${id}'.`) : ok(job);
  },
};

/** The entry point. */
export class Operations extends WorkerEntrypoint<ProcessEnv> implements OperationsEntry {
  async call<Name extends ProcessOperation>(
    name: Name,
    input: Inputs[Name],
    caller: Caller,
  ): Promise<Answer<Outputs[Name]>> {
    const valid = validate(OPERATIONS[name].input, input);
    if (!valid.ok) return valid;
    const permitted = allowed(caller.authority, OPERATIONS[name], valid.value);
    if (!permitted.ok) return permitted;
    const invocation = newInvocation(this.env, Date.now());
    const run = () => HANDLERS[name](valid.value, { invocation, caller });
    return isAudited(name, valid.value) ? audited({ name, input: valid.value, caller, invocation }, run) : run();
  }
}

/** A report by uid; the kind may be left out, since a uid belongs to one kind only. */
async function findReference(
  {
    account,
    kind,
    domain,
    day,
    uid,
  }: Omit<ReportReference, "day" | "kind"> & {
    day: string;
    kind?: ReportKind | undefined;
  },
  invocation: Invocation,
): Promise<ReportReference | undefined> {
  const calendarDay = parseDay(day);
  if (calendarDay === undefined) return undefined;
  const references = REPORT_KINDS.map((one) => ({ account, kind: one, domain, day: calendarDay, uid }));
  const named = references.find((reference) => reference.kind === kind);
  if (named !== undefined) return named;
  const { ledger } = await inShardOf(account, invocation);
  return (await findReports(ledger, references)).reports.get(uid)?.reference;
}

/** The raw key of a report; for a report that was taken back, only operators get it. */
async function rawKeyOf(
  { account, domain, day, uid }: Inputs["readReportFile"],
  { authority }: Caller,
  invocation: Invocation,
): Promise<string | undefined> {
  const calendarDay = parseDay(day);
  if (calendarDay === undefined) return undefined;
  const references = REPORT_KINDS.map((kind) => ({ account, kind, domain, day: calendarDay, uid }));
  const { ledger } = await inShardOf(account, invocation);
  const held = (await findReports(ledger, references)).reports.get(uid);
  return held !== undefined && (held.state === "accepted" || authority.isOperator) ? held.rawKey : undefined;
}

/** Updates the list of registered domains after an address has changed. */
async function followed(
  answer: Answer<Outputs["putRegistration"]>,
  invocation: Invocation,
): Promise<Answer<Outputs["putRegistration"]>> {
  if (answer.ok) await followAddress(answer.value.rua, invocation);
  return answer;
}

const FOREIGN_ADDRESS = { code: "forbidden", message: "Only operators may choose the address." } as const;

/** A given address may belong to anybody; operators know whose mail comes here. */
function mayName(rua: string | undefined, { authority }: Caller): boolean {
  return rua === undefined || authority.isOperator;
}

function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

function named(reference: ReportReference | OperationRefused): Answer<Outputs["takeBackReport"]> {
  if ("refused" in reference) return refusal(reference);
  const { account, kind, domain, day, uid } = reference;
  return ok({ account, kind, domain, day: isoDate(day * SECONDS_PER_DAY), uid });
}

function answer<T extends object>(given: T | OperationRefused): Answer<T> {
  return "refused" in given ? refusal(given) : ok(given);
}

function refusal({ refused }: OperationRefused, code: ProblemCode = "bad_request"): Answer<never> {
  return fail({ code, message: refused });
}

function missing(message: string): Answer<never> {
  return fail({ code: "not_found", message });
}
