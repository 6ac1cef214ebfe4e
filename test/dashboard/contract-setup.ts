/** Support: all Workers with one account's data, tokens of every kind, and an input for each operation of the API. */

import type { Inputs, OperationName } from "../../shared/contract/operations.ts";
import { change } from "../../shared/ledger/database.ts";
import { addToken } from "../../shared/ledger/tokens.ts";
import { type Authority, OPERATOR } from "../../shared/people.ts";
import { type TokenScope, tokenHash, tokenSecret } from "../../shared/tokens.ts";
import { sampleReport } from "../support/sample-report.ts";
import { API_TOKEN } from "./harness.ts";
import { type Pipeline, startPipeline } from "./pipeline.ts";

/** Somebody who asks. */
export interface Asker {
  name: string;
  /** undefined = no header. */
  bearer: string | undefined;
  /** What they may do; undefined = nothing at all. */
  authority: Authority | undefined;
  isReadOnly: boolean;
}

export interface ContractSetup {
  pipeline: Pipeline;
  askers: readonly Asker[];
  /** What requests are about. */
  report: { day: string; uid: string };
  deadLetterId: string;
}

const RUA = "rua@acme.example";

/** Starts it: an account `acme` with a report, a dead letter and a conflict, and an account `other` without any. */
export async function startContractSetup(): Promise<ContractSetup> {
  const pipeline = await startPipeline();
  await pipeline.ask(`/registry/${RUA}`, "PUT", { account: "acme", domains: ["acme.example"] });
  await pipeline.ask("/registry/rua@other.example", "PUT", { account: "other" });
  const one = (count: number) => [{ sourceIp: "192.0.2.1", count, pass: true }];
  await pipeline.deliver(RUA, { "a.xml": sampleReport({ reportId: "twice", records: one(10) }) });
  await pipeline.settled({ accepted: 1 });
  await pipeline.deliver(RUA, {
    "b.xml": sampleReport({ reportId: "twice", records: one(20) }),
    "c.xml": "<feedback>",
  });
  await pipeline.settled({ conflict: 1, dead_letter: 1 });
  const [report] = await pipeline.rows<{ day: number; uid: string }>(
    "SELECT day, lower(hex(uid)) AS uid FROM reports WHERE state = 'accepted'",
  );
  const { items } = await pipeline.ask<{ items: { id: string }[] }>("/dead-letters");
  if (report === undefined || items[0] === undefined) throw new Error("Nothing was read.");
  return {
    pipeline,
    askers: await makeAskers(pipeline),
    report: { day: new Date(report.day * 86_400_000).toISOString().slice(0, 10), uid: report.uid },
    deadLetterId: items[0].id,
  };
}

/** One of each kind of credentials. */
async function makeAskers({ ask, ledger }: Pipeline): Promise<Asker[]> {
  const make = async (account: string, scope: TokenScope): Promise<Asker> => {
    const name = `${account || "all"} ${scope}`;
    const { secret } = await ask<{ secret: string }>("/tokens", "POST", { account, name, scope });
    const role = scope === "operate" ? "administrator" : "viewer";
    const authority: Authority = account === "" ? OPERATOR : { isOperator: false, accounts: { [account]: role } };
    return { name, bearer: secret, authority, isReadOnly: scope === "read" };
  };
  const revoked = await make("acme", "operate");
  const { items } = await ask<{ items: { id: string }[] }>("/tokens?account=acme");
  await ask(`/tokens/${items[0]?.id}?account=acme`, "DELETE");
  const expired = tokenSecret(new Uint8Array(32).fill(7));
  const token = { id: "e".repeat(16), account: "acme", name: "expired", scope: "operate", createdBy: "test" } as const;
  const nowSeconds = Math.floor(Date.now() / 1000);
  const times = {
    createdSeconds: nowSeconds - 7200,
    expiresSeconds: nowSeconds - 3600,
    revokedSeconds: 0,
    lastUsedSeconds: 0,
  };
  await change(ledger, addToken({ ...token, ...times }, await tokenHash(expired)));
  const nobody = { authority: undefined, isReadOnly: false };
  return [
    { name: "nobody", bearer: undefined, ...nobody },
    { name: "a wrong secret", bearer: "wrong", ...nobody },
    { name: "a token there is not", bearer: tokenSecret(new Uint8Array(32)), ...nobody },
    { name: "a revoked token", bearer: revoked.bearer, ...nobody },
    { name: "an expired token", bearer: expired, ...nobody },
    await make("acme", "read"),
    await make("acme", "operate"),
    await make("other", "operate"),
    await make("", "read"),
    await make("", "operate"),
    { name: "API_TOKEN", bearer: API_TOKEN, authority: OPERATOR, isReadOnly: false },
  ];
}

/**
 * What is asked of operations with a route: of an account, what concerns `acme`. Of one that is not here the least is asked
 * that its description takes.
 */
