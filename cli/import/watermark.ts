/**
 * How far a mailbox was imported, in a file of the user's: where it is lost, mails are read again and known by their content.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** The mark of one mailbox and one pipeline. */
export interface Watermark {
  /** What was written last; undefined = nothing. */
  read(): unknown;
  write(position: unknown): void;
}

/** Opens the mark. @param identity the mailbox and where it is imported to: another one starts from the beginning */
export function openWatermark(identity: readonly string[]): Watermark {
  const hash = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 24);
  const path = join(stateFolder(), `import-${hash}.json`);
  return {
    read() {
      try {
        return JSON.parse(readFileSync(path, "utf8")).position;
      } catch {
        return undefined;
      }
    },
    write(position) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      // Whole or not at all, should it be interrupted.
      writeFileSync(`${path}.new`, `${JSON.stringify({ identity, position })}\n`, { mode: 0o600 });
      renameSync(`${path}.new`, path);
    },
  };
}

/** A mark that is neither read nor written: everything is looked at. */
export function noWatermark(): Watermark {
  return { read: () => undefined, write: () => undefined };
}

function stateFolder(): string {
  return join(process.env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "dmarc");
}
