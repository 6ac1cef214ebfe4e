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
  // Calls an operation of process, as the dashboard does: the body is [method, ...arguments].
  async fetch(request) {
    const [method, ...given] = await request.json();
    const answer = await this.env.PROCESS[method](...given);
    return answer instanceof Response ? answer : Response.json(answer ?? null);
  }
}
