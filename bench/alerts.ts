/**
 * How often alerts are right: `npm run bench:alerts -- [--domains N] [--seed N] [--json] [--verbose]`, 112 domains watched for a
 * quarter by default: 10,080 domain-days. Domains of the verdict's simulator (bench/verdict) get 200 labelled incidents, the rules
 * and the life of incidents run day by day as in process, and the notices are compared with the labels. Goals: at most one false
 * alarm a domain and quarter, 95 % announced within 24 hours of the report that shows them, the right cause first in 90 %.
 */
import { parseArgs } from "node:util";
import { KINDS } from "./alerts/incidents.ts";
import { BENCH } from "./alerts/parameters.ts";
import { type Outcome, type WatchedDomain, watchOne } from "./alerts/score.ts";

interface ByKind {
  kind: string;
  incidents: number;
  told: number;
  rightCause: number;
}

interface Answer {
  seed: number;
  domainDays: number;
  incidents: number;
  /** Incidents that no report ever shows; they count nowhere. */
  neverShown: number;
  /** The larger of the next two. */
  falseAlarmsPerDomainQuarter: number;
  /** Besides the incidents, and of the same domains where nothing was put in. */
  falseAlarmsBesideIncidents: number;
  falseAlarmsWithoutIncidents: number;
  /** Those of them that had a notice at once, not in the digest. */
  immediateFalseAlarmsPerDomainQuarter: number;
  caughtWithin24Hours: number;
  /** Also where the digest announced it. */
  caughtInDigestToo: number;
  rightCauseFirst: number;
  noticesPerDomainQuarter: number;
  naturalStartsTold: number;
  byKind: ByKind[];
  falseAlarmsByRule: Record<string, number>;
}

function run(domains: number, seed: number, isVerbose: boolean): Answer {
  const found: WatchedDomain[] = [];
  const quiet: WatchedDomain[] = [];
  let left = Math.round((BENCH.incidents * domains) / BENCH.domains);
  for (let number = 0; number < domains; number++) {
    const wanted = Math.min(3, Math.ceil(left / (domains - number)));
    const one = watchOne(seed, number, wanted);
    left -= one.outcomes.length;
    found.push(one);
    quiet.push(watchOne(seed, number, 0));
    if (!isVerbose) continue;
    for (const alarm of one.falseAlarms)
      console.error(`false: domain${number} day ${alarm.day} ${alarm.rule} ${alarm.subject}`);
    for (const outcome of one.outcomes)
      if (!isCaught(outcome) || !outcome.isCauseRight) console.error(`domain${number}`, outcome);
  }
  return answerOf(found, quiet, { domains, seed });
}

function isCaught({ toldAfter }: Outcome): boolean {
  return toldAfter !== undefined && toldAfter <= 1;
}

function answerOf(
  found: readonly WatchedDomain[],
  quiet: readonly WatchedDomain[],
  { domains, seed }: { domains: number; seed: number },
): Answer {
  const outcomes = found.flatMap((one) => one.outcomes);
  const shown = outcomes.filter(({ shownDay }) => shownDay !== undefined);
  const told = shown.filter(({ digestAfter }) => digestAfter !== undefined);
  const beside = found.flatMap(({ falseAlarms }) => falseAlarms);
  const without = quiet.flatMap(({ falseAlarms }) => falseAlarms);
  const alarms = without.length > beside.length ? without : beside;
  const quarters = (domains * BENCH.watchedDays) / 90;
  const share = (part: number, all: number): number => (all === 0 ? 1 : part / all);
  const falseAlarmsByRule: Record<string, number> = {};
  for (const { rule } of alarms) falseAlarmsByRule[rule] = (falseAlarmsByRule[rule] ?? 0) + 1;
  return {
    seed,
    domainDays: domains * BENCH.watchedDays,
    incidents: outcomes.length,
    neverShown: outcomes.length - shown.length,
    falseAlarmsPerDomainQuarter: alarms.length / quarters,
    falseAlarmsBesideIncidents: beside.length / quarters,
    falseAlarmsWithoutIncidents: without.length / quarters,
    immediateFalseAlarmsPerDomainQuarter: alarms.filter(({ isImmediate }) => isImmediate).length / quarters,
    caughtWithin24Hours: share(shown.filter(isCaught).length, shown.length),
    caughtInDigestToo: share(shown.filter(({ digestAfter = 99 }) => digestAfter <= 1).length, shown.length),
    rightCauseFirst: share(told.filter(({ isCauseRight }) => isCauseRight).length, told.length),
    noticesPerDomainQuarter: found.reduce((sum, { notices }) => sum + notices, 0) / quarters,
    naturalStartsTold: found.reduce((sum, { natural }) => sum + natural, 0),
    byKind: KINDS.map((kind) => {
      const ofKind = shown.filter((one) => one.kind === kind);
      return {
        kind,
        incidents: ofKind.length,
        told: ofKind.filter(isCaught).length,
        rightCause: ofKind.filter(({ isCauseRight }) => isCauseRight).length,
      };
    }),
    falseAlarmsByRule,
  };
}

function print(answer: Answer): void {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const goal = (isMet: boolean): string => (isMet ? "met" : "NOT met");
  const { falseAlarmsPerDomainQuarter: alarms, caughtWithin24Hours: caught, rightCauseFirst: cause } = answer;
  console.log(
    `seed ${answer.seed}: ${answer.domainDays} domain-days, ${answer.incidents} incidents, ${answer.neverShown} never shown`,
  );
  console.log(
    `false alarms per domain and quarter ${alarms.toFixed(2)} (goal 1, ${goal(alarms <= 1)}), where nothing was ` +
      `put in ${answer.falseAlarmsWithoutIncidents.toFixed(2)}, ` +
      `${answer.immediateFalseAlarmsPerDomainQuarter.toFixed(2)} on their own`,
  );
  console.log(
    `caught within 24 hours ${percent(caught)} (goal 95 %, ${goal(caught >= 0.95)}), ${percent(answer.caughtInDigestToo)} with the digest`,
  );
  console.log(`right cause first ${percent(cause)} (goal 90 %, ${goal(cause >= 0.9)})`);
  console.log(
    `notices per domain and quarter ${answer.noticesPerDomainQuarter.toFixed(1)}, senders that began by ` +
      `themselves told ${answer.naturalStartsTold}`,
  );
  console.table(answer.byKind);
  console.log("false alarms by rule", answer.falseAlarmsByRule);
}

const { values } = parseArgs({
  options: {
    domains: { type: "string", default: String(BENCH.domains) },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});
const [domains, seed] = [Number(values.domains), Number(values.seed)];
if (!Number.isInteger(domains) || domains < 1 || !Number.isInteger(seed)) {
  console.error("bench:alerts: --domains and --seed take whole numbers.");
  process.exitCode = 1;
} else {
  const answer = run(domains, seed, values.verbose);
  if (values.json) console.log(JSON.stringify(answer));
  else print(answer);
}
