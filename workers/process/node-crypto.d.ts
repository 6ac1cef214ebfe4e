/** The part of node:crypto that process uses; @types/node as a whole contradicts the Workers runtime's types. */
declare module "node:crypto" {
  export function createHash(algorithm: "sha256"): {
    update(bytes: Uint8Array): unknown;
    digest(encoding: "hex"): string;
  };
}
