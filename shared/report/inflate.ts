/**
 * Streaming decompression and the framing around it. The platform's inflater does nearly all of it
 * (inflate-natively.ts), pako the rest (inflate-plainly.ts). Output is charged to a budget as it is produced, so that a
 * bomb stops at the cap and not in memory; checksums are verified before the stream ends.
 */
import { READ_LIMITS } from "../limits.ts";
import { leadingBlankBytes } from "../sniff.ts";
import { crc32, inflateWhole, NativeInflater } from "./inflate-natively.ts";
import { PlainInflater } from "./inflate-plainly.ts";
import { Pieces } from "./pieces.ts";
import { type Problem, problem } from "./problems.ts";
import { Rejection, reject } from "./rejection.ts";

/** Called for decompressed bytes as they are produced; throws when there are too many (budget.ts). */
export interface OutputBudget {
  takeOutput(bytes: number): void;
}

/** Harmless oddities of the data. */
export type ArchiveNote = (detail: string) => void;

/** Receives what is noticed about a gzip file: oddities, and why its last member was not yielded. */
export interface GzipNotes {
  note: ArchiveNote;
  lose: (problem: Problem) => void;
}

/** RFC 1952 section 2.3. */
const GZIP_HEADER_BYTES = 10;
const GZIP_TRAILER_BYTES = 8;
/** RFC 1952 section 2.3.1: flags of the header; pako handles the header checksum and the reserved bits. */
const GZIP_FLAGS = { extra: 4, name: 8, comment: 16, unusual: 0xe2 } as const;

/**
 * Decompresses gzip (RFC 1952), including several members, leading blank bytes, and anything after the last member. A
 * damaged member after whole ones ends it, if nothing of that one was yielded yet.
 *
 * @throws Rejection corrupt_archive, truncated; what the budget throws
 */
export async function* gunzip(
  input: AsyncIterable<Uint8Array>,
  budget: OutputBudget,
  notes: GzipNotes,
): AsyncGenerator<Uint8Array> {
  yield* charged(
    fromPieces(skipBlank(input, notes.note), (pieces) => gunzipPieces(pieces, notes)),
    budget,
  );
}

async function* gunzipPieces(pieces: Pieces, notes: GzipNotes): AsyncGenerator<Uint8Array> {
  const start = (await pieces.next()) ?? new Uint8Array(0);
  const headerBytes = gzipHeaderBytes(start);
  pieces.putBack(start.byteLength - (headerBytes ?? 0));
  if (headerBytes !== undefined) yield* gunzipMember(pieces);
  yield* gunzipMembers(pieces, headerBytes === undefined ? 0 : 1, notes);
}

/**
 * Decompresses a small, ordinary gzip file that is entirely in memory. The caller charges the budget.
 *
 * @returns undefined if it is odd, damaged, or larger than `maxBytes` decompressed; gunzip finds out which
 */
export function gunzipWhole(bytes: Uint8Array, maxBytes: number): Uint8Array | undefined {
  const dataStart = gzipHeaderBytes(bytes);
  const dataEnd = bytes.byteLength - GZIP_TRAILER_BYTES;
  if (dataStart === undefined || dataEnd < dataStart) return undefined;
  const content = inflateWhole(bytes.subarray(dataStart, dataEnd), maxBytes);
  if (content === undefined) return undefined;
  const actual = { crc: crc32(content), sizeBytes: content.byteLength };
  return checkTrailer(bytes.subarray(dataEnd), actual) === "right" ? content : undefined;
}

/** Where the data of the first member begins; undefined if the header is odd or incomplete. */
function gzipHeaderBytes(bytes: Uint8Array): number | undefined {
  const [magic1, magic2, method, flags = GZIP_FLAGS.unusual] = bytes;
  if (magic1 !== 0x1f || magic2 !== 0x8b || method !== 8 || (flags & GZIP_FLAGS.unusual) !== 0) return undefined;
  let end = GZIP_HEADER_BYTES;
  if (flags & GZIP_FLAGS.extra) end += 2 + (bytes[end] ?? 0) + 256 * (bytes[end + 1] ?? 0);
  for (const text of [GZIP_FLAGS.name, GZIP_FLAGS.comment]) {
    if ((flags & text) === 0) continue;
    const zero = bytes.indexOf(0, end);
    if (zero < 0) return undefined;
    end = zero + 1;
  }
  return end < bytes.byteLength ? end : undefined;
}

