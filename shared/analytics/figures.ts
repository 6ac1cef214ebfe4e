/**
 * The figures of a record as two numbers, worked out before the collapse on identity: its messages, and one number of
 * flags instead of five texts. Pure; the collapse carries two numbers where it would carry every text.
 */
import { type Derived, slotsOf } from "./collapse.ts";

/** Bits of `flags`. The disposition is a number of its own: `flags` divided by 32, whole, below 8. */
const FLAG = { passed: 1, dkimAligned: 2, spfAligned: 4, reasons: 8, live: 16, disposition: 32 } as const;
/** By their number; the last one stands for what no standard names as well. */
const DISPOSITIONS = ["none", "quarantine", "reject", "pass", "unknown"] as const;

const slots = slotsOf("records");

/** Messages of a record by its weight; 0 for a point that only stands over a stale one. */
export const MESSAGES: Derived = { name: "messageCount", of: `${slots.count} * ${slots.live} * _sample_interval` };

/** Those of them that passed; cheaper than `FLAGS` where nothing else is asked. */
export const PASSED_MESSAGES: Derived = { name: "passedCount", of: `${slots.passed} * ${MESSAGES.of}` };

/** What became of the messages of a record. */
export const FLAGS: Derived = {
  name: "flags",
  of: `toUInt32(${[
    `${slots.passed} * ${FLAG.passed}`,
    `if(${slots.dkim} = 'pass', ${FLAG.dkimAligned}, 0)`,
    `if(${slots.spf} = 'pass', ${FLAG.spfAligned}, 0)`,
    `if(${slots.reasons} = '', 0, ${FLAG.reasons})`,
    `${slots.live} * ${FLAG.live}`,
    dispositionNumber(),
  ].join(" + ")})`,
};

/** `flags`, read. */
export interface Flags {
  isPass: boolean;
  isDkimAligned: boolean;
  isSpfAligned: boolean;
  hasReasons: boolean;
  disposition: string;
}

/** Reads `flags` of an answer. */
export function readFlags(flags: number): Flags {
  const has = (bit: number): boolean => (flags & bit) !== 0;
  return {
    isPass: has(FLAG.passed),
    isDkimAligned: has(FLAG.dkimAligned),
    isSpfAligned: has(FLAG.spfAligned),
    hasReasons: has(FLAG.reasons),
    disposition: DISPOSITIONS[Math.floor(flags / FLAG.disposition)] ?? "unknown",
  };
}

/** A condition on `flags`, outside of the collapse. */
export function flagIs(name: Exclude<keyof typeof FLAG, "disposition">, isSet: boolean): string {
  return `bitAnd(flags, ${FLAG[name]}) ${isSet ? "> 0" : "= 0"}`;
}

/** A condition on the disposition in `flags`, outside of the collapse. */
export function dispositionIs(disposition: (typeof DISPOSITIONS)[number]): string {
  return `intDiv(flags, ${FLAG.disposition}) = ${DISPOSITIONS.indexOf(disposition)}`;
}

function dispositionNumber(): string {
  const unknown = DISPOSITIONS.length - 1;
  const number = DISPOSITIONS.slice(0, unknown).reduceRight(
    (otherwise, name, i) => `if(${slots.disposition} = '${name}', ${i * FLAG.disposition}, ${otherwise})`,
    String(unknown * FLAG.disposition),
  );
  return number;
}
