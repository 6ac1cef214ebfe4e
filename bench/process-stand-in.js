// Answers in place of the process Worker while only pages are measured: nothing waits, and no raw file is there.
import { WorkerEntrypoint } from "cloudflare:workers";

function ok(value) {
  return { ok: true, value };
}

const ANSWERS = {
  pipelineStatus: ok({
    queues: [],
    unfinished: 0,
    unfinishedDays: [],
    runningAgain: 0,
    reportsWithDueSlices: 0,
    databases: [{ database: 0, accounts: 1, bytes: 1_000_000 }],
  }),
  listForwards: ok({ items: [] }),
  readRecords: ok({ kind: "gone", reason: "It is not there." }),
  readRawObject: { ok: false, error: { code: "not_found", message: "It is not there." } },
};

export class Operations extends WorkerEntrypoint {
  call(name) {
    const answer = ANSWERS[name];
    if (answer === undefined) throw new Error(`The stand-in knows no ${name}.`);
    return answer;
  }
}

export default { fetch: () => new Response("Not found", { status: 404 }) };
