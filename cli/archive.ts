/** Where an export is written: a folder, or a ZIP file (PKWARE APPNOTE 4.3) that is written as it goes. */
import { mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { CommandError } from "./command-error.ts";

/** Takes files; complete once it is finished. */
export interface Archive {
  add(name: string, content: Uint8Array): void;
  finish(): void;
}

/** A ZIP without its 64-bit form has at most so many bytes and files. */
const MAX_ZIP_BYTES = 0xffff_ffff;
const MAX_ZIP_FILES = 0xffff;
const DEFLATED = 8;
const VERSION = 20;
/** Names are UTF-8. */
const FLAGS = 0x800;
/** 1980-01-01, the first date a ZIP can hold. */
const DOS_DATE = 0x21;

/** An archive at a path: a ZIP where it ends with .zip, else a folder. @throws CommandError where something is there */
export function openArchive(path: string): Archive {
  return path.toLowerCase().endsWith(".zip") ? zipFile(path) : folder(path);
}

/** Makes what must not be there yet. @throws CommandError where it is, or cannot be made */
function make<T>(path: string, create: () => T): T {
  try {
    return create();
  } catch (error) {
    throw new CommandError(`${path} cannot be made: ${error instanceof Error ? error.message : String(error)}`);
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
      const name = Buffer.from(fileName);
      const data = deflateRawSync(content);
      if (central.length === MAX_ZIP_FILES || length + data.length + name.length > MAX_ZIP_BYTES) {
        throw new CommandError(`${path}: it is too much for a ZIP file; give a folder.`);
      }
      const common = Buffer.alloc(26);
      common.writeUInt16LE(VERSION, 0);
      common.writeUInt16LE(FLAGS, 2);
      common.writeUInt16LE(DEFLATED, 4);
      common.writeUInt16LE(DOS_DATE, 8);
      common.writeUInt32LE(crc32(content), 10);
      common.writeUInt32LE(data.length, 14);
      common.writeUInt32LE(content.length, 18);
      common.writeUInt16LE(name.length, 22);
      const after = Buffer.alloc(14);
      after.writeUInt32LE(length, 10);
      central.push(Buffer.concat([Buffer.from("PK\x01\x02"), Buffer.from([VERSION, 0]), common, after, name]));
      write(Buffer.concat([Buffer.from("PK\x03\x04"), common, name, data]));
    },
    finish() {
      const start = length;
      const directory = Buffer.concat(central);
      const end = Buffer.alloc(18);
      end.writeUInt16LE(central.length, 4);
      end.writeUInt16LE(central.length, 6);
      end.writeUInt32LE(directory.length, 8);
      end.writeUInt32LE(start, 12);
      write(Buffer.concat([directory, Buffer.from("PK\x05\x06"), end]));
    },
  };
}
