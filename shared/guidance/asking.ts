/**
 * The DNS questions of one check: each name and type is asked once, every answer is kept as evidence, and the number of
 * questions is bounded whatever a zone contains. Pure.
 */
import { type Answer, boundedResolver, type RecordType, type Resolver, recordsOf } from "../dns/resolver.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";
import type { AskedName, Finding } from "./check.ts";

/** Looks up the records of a type at a name (A-labels). Never throws. */
export type Ask = (name: string, type: RecordType) => Promise<Answer>;

/** Asks questions, and lists those asked. */
export interface Asking {
  ask: Ask;
  /** The questions and answers so far, in order. */
  asked(): AskedName[];
  /** One for names whose signatures do not validate: receivers that check them get no answer. */
  findingsOfSignatures(): Finding[];
}

/** The questions of one check. @param resolver asked once for each name and type */
export function startAsking(resolver: Resolver): Asking {
  const bounded = boundedResolver(resolver, GUIDANCE_LIMITS.maxQuestionsPerCheck);
  const asked = new Map<string, AskedName>();
  const bogus = new Set<string>();
  return {
    async ask(name, type) {
      const answer = await bounded.lookup(name, type);
      const records = recordsOf(answer)
        .slice(0, GUIDANCE_LIMITS.maxShownRecords)
        .map((record) => record.slice(0, GUIDANCE_LIMITS.maxShownRecordChars));
      if (answer.status === "servfail" && answer.isBogus === true) bogus.add(name);
      asked.set(`${type} ${name}`, { name, type, status: answer.status, records });
      return answer;
    },
    asked: () => [...asked.values()],
    findingsOfSignatures() {
      const [first] = bogus;
      if (first === undefined) return [];
      const sentence = `DNSSEC of ${first} does not validate: receivers that check it, as most large ones do, get no answer from there. Correct the signatures, or remove the DS record at the registrar.`;
      return [{ code: "dnssec_bogus", state: "broken", sentence, rule: "RFC 4035 section 5.5" }];
    },
  };
}
