/**
 * How often the verdict is right: `npm run bench:verdict -- [--domains N] [--seed N] [--json] [--shape DIR] [--stretch
 * NAME=FACTOR]`, 1,000 domains by default. Domains with labelled senders are simulated from a seed (bench/verdict),
 * their reports of 30 days are judged, and the verdicts compared with what the labels say p=reject would lose. With
 * --shape the traffic is compared with the reports in a folder as well.
 */
import { parseArgs } from "node:util";
import { AS_THEY_ARE, type Stretch } from "./verdict/parameters.ts";
import { type Assumption, GOAL, type Judged, judgeOne, type Score, score, simulateOne } from "./verdict/score.ts";
import { compareShapes } from "./verdict/shape.ts";

interface Answer extends Score {
  seed: number;
  /** The same after the owner has decided, truthfully, about each undecided source. */
  withDecisions: Score;
  /** The same where reports that cannot be verified are counted too. */
  withForgedReports: Score;
  /** The same without a resolver: by the reports alone; undecided, and with decisions. */
  withoutNames: Score;
  withoutNamesDecided: Score;
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
  return {
    ...score(judged.asItIs),
    seed,
    withDecisions: score(judged.withDecisions),
    withForgedReports: score(judged.withForgedReports),
    withoutNames: score(judged.withoutNames),
    withoutNamesDecided: score(judged.withoutNamesDecided),
  };
}

function print(answer: Answer): void {
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  const { domains, seed, withoutReports, open, trulyReady, calledReady, withDecisions, withForgedReports } = answer;
  console.log(`${domains} domains of seed ${seed}, ${withoutReports} without a report, ${open} that do not reject yet`);
  console.log("Of mail at receivers that send reports, as ready promises (in brackets: of mail at all receivers):");
  console.log(`truly ready ${trulyReady} (${answer.trulyReadyAllMail}), called ready ${calledReady}`);
  const goal = (rate: number, wanted: number): string =>
    `goal ${percent(wanted)}, ${rate >= wanted ? "met" : "NOT met"}`;
  const rates = (name: string, of: Score): void => {
    const { readyPrecision, readyRecall } = of;
    console.log(`${name}:`);
    console.log(
      `  precision ${percent(readyPrecision)}, ${goal(readyPrecision, GOAL.precision)} (${percent(of.readyPrecisionAllMail)})`,
    );
    console.log(
      `  recall    ${percent(readyRecall)}, ${goal(readyRecall, GOAL.recall)} (${percent(of.readyRecallAllMail)})`,
    );
    console.log(
      `  wrong     ${of.wrongReady} (${of.wrongReadyAllMail}, of which no report tells of a loss: ${of.wrongUnseen})`,
    );
  };
  rates("nothing decided", answer);
  rates("undecided senders decided by the owner", withDecisions);
  rates("without a resolver", answer.withoutNames);
  rates("without a resolver, decided", answer.withoutNamesDecided);
  rates("forged reports counted", withForgedReports);
  console.log(
    `by expected loss: precision ${percent(answer.expectedPrecision)} (${percent(answer.expectedPrecisionAllMail)}), ` +
      `recall ${percent(answer.expectedRecall)} (${percent(answer.expectedRecallAllMail)})`,
  );
  console.log(
    `precision over the following 30 days as well: ${percent(answer.laterPrecision)} (${percent(answer.laterPrecisionAllMail)})`,
  );
  const { atBest, atBestAllMail } = answer;
  console.log(
    `the best there can be: recall ${percent(atBest.recall)} (${percent(atBestAllMail.recall)}) with a precision of ` +
      `${percent(GOAL.precision)}, precision ${percent(atBest.precision)} (${percent(atBestAllMail.precision)}) with a recall of ` +
      percent(GOAL.recall),
  );
  const { trulyRejected, foundRejected, wronglyRejected } = answer;
  console.log(`being rejected: ${foundRejected} of ${trulyRejected} found, ${wronglyRejected} said wrongly`);
  console.log(`undecided senders a domain: median ${answer.asked.median}, 90th percentile ${answer.asked.p90}`);
  const { undecided, given, right } = answer.suggestions;
  console.log(`suggestions: about ${given} of ${undecided} undecided senders, ${right} right`);
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
