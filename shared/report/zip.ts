/**
 * Zip archives (PKWARE APPNOTE), the only importer of unzipit. unzipit reads the directory; entries are found by ranged
 * reads and decompressed by inflate.ts, so that sizes are enforced, checksums verified, and nothing is held whole.
 */
import { type Reader, unzipRaw } from "unzipit";
import * as v from "valibot";
import { READ_LIMITS } from "../limits.ts";
import { type ArchiveNote, inflateRaw, inflateRawWhole, type OutputBudget, passStored } from "./inflate.ts";
import { reject } from "./rejection.ts";
import { type ByteSource, readRange } from "./source.ts";

/** One file of an archive. */
export interface ZipFile {
  name: string;
  /** According to the archive's directory. */
  sizeBytes: number;
  /** The decompressed content. @throws Rejection when the data is damaged, encrypted or too large */
  content(): AsyncIterable<Uint8Array>;
  /** The same at once if it is small and valid; the caller charges the budget. */
  whole(): Promise<Uint8Array | undefined>;
}

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const ZIP64_END_SIGNATURE = 0x06064b50;
const ZIP64_END_BYTES = 56;
const ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
const ZIP64_LOCATOR_BYTES = 20;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
/** A comment has at most 65,535 bytes; allow a little more for bytes that gateways append. */
const TAIL_BYTES = END_BYTES + 65_535 + 4096;

// An entry's directory record as parsed by unzipit, which does not expose the data's offset publicly.
const directoryRecord = v.object({
  crc32: v.number(),
  compressedSize: v.number(),
  uncompressedSize: v.number(),
  relativeOffsetOfLocalHeader: v.number(),
});
type DirectoryRecord = v.InferOutput<typeof directoryRecord>;

/** The archive's position in the bytes: there may be data before and after it. */
interface Extent {
  /** To be added to every offset in the archive. */
  base: number;
  /** The end of the end record, without its comment. */
  recordEnd: number;
  /** The end of the comment. */
  end: number;
}

/** The contents of an archive, without folders. */
export interface ZipContent {
  files: ZipFile[];
  /** Names of macOS metadata files. */
  resourceForks: string[];
}

/**
 * Lists the files of an archive: folders and macOS resource forks are left out.
 *
 * @throws Rejection corrupt_archive, too_many_entries
 */
export async function readZip(source: ByteSource, budget: OutputBudget, note: ArchiveNote): Promise<ZipContent> {
  const extents = await findArchives(source);
  if (extents.length === 0) reject("corrupt_archive", "no zip directory");
  if (extents.length > 1) note(`${extents.length} zip archives one after the other`);
  const content: ZipContent = { files: [], resourceForks: [] };
  let end = 0;
  for (const extent of extents) {
    if (extent.base > end) note(`${extent.base - end} bytes before the zip data`);
    const { files, resourceForks } = await readExtent(source, extent, budget);
    content.files.push(...files);
    content.resourceForks.push(...resourceForks);
    end = extent.end;
  }
  if (end < source.sizeBytes) note(`${source.sizeBytes - end} bytes after the zip data`);
  const count = content.files.length + content.resourceForks.length;
  if (count > READ_LIMITS.maxArchiveEntries) reject("too_many_entries", `${count} entries`);
  return content;
}

async function readExtent(source: ByteSource, extent: Extent, budget: OutputBudget): Promise<ZipContent> {
  const entries = await readDirectory(source, extent);
  refuseOverlap(entries.map(({ record }) => record));
  // Windows programs end the names of folders with a backslash.
  const isFolder = ({ entry, record }: (typeof entries)[number]): boolean =>
    entry.isDirectory || (entry.name.endsWith("\\") && record.uncompressedSize === 0);
  const all = entries.filter((one) => !isFolder(one));
  const isFork = ({ entry }: (typeof all)[number]): boolean => /(^|\/)(__MACOSX\/|\._)/.test(entry.name);
  const files = all
    .filter((one) => !isFork(one))
    .map(({ entry, record }) => ({
      name: entry.name,
      sizeBytes: record.uncompressedSize,
      async whole() {
        const { compressedSize, uncompressedSize, crc32 } = record;
        const isSmall = Math.max(compressedSize, uncompressedSize) <= READ_LIMITS.maxSmallDocumentBytes;
        if (entry.encrypted || entry.compressionMethod !== 8 || !isSmall) return undefined;
        const { start, end } = await dataRange(source, extent, record);
        return inflateRawWhole(await source.read(start, end - start), { sizeBytes: uncompressedSize, crc32 });
      },
      async *content() {
        if (entry.encrypted) reject("encrypted_archive", entry.name);
        const expected = { sizeBytes: record.uncompressedSize, crc32: record.crc32 };
        const data = readRange(source, await dataRange(source, extent, record), 16 * READ_LIMITS.inflateInputBytes);
        if (entry.compressionMethod === 8) yield* inflateRaw(data, budget, expected);
        else if (entry.compressionMethod === 0) yield* passStored(data, budget, expected);
        else {
          const method = METHOD_NAMES[entry.compressionMethod] ?? "unknown";
          reject("unsupported_compression", `${entry.name}: method ${entry.compressionMethod}, ${method}`);
        }
      },
    }));
  return { files, resourceForks: all.filter(isFork).map(({ entry }) => entry.name) };
}

/** APPNOTE 4.4.5. */
const METHOD_NAMES: Record<number, string> = {
  1: "shrink",
  6: "implode",
  9: "deflate64",
  12: "bzip2",
  14: "LZMA",
  93: "Zstandard",
  95: "xz",
  96: "JPEG",
  98: "PPMd",
  99: "AES encryption",
};

