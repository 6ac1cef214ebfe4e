/** Where an export is written: a folder, or a ZIP file that is written as it goes. */
import { mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { zipDirectory, zipEntry } from "../local/zip.ts";
import { CommandError } from "./command-error.ts";
import { reasonOfAny } from "./file-errors.ts";

/** Takes files; complete once it is finished. */
export interface Archive {
  add(name: string, content: Uint8Array): void;
  finish(): void;
}

/** The most bytes and files of a ZIP without its 64-bit form. */
const MAX_ZIP_BYTES = 0xffff_ffff;
const MAX_ZIP_FILES = 0xffff;

/** An archive at a path: a ZIP where it ends with .zip, else a folder. @throws CommandError where something is there */
export function openArchive(path: string): Archive {
  return path.toLowerCase().endsWith(".zip") ? zipFile(path) : folder(path);
}

/** Makes what must not be there yet. @throws CommandError where it is, or cannot be made */
function make<T>(path: string, create: () => T): T {
  try {
    return create();
  } catch (error) {
    throw new CommandError(`${path} can't be created: ${reasonOfAny(error)}.`);
  }
}

function folder(path: string): Archive {
  make(path, () => mkdirSync(path));
  return {
    add(name, content) {
      const target = join(path, name);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, content, { flag: "wx" });
    },
    finish() {},
  };
}

function zipFile(path: string): Archive {
  const file = make(path, () => openSync(path, "wx"));
  const central: Buffer[] = [];
  let length = 0;
  const write = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.byteLength; ) at += writeSync(file, bytes, at);
    length += bytes.byteLength;
  };
  return {
    add(fileName, content) {
      const entry = zipEntry(fileName, content, length);
      if (central.length === MAX_ZIP_FILES || length + entry.local.byteLength > MAX_ZIP_BYTES) {
        throw new CommandError(`${path}: it is too large for a ZIP file; name a folder instead.`);
      }
      central.push(entry.central);
      write(entry.local);
    },
    finish: () => write(zipDirectory(central, length)),
  };
}
