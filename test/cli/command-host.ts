/**
 * Support: a process that runs `dmarc` again and again, as run-command.ts tells it. Each run is the whole of cli/dmarc.ts, and
 * ends as a process of its own would: with its exit code, once nothing is left that would keep it going.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { CommandOutcome, CommandRun } from "./run-command.ts";

/** What `process.exit` ends here. */
class Exit extends Error {}

const DISPATCHER = Symbol.for("undici.globalDispatcher.1");
const LOOK_MS = 1;
const { exit } = process;
let runs = 0;

process.on("message", (run: CommandRun) => {
  runDmarc(run).then(
    (outcome) => process.send?.(outcome),
    (error: unknown) => {
      console.error(error);
      exit(70);
    },
  );
});
process.on("disconnect", () => exit());

async function runDmarc({ args, env }: CommandRun): Promise<CommandOutcome> {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.argv.splice(1, process.argv.length, "dmarc", ...args);
  process.exitCode = undefined;
  const written = { stdout: "", stderr: "" };
  // With the streams, which count once they are used.
  const streams = (["stdout", "stderr"] as const).map((name) => take(process[name], (text) => (written[name] += text)));
  const before = alive();
  process.exit = (code) => {
    process.exitCode = code ?? process.exitCode;
    throw new Exit();
  };
  try {
    // Read anew; what it imports is there.
    await import(`../../cli/dmarc.ts?run=${++runs}`);
    await nothingLeft(before);
  } catch (error) {
    if (!(error instanceof Exit)) {
      written.stderr += error instanceof Error ? error.stack : String(error);
      process.exitCode = 1;
    }
  } finally {
    process.exit = exit;
    for (const stream of streams) stream.giveBack();
    process.removeAllListeners("SIGINT");
    await dropConnections();
  }
  const code = Number(process.exitCode ?? 0);
  process.exitCode = undefined;
  return { code, ...written };
}

/** What is written to a stream goes elsewhere until it is given back. */
function take(stream: NodeJS.WriteStream, onText: (text: string) => void): { giveBack(): void } {
  const { write } = stream;
  const decoder = new TextDecoder();
  stream.write = (
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | ((error?: Error | null) => void),
    done?: (error?: Error | null) => void,
  ): boolean => {
    onText(typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }));
    const told = typeof encoding === "function" ? encoding : done;
    if (told !== undefined) queueMicrotask(told);
    return true;
  };
  return {
    giveBack() {
      stream.write = write;
      stream.removeAllListeners("error");
    },
  };
}

/** How many things keep the process going. Of a file that was read, Node lists a request that no longer does. */
function alive(): number {
  return process.getActiveResourcesInfo().filter((name) => name !== "FileHandleReadWrap").length;
}

/** Where something keeps the process going, it goes on. */
async function nothingLeft(before: number): Promise<void> {
  while (alive() > before) await sleep(LOOK_MS, undefined, { ref: false });
}

/** The next run makes connections of its own: one kept from before may be closed while it is used. */
async function dropConnections(): Promise<void> {
  const dispatcher: unknown = Reflect.get(globalThis, DISPATCHER);
  if (typeof dispatcher !== "object" || dispatcher === null) return;
  if (!("close" in dispatcher) || typeof dispatcher.close !== "function") return;
  await dispatcher.close();
  Reflect.set(globalThis, DISPATCHER, Reflect.construct(dispatcher.constructor, []));
}
