/**
 * Which function answers each operation of process. A line adapts the input of the contract to the function's arguments,
 * and its result to an answer; what takes more than that is in the file of its subject. An operation of the contract
 * that has no line here does not compile.
 */

import { conflictOf } from "../../../shared/contract/incoming-shapes.ts";
import type { Inputs, Outputs, ProcessOperation } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import { change } from "../../../shared/ledger/database.ts";
import { missingDatabase } from "../../../shared/ledger/shards.ts";
import { noteTokenUse } from "../../../shared/ledger/tokens.ts";
import { fail, ok } from "../../../shared/result.ts";
import { badRequest, doneOr, foundOr, noAccount, notFound, refusal } from "../answers.ts";
import { checkNow } from "../domains/check-domains.ts";
import { lookupsOf } from "../domains/lookups.ts";
import { nameAddresses } from "../domains/name-unknown.ts";
import {
  addRegistration,
  dropRegistration,
  followed,
  putRegistration,
  restoreRegistrations,
} from "../domains/registrations.ts";
import { type Call, randomBytes } from "../env.ts";
import { createTarget, deleteTarget, listTargets, retryTarget, testTarget } from "../forward/targets.ts";
import { cancelJob, startForgetting, startJob } from "../jobs/start-job.ts";
import { confirmByLink, confirmByOperator } from "../notify/confirm-channel.ts";
import { describeRawObject, readRawObject } from "../reports/raw-object.ts";
import { runSchedule, SCHEDULES } from "../schedules.ts";
import { watchWanted } from "../watch/round.ts";
import { changeLogo, createAccount, dropLogo, givePersonRole, renameAccount, takePersonRole } from "./accounts.ts";
import { addDomain, addDomains, domainSetup, FOREIGN_ADDRESS, mayChooseAddress, removeDomain } from "./add-domain.ts";
import { adviseSpfInTime } from "./advise-spf.ts";
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
import { readNamedFile, readNamedRecords, takeBackNamed, undoTakeBackOfNamed } from "./named-report.ts";
import { dropPerson, noteCallerSeen, registerPerson } from "./people.ts";
import { readStatus } from "./status.ts";
import { setAccountGroup, tagDomains } from "./tags.ts";
import { createToken, revokeToken } from "./tokens.ts";

type Handlers = {
  [Name in ProcessOperation]: (input: Inputs[Name], call: Call) => Promise<Answer<Outputs[Name]>>;
};

