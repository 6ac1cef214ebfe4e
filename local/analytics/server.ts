/**
 * The local Analytics Engine as a separate process: chdb loads a library of 500 MB and a crash of it must not take
 * the rest along. Started by `startAnalytics`, never by hand: it ends when its parent's pipe closes.
 *
 * Environment: LOCAL_ANALYTICS_FOLDER, LOCAL_ANALYTICS_PORT (0 = any), LOCAL_ANALYTICS_TOKEN.
 */
import { mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { FolderInUseError, openEngine } from "./engine.ts";
import { createAnalyticsServer } from "./http.ts";
import { Journal } from "./journal.ts";
import { FOLDER_IN_USE_EXIT_CODE } from "./start.ts";

const { LOCAL_ANALYTICS_FOLDER: folder, LOCAL_ANALYTICS_PORT: port, LOCAL_ANALYTICS_TOKEN: token } = process.env;
if (folder === undefined || port === undefined || token === undefined || token === "") {
  throw new Error("LOCAL_ANALYTICS_FOLDER, LOCAL_ANALYTICS_PORT and LOCAL_ANALYTICS_TOKEN must be set.");
}

mkdirSync(folder, { recursive: true });
const engine = await openEngine(folder).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(error instanceof FolderInUseError ? FOLDER_IN_USE_EXIT_CODE : 1);
});
const journal = await Journal.open(`${folder}-journal`, (dataset, points, seconds) =>
  engine.write(dataset, points, seconds),
);
const server = createAnalyticsServer({ engine, journal, token, now: () => Date.now() / 1000 });

server.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
server.listen(Number(port), "127.0.0.1", () => {
  const { port: listening } = server.address() as AddressInfo;
  process.send?.({ ready: true, port: listening });
});

let stopping = false;
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  server.closeIdleConnections();
  // Writes that are being stored are answered first; a client that never ends its request is not waited for.
  setTimeout(() => server.closeAllConnections(), 2000).unref();
  await new Promise((resolve) => server.close(resolve));
  // Otherwise it is what the next start stores.
  await journal.flush().catch((error: unknown) => console.error(String(error)));
  engine.close();
  process.exit(0);
}

process.on("SIGTERM", stop);
// The terminal sends Ctrl-C to the whole group; the parent decides the order of stopping.
process.on("SIGINT", () => undefined);
process.on("disconnect", stop);