/** Reads one member and its trailer; what follows stays in `pieces`. */
async function* gunzipMember(pieces: Pieces): AsyncGenerator<Uint8Array> {
  const actual = { crc: 0, sizeBytes: 0 };
  for await (const output of inflateSingle(pieces)) {
    actual.crc = crc32(output, actual.crc);
    actual.sizeBytes += output.byteLength;
    yield output;
  }
  const trailer = (await pieces.next(GZIP_TRAILER_BYTES)) ?? new Uint8Array(0);
  const found = checkTrailer(trailer, actual);
  if (found === "cut") rejectEarlyEnd();
  if (found !== "right") reject("corrupt_archive", found);
  pieces.putBack(trailer.byteLength - GZIP_TRAILER_BYTES);
}

/** RFC 1952 section 2.3.1: CRC-32 and size modulo 2^32, the least significant byte first. */
function checkTrailer(trailer: Uint8Array, { crc, sizeBytes }: { crc: number; sizeBytes: number }): string {
  const view = new DataView(trailer.buffer, trailer.byteOffset, trailer.byteLength);
  if (trailer.byteLength >= 4 && view.getUint32(0, true) !== crc) return "incorrect data check";
  if (trailer.byteLength < GZIP_TRAILER_BYTES) return "cut";
  return view.getUint32(4, true) === sizeBytes % 2 ** 32 ? "right" : "incorrect length check";
}

/** Reads further members, after `membersBefore`, and what follows them. */
async function* gunzipMembers(
  pieces: Pieces,
  membersBefore: number,
  { note, lose }: GzipNotes,
): AsyncGenerator<Uint8Array> {
  let members = membersBefore;
  let inflater: PlainInflater | undefined;
  let isOpen = false;
  let damage: Problem | undefined;
  // Output of whole members that is still held, and whether some of the open one no longer is.
  let wholeBytes = 0;
  let isHalfOut = false;
  for (let data = await pieces.next(2); data !== undefined && damage === undefined; data = await pieces.next(2)) {
    if (!isOpen && members > 0 && (data[0] !== 0x1f || data[1] !== 0x8b)) {
      note("bytes after the end of the gzip data");
      break;
    }
    if (!isOpen) {
      inflater?.reset();
      members++;
      wholeBytes = inflater?.heldBytes ?? 0;
      isHalfOut = false;
    }
    inflater ??= new PlainInflater("gzip");
    try {
      for (const output of inflater.inflate(data)) {
        isHalfOut = true;
        yield output;
      }
      isOpen = !inflater.ended;
      if (inflater.ended) pieces.putBack(inflater.leftoverBytes);
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      damage = error.problem;
    }
  }
  if (isOpen || members === 0) damage ??= problem("truncated", EARLY_END);
  if (damage !== undefined && (members < 2 || isHalfOut)) throw new Rejection(damage);
  if (inflater !== undefined) yield* inflater.flush(damage === undefined ? undefined : wholeBytes);
  if (damage !== undefined) lose(damage);
  if (members > 1) note(`${members} gzip members${damage === undefined ? "" : ", the last of them damaged"}`);
}

/** Decompresses a zlib stream (RFC 1950). @throws Rejection corrupt_archive, truncated; what the budget throws */
export async function* inflateZlib(input: AsyncIterable<Uint8Array>, budget: OutputBudget): AsyncGenerator<Uint8Array> {
  yield* charged(fromPieces(input, inflateStream), budget);
}

