/**
 * How much of the legitimate mail that fails the worklist tells of: `npm run bench:worklist -- [--domains N] [--seed N] [--lines N]
 * [--json]`, 1,000 domains and 50 lines by default. Domains with labelled senders are simulated from a seed (bench/verdict), what
 * is to be done about each is computed as the round over all domains does, kept in a ledger, and asked for with the worklist's
 * own question. Covered is a message whose cause is one of the first lines.
 */
import { parseArgs } from "node:util";
import { ask } from "../shared/ledger/database.ts";
import { worklistQuery } from "../shared/ledger/worklist.ts";
import { WORK_LIMITS } from "../shared/limits.ts";
import { SqliteLedger } from "../test/support/sqlite-d1.ts";
import { putWork } from "../test/support/work-fill.ts";
import { type FailingMail, type SimulatedWork, simulateWork } from "./worklist/fleet.ts";

const TARGET = 0.95;
const ACCOUNTS = 100;

interface Share {
  failing: number;
  covered: number;
  coverage: number;
}

interface Answer {
  domains: number;
  seed: number;
  /** Lines there are, and those that count. */
  allLines: number;
  lines: number;
  /** Legitimate mail that fails: all of it; without what forwarders and lists handed on. */
  legitimate: Share;
  direct: Share;
  /** Of each line: what it says, how many domains, failing messages a week. */
  shown: { code: string; subject: string; domains: number; messages: number }[];
}

async function run({ domains, seed, lines }: { domains: number; seed: number; lines: number }): Promise<Answer> {
  const simulated = Array.from({ length: domains }, (_, number) => simulateWork(seed, number));
  const ledger = new SqliteLedger();
  await putWork(
    ledger,
    simulated.map(({ domain, items }, n) => ({ account: `account${n % ACCOUNTS}`, domain, items })),
  );
  const accounts = Array.from({ length: ACCOUNTS }, (_, n) => `account${n}`);
  const all = await ask(ledger, worklistQuery(accounts));
  const shown = all.slice(0, lines).map(({ code, subject, domains: count, messages }) => {
    return { code, subject, domains: count, messages };
  });
  const named = new Set(shown.map(({ code, subject }) => `${code} ${subject}`));
  const ownLines = new Set(all.map(({ code, subject }) => `${code} ${subject}`));
  // What has no separate line is in the line of its kind.
  const isCovered = ({ cause }: FailingMail): boolean => {
    if (cause === undefined) return false;
    const own = `${cause.code} ${cause.subject}`;
    return named.has(ownLines.has(own) ? own : `${cause.code} `);
  };
  return {
    domains,
    seed,
    allLines: all.length,
    lines: shown.length,
    legitimate: shareOf(simulated, isCovered, () => true),
    direct: shareOf(simulated, isCovered, ({ isIndirect }) => !isIndirect),
    shown,
  };
}

function shareOf(
  simulated: readonly SimulatedWork[],
  isCovered: (mail: FailingMail) => boolean,
  isCounted: (mail: FailingMail) => boolean,
): Share {
  const mail = simulated.flatMap(({ failing }) => failing).filter(isCounted);
  const sum = (list: readonly FailingMail[]): number => list.reduce((total, { messages }) => total + messages, 0);
  const failing = sum(mail);
  const covered = sum(mail.filter(isCovered));
  return { failing, covered, coverage: failing === 0 ? 1 : covered / failing };
}

function print({ domains, seed, allLines, lines, legitimate, direct, shown }: Answer): void {
  const percent = ({ coverage }: Share): string => `${(100 * coverage).toFixed(2)} %`;
  console.log(`${domains} domains of seed ${seed}: ${allLines} lines, of which the first ${lines} count`);
  console.log(
    `legitimate failing mail covered: ${percent(legitimate)} (goal ${100 * TARGET} %, ${legitimate.coverage >= TARGET ? "met" : "NOT met"})`,
  );
  console.log(`without forwarded and list mail: ${percent(direct)}`);
  for (const line of shown) {
    console.log(
      `${line.messages.toString().padStart(9)} a week  ${line.domains} domains  ${line.code} ${line.subject}`,
    );
  }
}

const { values } = parseArgs({
  options: {
    domains: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    lines: { type: "string", default: String(WORK_LIMITS.linesOnPage) },
    json: { type: "boolean", default: false },
  },
});
const answer = await run({ domains: Number(values.domains), seed: Number(values.seed), lines: Number(values.lines) });
if (values.json) console.log(JSON.stringify(answer));
else print(answer);
