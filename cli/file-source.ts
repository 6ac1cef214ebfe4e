/**
 * A file on disk as a ByteSource: read by range or streamed, never as a whole.
 */
import { type FileHandle, open } from "node:fs/promises";
import type { ByteSource } from "../shared/report/source.ts";

/** Ours: bytes of a file that are read at once. */
const PIECE_BYTES = 64 * 1024;

/** A source backed by an open file, released by `await using` or `close()`. */
export interface FileSource extends ByteSource, AsyncDisposable {
  close(): Promise<void>;
}

/**
 * Opens a regular file.
 *
 * @throws the error of node:fs when it cannot be opened, and one with code EISDIR when it is not a regular file
 */
export async function openFileSource(path: string): Promise<FileSource> {
  const handle = await open(path, "r");
  const stats = await handle.stat();
  if (!stats.isFile()) {
    await handle.close();
    throw Object.assign(new Error("it is not a regular file"), { code: "EISDIR" });
  }
  const close = (): Promise<void> => handle.close();
  return {
    sizeBytes: stats.size,
    stream: () => streamFile(handle, stats.size),
    read: (offset, length) => readAt(handle, offset, Math.min(length, Math.max(0, stats.size - offset))),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function* streamFile(handle: FileHandle, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < sizeBytes; ) {
    const piece = await readAt(handle, offset, Math.min(PIECE_BYTES, sizeBytes - offset));
    if (piece.byteLength === 0) return;
    offset += piece.byteLength;
    yield piece;
  }
}

// A read may return less than requested. A new buffer each time, because the reader may keep it.
async function readAt(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