async function* inflateStream(pieces: Pieces): AsyncGenerator<Uint8Array> {
  const inflater = new PlainInflater("zlib");
  for (let data = await pieces.next(); data !== undefined; data = await pieces.next()) {
    yield* inflater.inflate(data);
    if (inflater.ended) return yield* inflater.flush();
  }
  rejectEarlyEnd();
}

/** What an archive's directory says about an entry's content. */
export interface ExpectedContent {
  sizeBytes: number;
  crc32: number;
}

/**
 * Decompresses raw deflate data (RFC 1951) and compares it with the archive's directory.
 *
 * @throws Rejection corrupt_archive, truncated; what the budget throws
 */
export async function* inflateRaw(
  input: AsyncIterable<Uint8Array>,
  budget: OutputBudget,
  expected: ExpectedContent,
): AsyncGenerator<Uint8Array> {
  yield* verifyContent(charged(fromPieces(input, inflateSingle), budget), expected);
}

/** Decompresses a small entry at once, like inflateRaw. @returns undefined if it does not match the directory */
export function inflateRawWhole(data: Uint8Array, expected: ExpectedContent): Uint8Array | undefined {
  const content = inflateWhole(data, Math.max(1, expected.sizeBytes));
  if (content?.byteLength !== expected.sizeBytes || crc32(content) !== expected.crc32 >>> 0) return undefined;
  return content;
}

/** Passes stored (uncompressed) data on, charged and verified like decompressed data. */
export async function* passStored(
  input: AsyncIterable<Uint8Array>,
  budget: OutputBudget,
  expected: ExpectedContent,
): AsyncGenerator<Uint8Array> {
  yield* verifyContent(charged(input, budget), expected);
}

/** Yields the output of one deflate stream; what follows stays in `pieces`. */
async function* inflateSingle(pieces: Pieces): AsyncGenerator<Uint8Array> {
  const inflater = new NativeInflater();
  try {
    for (let data = await pieces.next(); data !== undefined; data = await pieces.next()) {
      yield* inflater.inflate(data);
      if (!inflater.ended) continue;
      pieces.putBack(inflater.leftoverBytes);
      return;
    }
    yield* inflater.finish();
  } finally {
    inflater.close();
  }
}

async function* fromPieces(
  input: AsyncIterable<Uint8Array>,
  inflate: (pieces: Pieces) => AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const pieces = new Pieces(input, READ_LIMITS.inflateInputBytes);
  try {
    yield* inflate(pieces);
  } finally {
    await pieces.close();
  }
}

const EARLY_END = "the compressed data ends too early";

function rejectEarlyEnd(): never {
  reject("truncated", EARLY_END);
}

async function* charged(content: AsyncIterable<Uint8Array>, budget: OutputBudget): AsyncGenerator<Uint8Array> {
  for await (const piece of content) {
    budget.takeOutput(piece.byteLength);
    yield piece;
  }
}

async function* verifyContent(
  content: AsyncIterable<Uint8Array>,
  expected: ExpectedContent,
): AsyncGenerator<Uint8Array> {
  let crc = 0;
  let sizeBytes = 0;
  for await (const piece of content) {
    crc = crc32(piece, crc);
    sizeBytes += piece.byteLength;
    if (sizeBytes > expected.sizeBytes) reject("corrupt_archive", "an entry is larger than the archive says");
    yield piece;
  }
  if (sizeBytes !== expected.sizeBytes) reject("corrupt_archive", "an entry is smaller than the archive says");
  if (crc !== expected.crc32 >>> 0) reject("corrupt_archive", "checksum mismatch");
}

async function* skipBlank(input: AsyncIterable<Uint8Array>, note: ArchiveNote): AsyncGenerator<Uint8Array> {
  let started = false;
  for await (const chunk of input) {
    const skipped: number = started ? 0 : leadingBlankBytes(chunk);
    if (skipped > 0) note(`${skipped} bytes before the gzip data`);
    started ||= skipped < chunk.byteLength;
    if (skipped < chunk.byteLength) yield chunk.subarray(skipped);
  }
}
