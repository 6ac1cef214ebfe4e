// Answers in place of the process Worker while only pages are measured: nothing waits, and no raw file is there.
import { WorkerEntrypoint } from "cloudflare:workers";

const ANSWERS = {
  pipelineStatus: { queues: [], unfinished: 0, unfinishedDays: [], reportsWithDueSlices: 0 },
  readRecords: { kind: "gone", reason: "It is not there." },
  readRawObject: null,
};

export class Operations extends WorkerEntrypoint {
  call(name) {
    return { ok: true, value: ANSWERS[name] };
  }
}

export default { fetch: () => new Response("Not found", { status: 404 }) };
