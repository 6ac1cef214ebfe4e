/** A logo as it is uploaded: which picture it is, by its bytes. Pure. */
import { ACCOUNT_LIMITS } from "./limits.ts";
import { fail, ok, type Result } from "./result.ts";

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const JPEG = [0xff, 0xd8, 0xff];

/** Types a logo may have. Pictures that may hold scripts (SVG) are none. */
export const LOGO_TYPES = ["image/png", "image/jpeg"] as const;
export type LogoType = (typeof LOGO_TYPES)[number];

/** The picture that some bytes are. @returns what is wrong, in a sentence */
export function readLogo(bytes: Uint8Array): Result<LogoType, string> {
  if (bytes.length > ACCOUNT_LIMITS.logoBytes) {
    return fail(`The picture has ${bytes.length} bytes; a logo may have ${ACCOUNT_LIMITS.logoBytes}.`);
  }
  if (beginsWith(bytes, PNG)) return ok("image/png");
  if (beginsWith(bytes, JPEG)) return ok("image/jpeg");
  return fail("The file is neither a PNG nor a JPEG picture.");
}

function beginsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}
