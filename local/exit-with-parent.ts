/**
 * Loaded into wrangler's process before wrangler: when the process that started it is gone, however it ended, the whole
 * process group (wrangler, esbuild, workerd) ends too. It does nothing else.
 */
import { isMainThread } from "node:worker_threads";

if (isMainThread && process.channel !== undefined) {
  process.on("disconnect", () => process.kill(-process.pid, "SIGKILL"));
}