export function contractInputs({ report, deadLetterId }: Pick<ContractSetup, "report" | "deadLetterId">): Partial<{
  [Name in OperationName]: Inputs[Name];
}> {
  const account = "acme";
  const domain = "acme.example";
  const name = { account, domain, ...report };
  const days = { from: "2026-01-01", to: "2026-12-31" };
  const ids = { ids: [deadLetterId], dryRun: true };
  const person = { email: "ann@acme.example" };
  const sender = { account, domain, source: "192.0.2.1" };
  const id = "0123456789abcdef";
  return {
    describeProblem: { code: "not_found" },
    status: {},
    activity: {},
    stats: { account },
    domainDays: { kind: "aggregate", ...days, account },
    verdict: { domain, ...days },
    senders: { domain, ...days },
    listDomains: { account, ...days, tag: "none" },
    outcomeHistory: days,
    otherDomains: { account, ...days },
    domainOverview: { domain, account, ...days },
    listReports: { domain, account, ...days },
    listReporters: { domain, account, ...days },
    getReport: name,
    listSources: { domain, account, ...days },
    listHits: { domain, account, ...days },
    listDecisions: { domain, account },
    domainMonth: { domain, account },
    accountMonth: { account },
    listUnsentReports: {},
    listSourceGroups: { domain, account, by: "service", ...days },
    getSource: { domain, account, source: "192.0.2.1", ...days },
    tlsSummary: { domain, account, ...days },
    failureSummary: { domain, account, ...days },
    keptCheck: { account, domain },
    query: { sql: "SELECT 1 AS one" },
    refusedMail: days,
    listRegistrations: {},
    getRegistration: { rua: RUA },
    addRegistration: { rua: "new@acme.example", entry: { account } },
    putRegistration: { rua: "new@acme.example", entry: { account } },
    removeRegistration: { rua: "new@acme.example" },
    listIdentities: {},
    putIdentity: { ...person, entry: { role: "viewer", accounts: [account] } },
    getIdentity: person,
    removeIdentity: person,
    getAccountLogo: { account },
    setAccountLogo: { account, base64: "iVBORw0KGgo=" },
    removeAccountLogo: { account },
    importFile: {
      rua: RUA,
      sha256: "559aead08264d5795d3909718cdd05abd49572e84fe55590eef31a88a08fdffd",
      name: "a.xml",
      origin: "a.xml",
      size: 1,
      content: new Blob(["A"]),
    },
    listDeadLetters: {},
    deadLetterReasons: {},
    getDeadLetter: { id: deadLetterId },
    requeueDeadLetters: ids,
    discardDeadLetters: ids,
    restoreDeadLetters: ids,
    readRawObject: { key: "raw/2026/01/01/none/none" },
    listConflicts: {},
    listDoubtedConflicts: {},
    keepVerified: { account, domain, kind: "aggregate", reporter: "nobody" },
    getConflict: { id },
    compareConflict: { id },
    decideConflict: { id, decision: "keep" },
    acceptConflict: { id },
    discardConflict: { id },
    readRecords: name,
    exportRecords: { since: "2026-01-01", account },
    readReportFile: name,
    takeBackReport: { ...name, uid: "f".repeat(32), reason: "a test" },
    undoTakeBack: { ...name, uid: "f".repeat(32) },
    checkDomain: { account, domain },
    addDomain: { account, domain: "added.example" },
    addDomains: { account, domains: ["added.example", "nonsense"] },
    domainSetup: { account, domain: "added.example" },
    removeDomain: { account, domain: "added.example" },
    listChannels: { account },
    addChannel: {
      account,
      kind: "email",
      name: "ann",
      target: "ann@acme.example",
      sendsNotices: false,
      digest: "none",
      timeZone: "UTC",
    },
    removeChannel: { account, id },
    testChannel: { account, id },
    confirmChannel: { account, id },
    listDeliveries: { account },
    listTokens: { account },
    createToken: { account, name: "made by a test", scope: "read" },
    revokeToken: { account, id },
    decideSender: { ...sender, decision: "mine" },
    undoSenderDecision: sender,
    spfAdvice: {
      account,
      domain,
      sender: { name: "192.0.2.1", networks: ["192.0.2.1"], service: "", isForwarder: false },
    },
    mtaSts: { account, domain },
    setMtaSts: { account, domain, mode: "testing", mx: ["mx.acme.example"], maxAgeSeconds: 604_800 },
    removeMtaSts: { account, domain },
    runSchedule: { cron: "valueOf" },
    runWatch: {},
    listIncidents: { account },
    worklist: { account },
    worklistDomains: { account, code: "service" },
    listNotices: { account },
    listMutes: { account },
    mute: { account, domain },
    unmute: { account, domain },
    startReprocess: { dryRun: true },
    startReconcile: { dryRun: true },
    cancelJob: { id },
    listJobs: {},
    getJob: { id },
  };
}

/** Operations of which the input above names nothing that is there, and what they answer then. */
export const NOTHING_THERE: Partial<Record<OperationName, number>> = {
  getAccountLogo: 404,
  readRawObject: 404,
  getConflict: 404,
  compareConflict: 404,
  decideConflict: 404,
  acceptConflict: 404,
  discardConflict: 404,
  takeBackReport: 404,
  undoTakeBack: 404,
  testChannel: 404,
  confirmChannel: 404,
  revokeToken: 404,
  runSchedule: 404,
  cancelJob: 404,
  getJob: 404,
  // No resolver is set.
  checkDomain: 503,
};
