/**
 * Writes ZIP archives (PKWARE APPNOTE 4.3), a file at a time: the libraries at hand only read them. For exports of the
 * `dmarc` command, samples, tests and benchmarks. It never reads one.
 */
import { crc32, deflateRawSync } from "node:zlib";

const DEFLATED = 8;
const VERSION = 20;
/** General purpose bit 11: the name is UTF-8. */
const UTF8_NAME = 0x800;
/** 1980-01-01, the first date a ZIP can hold: the same bytes whenever it is made. */
const DOS_DATE = 0x21;

/** A file of an archive: what comes before its content and the content, and its entry in the directory at the end. */
export interface ZipEntry {
  local: Buffer;
  central: Buffer;
}

/** A file of an archive. @param offset where it begins, in bytes */
export function zipEntry(fileName: string, content: Uint8Array, offset: number): ZipEntry {
  const name = Buffer.from(fileName);
  const data = deflateRawSync(content);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(VERSION, 0);
  common.writeUInt16LE(name.length === fileName.length ? 0 : UTF8_NAME, 2);
  common.writeUInt16LE(DEFLATED, 4);
  common.writeUInt16LE(DOS_DATE, 8);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(name.length, 22);
  const place = Buffer.alloc(14);
  place.writeUInt32LE(offset, 10);
  return {
    local: Buffer.concat([Buffer.from("PK\x03\x04"), common, name, data]),
    central: Buffer.concat([Buffer.from("PK\x01\x02"), Buffer.from([VERSION, 0]), common, place, name]),
  };
}

/** The directory at the end of an archive. @param start where it begins, in bytes */
export function zipDirectory(central: readonly Buffer[], start: number): Buffer {
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(central.length, 4);
  end.writeUInt16LE(central.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(start, 12);
  return Buffer.concat([directory, Buffer.from("PK\x05\x06"), end]);
}

/** An archive of one file. */
export function zipOf(fileName: string, content: Uint8Array): Buffer {
  const { local, central } = zipEntry(fileName, content, 0);
  return Buffer.concat([local, zipDirectory([central], local.length)]);
}
