// Support: answers in place of the process Worker by the contract, from memory but for the registry, which is in the ledger
// that the dashboard reads. The dashboard is what is tested; an address that starts with "fault" makes the call fail, as a
// broken Worker would.
import { WorkerEntrypoint } from "cloudflare:workers";
import { addAddress, putAddress, removeAddress } from "../../shared/ledger/addresses.ts";

let reconciles = 0;

function job(kind, { filter = {}, dryRun = false } = {}) {
  return {
    id: `${kind}-job`,
    kind,
    state: "done",
    filter,
    dryRun,
    generation: 1,
    pages: 1,
    cursor: "",
    scanned: 0,
    enqueued: 0,
    removed: 0,
    total: 0,
    startedSeconds: 1,
    updatedSeconds: 1,
  };
}

function ok(value) {
  return { ok: true, value };
}

function fail(code, message) {
  return { ok: false, error: { code, message } };
}

const RECORD = {
  ordinal: 0,
  sourceIp: "192.0.2.1",
  count: 41,
  disposition: "none",
  rawDisposition: "none",
  dkim: "pass",
  spf: "fail",
  reasons: [],
  headerFrom: "acme.example",
  envelopeFrom: "",
  envelopeTo: "",
  dkimResults: [{ domain: "acme.example", selector: "s1", result: "pass", rawResult: "pass", humanResult: "" }],
  spfResults: [],
};

const HANDLERS = {
  pipelineStatus() {
    const queues = [{ queue: "dmarc-reports", messages: 2, bytes: 200, oldestSeconds: 0 }];
    const unfinished = 2 + reconciles;
    const unfinishedDays = [{ day: "2026-11-20", objects: unfinished, countedSeconds: 1 }];
    return ok({
      queues,
      unfinished,
      unfinishedDays,
      runningAgain: 0,
      reportsWithDueSlices: 0,
      databases: [{ database: 0, accounts: 1, bytes: 1_000_000 }],
      unboundDatabases: [1],
    });
  },
  readRecords({ text }) {
    if (text === "gone") return ok({ kind: "gone", reason: "raw/x is no longer in R2." });
    const records = text === "nothing" ? [] : [RECORD];
    return ok({ kind: "aggregate", records, matching: records.length, messages: records.length * 41 });
  },
  noteSeen: () => ok(undefined),
  readRawObject: ({ key }) => ok(new Response(key)),
  noteTokenUse: () => ok(undefined),
  readReportFile: ({ uid }) => ok(new Response(uid)),
  addingDomains: () => ok({ ruaHost: "rua.example.com" }),
  listForwards: () => ok({ items: [] }),
  async addRegistration({ rua, entry }, { D1_DMARC_REPORTS: directory }) {
    if (rua.startsWith("refused")) return fail("bad_request", `'${rua}' is refused.`);
    const place = { directory, copy: { get() {}, put() {}, delete() {} }, newAccountShard: 0 };
    const stored = await addAddress({ rua: rua.toLowerCase(), entry }, place, 1);
    if (stored === undefined) return fail("already_exists", `${rua} is registered already; nothing was changed.`);
    return ok({ rua: stored.rua, entry: stored.entry });
  },
  async putRegistration({ rua, entry }, { D1_DMARC_REPORTS: directory }) {
    if (rua.startsWith("fault")) throw new Error("KV is down");
    if (rua.startsWith("full")) throw new Error("D1_ERROR: Exceeded maximum DB size");
    if (rua.startsWith("refused")) return fail("bad_request", `'${rua}' is refused.`);
    const place = { directory, copy: { get() {}, put() {}, delete() {} }, newAccountShard: 0 };
    const stored = await putAddress({ rua: rua.toLowerCase(), entry }, place, 1);
    return ok({ rua: stored.rua, entry: stored.entry });
  },
  async removeRegistration({ rua }, { D1_DMARC_REPORTS: directory }) {
    await removeAddress(rua, { directory, copy: { get() {}, put() {}, delete() {} } }, 2);
    return ok(undefined);
  },
  requeueDeadLetters: ({ ids }) =>
    ids?.[0] === "refused" ? fail("bad_request", "That is refused.") : ok({ items: [] }),
  describeRawObject: ({ key }) => fail("not_found", `There is no raw object '${key}'.`),
  decideConflict: ({ id }) => fail("not_found", `There is no conflict '${id}'.`),
  takeBackReport: ({ account, domain, day, uid }) => ok({ account, kind: "aggregate", domain, day, uid }),
  startReprocess: (request) => ok(job("reprocess", request)),
  startReconcile(request) {
    reconciles++;
    return ok(job("reconcile", request));
  },
};

export class Operations extends WorkerEntrypoint {
  call(name, input) {
    return HANDLERS[name](input, this.env);
  }
}

export default { fetch: () => new Response("Not found", { status: 404 }) };
