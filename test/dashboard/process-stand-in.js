// Support: answers in place of the process Worker by the contract of shared/operations.ts, from memory. The dashboard is
// what is tested; a registry address that starts with "fault" makes the call fail, as a broken Worker would.
import { WorkerEntrypoint } from "cloudflare:workers";

const registry = new Map();
let reconciles = 0;

/** Who the tests may be; anybody else has no access. */
const VIEWERS = {
  "operator@acme.example": { role: "operator", accounts: [] },
  "owner@acme.example": { role: "owner", accounts: ["acme"] },
  "nothing@acme.example": { role: "owner", accounts: [] },
};
function failOn(rua) {
  if (rua.startsWith("fault")) throw new Error("KV is down");
}

function job(kind, { filter = {}, dryRun = false } = {}) {
  return { id: `${kind}-job`, kind, filter, dryRun, state: "done", pages: 1, scanned: 0, enqueued: 0 };
}

export class Operations extends WorkerEntrypoint {
  status() {
    const queues = [{ queue: "dmarc-reports", messages: 2, bytes: 200 }];
    return { queues, unfinished: 2 + reconciles, unfinishedLimit: 10_000 };
  }
  getViewer(email) {
    const entry = VIEWERS[email];
    return entry === undefined ? undefined : { email, entry };
  }
  readRecords({ text }) {
    if (text === "gone") return { kind: "gone", reason: "It is not there." };
    if (text === "nothing") return { kind: "aggregate", records: [], matching: 0, messages: 0 };
    const record = {
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
    return { kind: "aggregate", records: [record], matching: 1, messages: 41 };
  }
  readRawObject(key) {
    return new Response(key);
  }
  listRegistrations() {
    return [...registry].map(([rua, entry]) => ({ rua, entry }));
  }
  getRegistration(rua) {
    failOn(rua);
    const entry = registry.get(rua);
    return entry === undefined ? undefined : { rua, entry };
  }
  putRegistration(rua, entry) {
    failOn(rua);
    if (rua.startsWith("refused")) return { refused: `'${rua}' is refused.` };
    registry.set(rua, entry);
    return { rua, entry };
  }
  removeRegistration(rua) {
    registry.delete(rua);
  }
  listDeadLetters({ cursor, code } = {}) {
    if (code === "refused") return { refused: "That is refused." };
    const letter = (id) => ({
      v: 1,
      id,
      reason: { code: "empty", message: "Nothing." },
      rawKey: `raw/${id}`,
      at: "2026-01-01T00:00:00Z",
      part: "",
      account: "",
      rua: "",
      domain: "",
      attempts: 1,
    });
    if (code !== undefined) return { items: [] };
    return cursor === undefined ? { items: [letter("a")], cursor: "a/b c" } : { items: [letter(`after ${cursor}`)] };
  }
  listConflicts() {
    return { items: [] };
  }
  listJobs() {
    return [];
  }
  startReprocess(request) {
    return job("reprocess", request);
  }
  startReconcile(request) {
    reconciles++;
    return job("reconcile", request);
  }
}

export default { fetch: () => new Response("Not found", { status: 404 }) };
