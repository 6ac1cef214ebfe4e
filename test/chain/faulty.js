// Support: a binding that is down: whatever of KV, R2, a queue or Analytics Engine a Worker calls on it fails.
import { WorkerEntrypoint } from "cloudflare:workers";

function fail() {
  throw new Error("The platform is down (injected).");
}

export default class extends WorkerEntrypoint {
  get() {
    fail();
  }
  put() {
    fail();
  }
  sendBatch() {
    fail();
  }
  writeDataPoint() {
    fail();
  }
  // Calls an operation of process, as the dashboard does: the body is [name, input, caller].
  async fetch(request) {
    const [name, input, caller] = await request.json();
    const answer = await this.env.PROCESS.call(name, input, caller);
    if (!answer.ok) return Response.json(answer.error, { status: 400 });
    return answer.value instanceof Response ? answer.value : Response.json(answer.value ?? null);
  }
}
