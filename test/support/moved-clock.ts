/**
 * Support: process with a clock that a test moves: its own code, with the time that the test's server says at the beginning of
 * each invocation. Everything else of the stack keeps this machine's time.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { listenLocally } from "./ports.ts";

export interface MovedClock {
  /** Main module of process. */
  processMain: string;
  /** Seconds since 1970 UTC. */
  nowSeconds(): number;
  moveTo(seconds: number): void;
  stop(): Promise<void>;
}

export async function startMovedClock(seconds: number): Promise<MovedClock> {
  let offsetMilliseconds = 0;
  const moveTo = (to: number): void => {
    offsetMilliseconds = to * 1000 - Date.now();
  };
  moveTo(seconds);
  const server = createServer((_, response) => response.end(String(offsetMilliseconds)));
  const port = await listenLocally(server);
  const folder = mkdtempSync(join(tmpdir(), "dmarc-clock-"));
  const processMain = join(folder, "process.js");
  const real = resolve(import.meta.dirname, "../../local/worker/process.ts");
  writeFileSync(processMain, moduleText(real, `http://127.0.0.1:${port}/`));
  return {
    processMain,
    nowSeconds: () => Math.floor((Date.now() + offsetMilliseconds) / 1000),
    moveTo,
    stop: () => {
      rmSync(folder, { recursive: true });
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

/** The real main module behind a `Date` that is moved. */
function moduleText(real: string, clockUrl: string): string {
  return `
import process, { Operations as RealOperations } from ${JSON.stringify(real)};
const RealDate = Date;
let offset = 0;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + offset);
    else super(...given);
  }
  static now() {
    return RealDate.now() + offset;
  }
};
async function askClock() {
  offset = Number(await (await fetch(${JSON.stringify(clockUrl)})).text());
}
export default {
  ...process,
  async queue(...given) {
    await askClock();
    return process.queue(...given);
  },
  async scheduled(...given) {
    await askClock();
    return process.scheduled(...given);
  },
};
export class Operations extends RealOperations {
  async call(...given) {
    await askClock();
    return super.call(...given);
  }
}
`;
}
