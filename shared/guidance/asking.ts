/**
 * One check's questions to DNS: each name and type is asked once, every answer is kept as evidence, and no check asks more
 * than a bound, whatever the zone says. Pure.
 */
import { type Answer, boundedResolver, type RecordType, type Resolver, recordsOf } from "../dns/resolver.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";
import type { AskedName } from "./check.ts";

/** Asks for the records of a type at a name (A-labels). Never throws. */
export type Ask = (name: string, type: RecordType) => Promise<Answer>;

/** Asks, remembers, and lists what was asked. */
export interface Asking {
  ask: Ask;
  /** What was asked so far and what came, in order. */
  asked(): AskedName[];
}

/** Questions of one check. @param resolver asked once for each name and type */
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
