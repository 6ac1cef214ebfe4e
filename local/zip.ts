/**
 * Writes a ZIP archive of one file, for samples, tests and benchmarks: the libraries at hand only read archives. It never
 * reads one.
 */
import { crc32, deflateRawSync } from "node:zlib";

const DEFLATE = 8;
const VERSION = 20;
/** 1980-01-01, the first date a ZIP can hold: the same bytes whenever it is made. */
const DOS_DATE = 0x21;

/** The archive (PKWARE APPNOTE 4.3: local header, data, central directory, its end). */
export function zipOf(fileName: string, content: Uint8Array): Buffer {
  const name = Buffer.from(fileName);
  const data = deflateRawSync(content);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(VERSION, 0);
  common.writeUInt16LE(DEFLATE, 4);
  common.writeUInt16LE(DOS_DATE, 8);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, name, data]);
  const madeBy = Buffer.from([VERSION, 0]);
  const central = Buffer.concat([Buffer.from("PK\x01\x02"), madeBy, common, Buffer.alloc(14), name]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from("PK\x05\x06"), end]);
}
