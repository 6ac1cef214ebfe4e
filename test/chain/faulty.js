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
  fetch() {
    return new Response("Not found", { status: 404 });
  }
}
