/**
 * The DNS questions of one check: each name and type is asked once, every answer is kept as evidence, and the number of
 * questions is bounded whatever a zone contains. Pure.
 */
import { type Answer, boundedResolver, type RecordType, type Resolver, recordsOf } from "../dns/resolver.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";
import type { AskedName } from "./check.ts";

/** Looks up the records of a type at a name (A-labels). Never throws. */
export type Ask = (name: string, type: RecordType) => Promise<Answer>;

/** Asks questions, and lists those asked. */
export interface Asking {
  ask: Ask;
  /** The questions and answers so far, in order. */
  asked(): AskedName[];
}

/** The questions of one check. @param resolver asked once for each name and type */
export function startAsking(resolver: Resolver): Asking {
  const bounded = boundedResolver(resolver, GUIDANCE_LIMITS.maxQuestionsPerCheck);
  const asked = new Map<string, AskedName>();
  return {
    async ask(name, type) {
      const answer = await bounded.lookup(name, type);
      const records = recordsOf(answer)
        .slice(0, GUIDANCE_LIMITS.maxShownRecords)
        .map((record) => record.slice(0, GUIDANCE_LIMITS.maxShownRecordChars));
      asked.set(`${type} ${name}`, { name, type, status: answer.status, records });
      return answer;
    },
    asked: () => [...asked.values()],
  };
}