/** Operation → its handler. The input was validated, and the caller has the role, before it is called. */
export const HANDLERS: Handlers = {
  // The pipeline
  pipelineStatus: async (_, { invocation }) => ok(await readStatus(invocation)),
  health: async (_, { invocation }) => ok(await readHealth(invocation)),
  runSchedule: async ({ cron }, { invocation }) =>
    !Object.hasOwn(SCHEDULES, cron)
      ? notFound(`There is no schedule '${cron}'.`)
      : ok(await runSchedule(cron, invocation)),
  startReprocess: async (request, { invocation }) =>
    doneOr(await startJob({ kind: "reprocess", random: Math.random() }, request, invocation)),
  startReconcile: async (request, { invocation }) =>
    doneOr(await startJob({ kind: "reconcile", random: Math.random() }, request, invocation)),
  cancelJob: async ({ id }, { invocation }) => foundOr(await cancelJob(id, invocation), `There is no job '${id}'.`),

  // RUA addresses
  addRegistration: async ({ rua, entry }, { invocation }) =>
    followed(await addRegistration(rua, entry, invocation), invocation),
  putRegistration: async ({ rua, entry }, { invocation }) =>
    followed(await putRegistration(rua, entry, invocation), invocation),
  removeRegistration: ({ rua }, { invocation }) => dropRegistration(rua, invocation),
  restoreRegistrations: ({ cursor }, { invocation }) => restoreRegistrations(cursor, invocation),

  // Accounts
  createAccount,
  setAccountName: renameAccount,
  setAccountLogo: changeLogo,
  removeAccountLogo: dropLogo,
  setAccountGroup: (input, { invocation }) => setAccountGroup(input, invocation),
  importAccounts: async ({ lines, dryRun = false }, { invocation }) =>
    ok({ items: await importAccounts(lines, { dryRun, invocation, randomBytes }) }),
  exportAccount: ({ account, cursor }, { invocation }) => exportAccount(account, cursor, invocation),
  async forgetAccount({ account, confirm }, { invocation }) {
    if (confirm !== account) return badRequest("confirm: it is not the account's name.");
    const missing = await missingDatabase(invocation.shards);
    if (missing !== undefined) return fail({ code: "not_configured", message: missing });
    const job = await startForgetting(account, Math.random(), invocation);
    return job === undefined ? noAccount(account) : ok(job);
  },

  // People and tokens
  putIdentity: registerPerson,
  removeIdentity: dropPerson,
  noteSeen: noteCallerSeen,
  putAccountPerson: givePersonRole,
  removeAccountPerson: takePersonRole,
  createToken,
  revokeToken,
  async noteTokenUse({ id }, { invocation: { shards, nowSeconds } }) {
    await change(shards.directory, [noteTokenUse(id, nowSeconds)]);
    return ok(undefined);
  },

  // Domains
  addingDomains: async (_, { invocation }) => ok({ ruaHost: invocation.env.RUA_HOST }),
  addDomain: async (wanted, { invocation, caller }) =>
    mayChooseAddress(wanted.rua, caller) ? addDomain(wanted, invocation, { randomBytes }) : fail(FOREIGN_ADDRESS),
  addDomains: async (wanted, { invocation, caller }) =>
    mayChooseAddress(wanted.rua, caller) ? addDomains(wanted, invocation, randomBytes) : fail(FOREIGN_ADDRESS),
  domainSetup: (name, { invocation }) => domainSetup(name, invocation),
  removeDomain: (name, { invocation }) => removeDomain(name, invocation),
  checkDomain: (name, { invocation }) => checkNow(name, invocation),
  tagDomains: (input, { invocation }) => tagDomains(input, invocation),
  setMtaSts: ({ account, domain, ...policy }, { invocation, caller }) =>
    setMtaSts({ account, domain }, policy, { caller, invocation }),
  removeMtaSts: (name, { invocation, caller }) => removeMtaSts(name, { by: caller.name, invocation }),

  // Sources
  decideSender: ({ decision, note = "", ...name }, { invocation, caller }) =>
    decideSender(name, { decision, note, by: caller.name }, invocation),
  undoSenderDecision: (name, { invocation, caller }) => undoSenderDecision(name, caller.name, invocation),
  spfAdvice: async ({ domain, sender }, { invocation }) =>
    ok(await adviseSpfInTime(domain, { ...sender, returnPaths: sender.returnPaths }, lookupsOf(invocation.env))),
  nameAddresses: async (shown, { invocation }) =>
    ok({ named: await nameAddresses(shown, invocation, lookupsOf(invocation.env)) }),

  // Reports and raw objects
  readRecords: readNamedRecords,
  readReportFile: readNamedFile,
  takeBackReport: takeBackNamed,
  undoTakeBack: undoTakeBackOfNamed,
  exportRecords: (input, { invocation }) => exportRecords(input, invocation),
  importFile: (file, { invocation, caller }) => importFile(file, caller, invocation),
  importFiles: (files, { invocation, caller }) => importFiles(files, caller, invocation),
  describeRawObject: async ({ key }, { invocation: { env } }) =>
    foundOr(await describeRawObject(env.R2_DMARC_REPORTS, key), `There is no raw object '${key}'.`),
  readRawObject: async ({ key }, { invocation: { env } }) =>
    foundOr(await readRawObject(env.R2_DMARC_REPORTS, key), `There is no raw object '${key}'.`),

  // Dead letters and conflicts
  requeueDeadLetters: async (selection, { invocation }) => doneOr(await requeueDeadLetters(selection, invocation)),
  discardDeadLetters: async (selection, { invocation, caller }) =>
    doneOr(await discardDeadLetters(selection, caller.name, invocation)),
  restoreDeadLetters: async (selection, { invocation }) => doneOr(await restoreDeadLetters(selection, invocation)),
  compareConflict: async ({ id }, { invocation }) =>
    foundOr(await compareConflict(id, invocation), `There is no conflict '${id}'.`),
  async decideConflict({ id, decision, reason }, { invocation, caller }) {
    const decided = await decideConflict(id, { decision, note: { by: caller.name, reason } }, invocation);
    return "refused" in decided ? refusal(decided, "not_found") : ok(conflictOf(decided));
  },
  keepVerified: async ({ reason, ...group }, { invocation, caller }) =>
    ok(await keepVerified(group, { by: caller.name, reason }, invocation)),

  // Alerts and channels
  runWatch: async (wanted, { invocation }) => ok(await watchWanted(wanted, invocation)),
  mute: (wanted, { invocation, caller }) => mute(wanted, caller.name, invocation),
  async unmute(name, { invocation }) {
    await unmute(name, invocation);
    return ok(undefined);
  },
  addChannel: createChannel,
  removeChannel: deleteChannel,
  testChannel,
  confirmChannel: confirmByOperator,
  confirmChannelByLink: confirmByLink,

  // Forwarding
  listForwards: async (_, { invocation }) => ok(await listTargets(invocation)),
  addForward: createTarget,
  removeForward: deleteTarget,
  testForward: testTarget,
  retryForward: retryTarget,
};
