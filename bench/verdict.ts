/**
 * How often the verdict is right: `npm run bench:verdict -- [--domains N] [--seed N] [--json] [--shape DIR] [--stretch
 * NAME=FACTOR]`, 1,000 domains unless told. Domains with labelled senders are simulated from a seed (bench/verdict),
 * their reports of 30 days are judged, and the verdicts compared with what the labels say p=reject would lose. With
 * --shape the traffic is compared with the reports in a folder as well.
 */
import { parseArgs } from "node:util";
import { AS_THEY_ARE, type Stretch } from "./verdict/parameters.ts";
import { type Assumption, GOAL, type Judged, judgeOne, type Score, score, simulateOne } from "./verdict/score.ts";
import { compareShapes } from "./verdict/shape.ts";

const TARGETS = { readyPrecision: GOAL.precision, readyRecall: GOAL.recall };

interface Variant {
  calledReady: number;
  readyPrecision: number;
  readyRecall: number;
  expectedPrecision: number;
  expectedRecall: number;
  seenPrecision: number;
  seenRecall: number;
  wrongUnseen: number;
}

interface Answer extends Score {
  seed: number;
  /** The same after the owner has decided, truthfully, about each undecided source. */
  withDecisions: Variant;
  /** The same where reports that cannot be verified are counted too. */
  withForgedReports: Variant;
  /** The same without a resolver: by the reports alone; undecided, and with decisions. */
  withoutNames: Variant;
  withoutNamesDecided: Variant;
}

const ASSUMPTIONS = {
  asItIs: {},
  withDecisions: { isDecided: true },
  withForgedReports: { countsForged: true },
  withoutNames: { isUnresolved: true },
  withoutNamesDecided: { isUnresolved: true, isDecided: true },
} satisfies Record<string, Assumption>;

type Name = keyof typeof ASSUMPTIONS;
const NAMES = Object.keys(ASSUMPTIONS) as Name[];

function run(domains: number, seed: number, stretch: Stretch): Answer {
  const judged: Record<Name, Judged[]> = {
    asItIs: [],
    withDecisions: [],
    withForgedReports: [],
    withoutNames: [],
    withoutNamesDecided: [],
  };
  for (let number = 0; number < domains; number++) {
    const simulated = simulateOne(seed, number, stretch);
    for (const name of NAMES) judged[name].push(judgeOne(simulated, ASSUMPTIONS[name]));
  }
  const variant = (name: Name): Variant => {
    const found = score(judged[name]);
    const { calledReady, readyPrecision, readyRecall, expectedPrecision, expectedRecall } = found;
    const { seenPrecision, seenRecall, wrongUnseen } = found;
    const bySeen = { seenPrecision, seenRecall, wrongUnseen };
    return { calledReady, readyPrecision, readyRecall, expectedPrecision, expectedRecall, ...bySeen };
  };
  return {
    ...score(judged.asItIs),
    seed,
    withDecisions: variant("withDecisions"),
    withForgedReports: variant("withForgedReports"),
    withoutNames: variant("withoutNames"),
    withoutNamesDecided: variant("withoutNamesDecided"),
  };
}

function print(answer: Answer): void {
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  const { domains, seed, withoutReports, open, trulyReady, calledReady, withDecisions, withForgedReports } = answer;
  console.log(`${domains} domains of seed ${seed}, ${withoutReports} without a report, ${open} that do not reject yet`);
  console.log(`truly ready ${trulyReady}, called ready ${calledReady}`);
  const verdict = (name: keyof typeof TARGETS): string => {
    const isMet = answer[name] >= TARGETS[name];
    return `${percent(answer[name])} (goal ${percent(TARGETS[name])}, ${isMet ? "met" : "NOT met"})`;
  };
  console.log(`precision ${verdict("readyPrecision")}`);
  console.log(`recall    ${verdict("readyRecall")}`);
  const { expectedPrecision, expectedRecall } = answer;
  console.log(`by expected loss: precision ${percent(expectedPrecision)}, recall ${percent(expectedRecall)}`);
  const bySeen = ({ seenPrecision, seenRecall }: Pick<Score, "seenPrecision" | "seenRecall">): string =>
    `precision ${percent(seenPrecision)}, recall ${percent(seenRecall)}`;
  console.log(`if only mail to receivers that report counted: ${bySeen(answer)}; decided: ${bySeen(withDecisions)}`);
  const { recall, precision } = answer.atBest;
  console.log(`the best there can be: recall ${percent(recall)} with a precision of ${percent(GOAL.precision)},`);
  console.log(`  precision ${percent(precision)} with a recall of ${percent(GOAL.recall)}`);
  console.log(`precision over the following 30 days as well: ${percent(answer.laterPrecision)}`);
  const { trulyRejected, foundRejected, wronglyRejected } = answer;
  console.log(`being rejected: ${foundRejected} of ${trulyRejected} found, ${wronglyRejected} said wrongly`);
  const wrong = Object.values(answer.wrong).reduce((sum, count) => sum + count, 0);
  console.log(`called ready and wrong: ${wrong}, of which no report tells of a loss: ${answer.wrongUnseen}`);
  console.log(`undecided senders a domain: median ${answer.asked.median}, 90th percentile ${answer.asked.p90}`);
  const { undecided, given, right } = answer.suggestions;
  console.log(`suggestions: about ${given} of ${undecided} undecided senders, ${right} right`);
  const variant = ({ calledReady, readyPrecision, readyRecall, wrongUnseen }: Variant): string => {
    const wrong = Math.round(calledReady * (1 - readyPrecision));
    return `precision ${percent(readyPrecision)}, recall ${percent(readyRecall)}, wrong ${wrong} (unseen ${wrongUnseen})`;
  };
  console.log(`undecided senders decided by the owner: ${variant(withDecisions)}`);
  console.log(`without a resolver: ${variant(answer.withoutNames)}`);
  console.log(`without a resolver, decided: ${variant(answer.withoutNamesDecided)}`);
  console.log(`forged reports counted: ${variant(withForgedReports)}`);
  console.log("states", answer.states);
  console.log("called ready and wrong, by sender", answer.wrong);
  console.log("truly ready and not called so", answer.missed);
}

/** `name=factor` of invented shares (parameters.ts). @throws an unknown name or no number */
function readStretch(written: readonly string[]): Stretch {
  const stretch = { ...AS_THEY_ARE };
  for (const one of written) {
    const [name = "", factor = ""] = one.split("=");
    if (!(name in stretch) || !(Number(factor) >= 0)) throw new Error(`--stretch takes NAME=FACTOR, not ${one}.`);
    Object.assign(stretch, { [name]: Number(factor) });
  }
  return stretch;
}

const { values } = parseArgs({
  options: {
    domains: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    shape: { type: "string" },
    stretch: { type: "string", multiple: true, default: [] },
  },
});
const [domains, seed] = [Number(values.domains), Number(values.seed)];
if (!Number.isInteger(domains) || domains < 1 || !Number.isInteger(seed)) {
  console.error("bench:verdict: --domains and --seed take whole numbers.");
  process.exitCode = 1;
} else {
  const answer = run(domains, seed, readStretch(values.stretch));
  if (values.json) console.log(JSON.stringify(answer));
  else print(answer);
  if (values.shape !== undefined)
    console.log(JSON.stringify(await compareShapes(values.shape, { domains, seed }), null, 2));
}