async function readDirectory(source: ByteSource, extent: Extent) {
  // unzipit searches for the end record from the end; without a comment it can only find the one findArchive found.
  const size = extent.recordEnd - extent.base;
  const reader: Reader = {
    getLength: async () => size,
    read: async (offset, length) => {
      const bytes = new Uint8Array(await source.read(extent.base + offset, Math.min(length, size - offset)));
      if (offset + bytes.byteLength > size - 2) bytes.fill(0, Math.max(0, size - 2 - offset));
      return bytes;
    },
  };
  const { entries } = await unzipRaw(reader).catch((error: unknown) =>
    reject("corrupt_archive", error instanceof Error ? error.message : "unreadable directory"),
  );
  return entries.map((entry) => ({
    entry,
    record: v.parse(directoryRecord, Reflect.get(entry, "_rawEntry")),
  }));
}

/** The archives in the bytes, in order: the last, and any that come before it. */
async function findArchives(source: ByteSource): Promise<Extent[]> {
  const extents: Extent[] = [];
  for (let sizeBytes = source.sizeBytes; sizeBytes > 0 && extents.length < MAX_ARCHIVES; ) {
    const extent = await findArchive(source, sizeBytes);
    if (extent === undefined) break;
    extents.unshift(extent);
    sizeBytes = extent.base;
  }
  return extents;
}

/** More of them one after the other are as odd as an archive of too many files. */
const MAX_ARCHIVES = 20;

/** Where an end record says that the directory is. */
interface DirectoryPlace {
  /** Of the end records, from the start of the bytes. */
  end: number;
  entryCount: number;
  directoryBytes: number;
  /** From the start of the archive. */
  directoryOffset: number;
}

// The last end record that a directory comes before; the same four bytes may be in a comment.
async function findArchive(source: ByteSource, sizeBytes: number): Promise<Extent | undefined> {
  const tailStart = Math.max(0, sizeBytes - TAIL_BYTES);
  const tail = await source.read(tailStart, sizeBytes - tailStart);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let looks = 0;
  for (let at = tail.byteLength - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== END_SIGNATURE) continue;
    const place = readZip64End(view, at, tailStart) ?? readEnd(view, at, tailStart);
    const start = place.end - place.directoryBytes;
    const base = start - place.directoryOffset;
    if (base < 0) continue;
    if (start < tailStart && ++looks > MAX_LOOKS) continue;
    const signature = start < tailStart ? await source.read(start, 4) : tail.subarray(start - tailStart);
    if (place.directoryBytes > 0 && !DIRECTORY_SIGNATURE.every((byte, i) => signature[i] === byte)) continue;
    if (place.entryCount > READ_LIMITS.maxArchiveEntries) reject("too_many_entries", `${place.entryCount} entries`);
    const commentBytes = Math.min(view.getUint16(at + 20, true), tail.byteLength - at - END_BYTES);
    const recordEnd = tailStart + at + END_BYTES;
    return { base, recordEnd, end: recordEnd + commentBytes };
  }
  return undefined;
}

const DIRECTORY_SIGNATURE = [0x50, 0x4b, 0x01, 0x02];
/** Directories before the tail that are looked for: each look reads from the source. */
const MAX_LOOKS = 4;

function readEnd(view: DataView, at: number, tailStart: number): DirectoryPlace {
  return {
    end: tailStart + at,
    entryCount: view.getUint16(at + 10, true),
    directoryBytes: view.getUint32(at + 12, true),
    directoryOffset: view.getUint32(at + 16, true),
  };
}

/** APPNOTE 4.3.14 and 4.3.15: a longer end record, and what locates it, before the end record. */
function readZip64End(view: DataView, at: number, tailStart: number): DirectoryPlace | undefined {
  const isMarked = view.getUint16(at + 10, true) === 0xffff || view.getUint32(at + 16, true) === 0xffffffff;
  const record = at - ZIP64_LOCATOR_BYTES - ZIP64_END_BYTES;
  if (!isMarked || record < 0) return undefined;
  if (view.getUint32(at - ZIP64_LOCATOR_BYTES, true) !== ZIP64_LOCATOR_SIGNATURE) return undefined;
  if (view.getUint32(record, true) !== ZIP64_END_SIGNATURE) return undefined;
  return {
    end: tailStart + record,
    entryCount: Number(view.getBigUint64(record + 32, true)),
    directoryBytes: Number(view.getBigUint64(record + 40, true)),
    directoryOffset: Number(view.getBigUint64(record + 48, true)),
  };
}

function refuseOverlap(records: DirectoryRecord[]): void {
  const sorted = [...records].sort((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader);
  let end = 0;
  for (const record of sorted) {
    if (record.relativeOffsetOfLocalHeader < end) reject("corrupt_archive", "entries overlap");
    end = record.relativeOffsetOfLocalHeader + LOCAL_BYTES + record.compressedSize;
  }
}

// The local header repeats the name, and its extra fields may differ in length.
async function dataRange(source: ByteSource, extent: Extent, record: DirectoryRecord) {
  const header = await source.read(extent.base + record.relativeOffsetOfLocalHeader, LOCAL_BYTES);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (header.byteLength < LOCAL_BYTES || view.getUint32(0, true) !== LOCAL_SIGNATURE) {
    reject("corrupt_archive", "no entry where the directory says");
  }
  const start =
    extent.base +
    record.relativeOffsetOfLocalHeader +
    LOCAL_BYTES +
    view.getUint16(26, true) +
    view.getUint16(28, true);
  return { start, end: Math.min(start + record.compressedSize, source.sizeBytes) };
}
