/**
 * The DNS questions of one check: each name and type is asked once, every answer is kept as evidence, and the number of
 * questions is bounded whatever a zone contains. Pure.
 */
import {
  type Answer,
  boundedResolver,
  isUnanswered,
  type RecordType,
  type Resolver,
  recordsOf,
} from "../dns/resolver.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";
import { type AskedName, type Check, type CheckKind, type Finding, worstState } from "./check.ts";

/** Looks up the records of a type at a name (A-labels). Never throws. */
export type Ask = (name: string, type: RecordType) => Promise<Answer>;

/** Asks questions, and lists those asked. */
export interface Asking {
  ask: Ask;
  /** The questions and answers so far, in order. */
  asked(): AskedName[];
  /** Findings with those about names for which DNS fails and will go on failing: signatures that do not validate, aliases in circles. */
  explained(findings: readonly Finding[]): Promise<Finding[]>;
}

const LATER = " Check again later.";
/** Aliases that are followed: resolvers give up sooner. */
const MOST_ALIASES = 16;

/** The questions of one check. @param resolver asked once for each name and type */
export function startAsking(resolver: Resolver): Asking {
  const bounded = boundedResolver(resolver, GUIDANCE_LIMITS.maxQuestionsPerCheck);
  const asked = new Map<string, AskedName>();
  const bogus = new Set<string>();
  const failed = new Set<string>();
  const evidence = new Evidence();
  let isSilent = false;
  const ask: Ask = async (name, type) => {
    const key = `${type} ${name}`;
    // Its place is that of the question, however long the answer takes.
    const isShown = asked.has(key) || asked.size < GUIDANCE_LIMITS.maxQuestionsPerCheck;
    if (isShown && !asked.has(key)) asked.set(key, { name, type, status: "unknown", records: [] });
    const answer = await bounded.lookup(name, type);
    if (answer.status === "servfail") (answer.isBogus === true ? bogus : failed).add(name);
    else if (isUnanswered(answer)) isSilent = true;
    if (isShown) asked.set(key, { name, type, status: answer.status, records: evidence.of(key, answer) });
    return answer;
  };
  return {
    ask,
    asked: () => [...asked.values()],
    async explained(findings) {
      const [first] = bogus;
      const reasons = first === undefined ? [] : [bogusFinding(first)];
      let lame: string | undefined;
      for (const name of [...failed]) {
        const path = await aliasesFrom(name, ask);
        if (path.indexOf(path.at(-1) ?? "") < path.length - 1) reasons.push(loopFinding(path));
        else lame ??= name;
      }
      // Those that were too slow may answer the next time.
      if (isSilent || (reasons.length === 0 && lame === undefined)) return [...findings, ...reasons];
      const then =
        lame === undefined
          ? ""
          : `${LATER} If it stays so, the name servers responsible for ${lame} do not serve it: correct them, or the delegation (NS) to them.`;
      return [...findings.map((one) => ({ ...one, sentence: one.sentence.replace(LATER, then) })), ...reasons];
    },
  };
}

const encoder = new TextEncoder();

/** The records that are kept of the answers of one check: few enough to be stored, whatever a zone contains. */
class Evidence {
  readonly #kept = new Map<string, string[]>();
  #bytes = 0;

  of(key: string, answer: Answer): string[] {
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const records: string[] = [];
    for (const record of recordsOf(answer).slice(0, GUIDANCE_LIMITS.maxShownRecords)) {
      const shown = record.slice(0, GUIDANCE_LIMITS.maxShownRecordChars);
      this.#bytes += encoder.encode(JSON.stringify(shown)).byteLength;
      if (this.#bytes <= GUIDANCE_LIMITS.maxEvidenceBytes) records.push(shown);
    }
    this.#kept.set(key, records);
    return records;
  }
}

/** A name and what it is an alias of, one after the other; in a circle the last one has been there before. */
async function aliasesFrom(name: string, ask: Ask): Promise<string[]> {
  const path = [name];
  while (path.length < MOST_ALIASES) {
    const [target] = recordsOf(await ask(path.at(-1) ?? "", "CNAME"));
    if (target === undefined) break;
    const isCircle = path.includes(target.toLowerCase());
    path.push(target.toLowerCase());
    if (isCircle) break;
  }
  return path;
}

function bogusFinding(name: string): Finding {
  const sentence = `DNSSEC of ${name} does not validate: receivers that check it, as most large ones do, get no answer from there. Correct the signatures, or remove the DS record at the registrar.`;
  return { code: "dnssec_bogus", state: "broken", sentence, rule: "RFC 4035 section 5.5" };
}

function loopFinding(path: readonly string[]): Finding {
  const sentence = `${path[0]} is an alias (CNAME) that leads in a circle (${path.join(", ").slice(0, 300)}): nobody gets an answer. Publish the record itself in place of the alias.`;
  return { code: "alias_loop", state: "broken", sentence, rule: "RFC 1034 section 3.6.2" };
}

/** The finding that DNS gave no answer for a name. @param rule what was to be checked */
export function unanswered(name: string, rule: string): Finding {
  return { code: "no_answer", state: "unknown", sentence: `DNS gave no answer for ${name}. Check again later.`, rule };
}

/** The check that some findings make, with the questions that were asked. @param summary the whole in one line */
export async function checkOf(kind: CheckKind, found: Finding[], summary: string, asking: Asking): Promise<Check> {
  const findings = await asking.explained(found);
  return { kind, state: worstState(findings.map(({ state }) => state)), summary, findings, asked: asking.asked() };
}
