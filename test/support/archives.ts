/** Support: gzip and zip data, also damaged and lying ones. */
import { crc32, deflateRawSync, gzipSync } from "node:zlib";

const encoder = new TextEncoder();

/** Bytes of a text, or the bytes given. */
export function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? encoder.encode(content) : content;
}

/** Pieces one after the other. */
export function joinBytes(...pieces: (string | Uint8Array | number[])[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(pieces.map((piece) => (Array.isArray(piece) ? Uint8Array.from(piece) : toBytes(piece)))),
  );
}

/** One gzip member. */
export function gzip(content: string | Uint8Array): Uint8Array {
  return new Uint8Array(gzipSync(toBytes(content)));
}

export interface ZipEntry {
  name: string;
  content: string | Uint8Array;
  /** 8 = deflate (the usual), 0 = stored, anything else is written deflated under that number. */
  method?: number;
  /** The sizes follow the data, as streaming writers do it. */
  descriptor?: boolean;
  encrypted?: boolean;
  /** What the archive says instead of the truth. */
  says?: { sizeBytes?: number; crc32?: number };
  /** Offset of another entry's data to point at. */
  offset?: number;
}

/** A zip archive with a directory. */
export function zip(entries: ZipEntry[], comment = ""): Uint8Array {
  const local: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const entry of entries) {
    const parts = describe(entry);
    const data = joinBytes(localHeader(parts), parts.name, parts.data, descriptorOf(parts));
    directory.push(joinBytes(directoryHeader(parts, entry.offset ?? offset), parts.name));
    local.push(data);
    offset += data.byteLength;
  }
  const end = joinBytes(...directory);
  const bytes = new DataView(new ArrayBuffer(22));
  bytes.setUint32(0, 0x06054b50, true);
  bytes.setUint16(8, entries.length, true);
  bytes.setUint16(10, entries.length, true);
  bytes.setUint32(12, end.byteLength, true);
  bytes.setUint32(16, offset, true);
  bytes.setUint16(20, toBytes(comment).byteLength, true);
  return joinBytes(...local, end, new Uint8Array(bytes.buffer), comment);
}

/** The same archive with the longer end record (APPNOTE 4.3.14) that says all, and an ordinary one that says nothing. */
export function withZip64End(archive: Uint8Array): Uint8Array {
  const start = archive.byteLength - 22;
  const end = new DataView(archive.buffer, archive.byteOffset + start, 22);
  const long = new DataView(new ArrayBuffer(56 + 20 + 22));
  long.setUint32(0, 0x06064b50, true);
  long.setBigUint64(4, 44n, true);
  for (const at of [24, 32]) long.setBigUint64(at, BigInt(end.getUint16(10, true)), true);
  long.setBigUint64(40, BigInt(end.getUint32(12, true)), true);
  long.setBigUint64(48, BigInt(end.getUint32(16, true)), true);
  long.setUint32(56, 0x07064b50, true);
  long.setBigUint64(64, BigInt(start), true);
  long.setUint32(72, 1, true);
  long.setUint32(76, 0x06054b50, true);
  for (const at of [84, 86]) long.setUint16(at, 0xffff, true);
  for (const at of [88, 92]) long.setUint32(at, 0xffffffff, true);
  return joinBytes(archive.subarray(0, start), new Uint8Array(long.buffer));
}

function describe(entry: ZipEntry) {
  const content = toBytes(entry.content);
  const method = entry.method ?? 8;
  return {
    name: toBytes(entry.name),
    data: method === 0 ? content : new Uint8Array(deflateRawSync(content)),
    method,
    flags: (entry.encrypted ? 1 : 0) | (entry.descriptor ? 8 : 0) | 0x800,
    sizeBytes: entry.says?.sizeBytes ?? content.byteLength,
    crc: entry.says?.crc32 ?? crc32(content),
    descriptor: entry.descriptor ?? false,
  };
}

type Described = ReturnType<typeof describe>;

function localHeader({ name, data, method, flags, sizeBytes, crc, descriptor }: Described): Uint8Array {
  const view = new DataView(new ArrayBuffer(30));
  view.setUint32(0, 0x04034b50, true);
  view.setUint16(4, 20, true);
  view.setUint16(6, flags, true);
  view.setUint16(8, method, true);
  view.setUint32(14, descriptor ? 0 : crc, true);
  view.setUint32(18, descriptor ? 0 : data.byteLength, true);
  view.setUint32(22, descriptor ? 0 : sizeBytes, true);
  view.setUint16(26, name.byteLength, true);
  return new Uint8Array(view.buffer);
}

function descriptorOf({ data, sizeBytes, crc, descriptor }: Described): Uint8Array {
  if (!descriptor) return new Uint8Array(0);
  const view = new DataView(new ArrayBuffer(16));
  view.setUint32(0, 0x08074b50, true);
  view.setUint32(4, crc, true);
  view.setUint32(8, data.byteLength, true);
  view.setUint32(12, sizeBytes, true);
  return new Uint8Array(view.buffer);
}

function directoryHeader({ name, data, method, flags, sizeBytes, crc }: Described, offset: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(46));
  view.setUint32(0, 0x02014b50, true);
  view.setUint16(4, 20, true);
  view.setUint16(6, 20, true);
  view.setUint16(8, flags, true);
  view.setUint16(10, method, true);
  view.setUint32(16, crc, true);
  view.setUint32(20, data.byteLength, true);
  view.setUint32(24, sizeBytes, true);
  view.setUint16(28, name.byteLength, true);
  view.setUint32(42, offset, true);
  return new Uint8Array(view.buffer);
}
