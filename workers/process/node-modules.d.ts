/** The parts of Node's modules that process uses; @types/node as a whole contradicts the Workers runtime's types. */

declare module "node:zlib" {
  export function crc32(bytes: Uint8Array, before?: number): number;
  export function inflateRawSync(data: Uint8Array, options: { maxOutputLength: number; info: true }): unknown;
  export function createInflateRaw(options: { chunkSize: number }): {
    readonly bytesWritten: number;
    on(event: "readable" | "end", listener: () => void): unknown;
    on(event: "error", listener: (error: Error) => void): unknown;
    write(data: Uint8Array, done: () => void): boolean;
    end(): unknown;
    read(): Uint8Array | null;
    destroy(): unknown;
  };
}

declare module "node:util" {
  export function format(text: string): string;
}
