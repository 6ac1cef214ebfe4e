/**
 * How long the pages Domains and Worklist take for a provider: `npm run bench:fleet -- [domains] [--json]`, 10,000 domains of 1,000
 * accounts by default, each with a report on every day of three months, registered, with a verdict; one in twenty more is
 * registered and has no report yet. Its rows are written by SQL that says what settling their reports and cron would: sums by
 * day, verdicts, what is to be done, the list of registered domains, and a dead letter for one in fifty.
 */
import { SETUP_STATES } from "../shared/guidance/setup-state.ts";
import { VERDICT_STATES } from "../shared/guidance/verdict.ts";
import { putWork } from "../test/support/work-fill.ts";
import { FIRST_DAY } from "./page-data.ts";
import { periodOfDays } from "./page-paths.ts";
import { measurePages, type PagesBench, type PageTime, printTimes, readArguments, startPages } from "./pages.ts";
import { simulateWork } from "./worklist/fleet.ts";

const ACCOUNTS = 1000;
const DAYS = 90;
const LAST_DAY = FIRST_DAY + DAYS - 1;
const TARGET_MILLISECONDS = 500;
/** Domains written by one statement. */
const AT_ONCE = 500;

async function fill({ ledger }: PagesBench, domains: number): Promise<void> {
  for (let first = 0; first < domains; first += AT_ONCE) {
    await ledger
      .prepare(
        `WITH RECURSIVE places(n) AS (SELECT CAST(?1 AS INTEGER) UNION ALL SELECT n + 1 FROM places WHERE n + 1 < ?2),
          days(day) AS (SELECT CAST(?3 AS INTEGER) UNION ALL SELECT day + 1 FROM days WHERE day < ?4)
        INSERT INTO domain_days (account, kind, domain, day, reports, records, total, passed, dkim_aligned, spf_aligned,
          quarantined, rejected, last_end_seconds, policy)
        SELECT 'account' || (n % ${ACCOUNTS}), 'aggregate', 'domain' || n || '.example', day, 3, 30,
          (n * 7919 + day) % 1000, ((n * 7919 + day) % 1000) * 9 / 10, 0, 0, 0, 0, day * 86400 + 86399,
          CASE WHEN n % 3 = 0 THEN 'p=reject' ELSE 'p=none' END || '; sp=none; np=none; adkim=r; aspf=r; pct=100'
        FROM places CROSS JOIN days`,
      )
      .bind(first, Math.min(domains, first + AT_ONCE), FIRST_DAY, LAST_DAY)
      .all();
  }
  await ledger
    .prepare(
      `INSERT INTO dead_letters (id, day, account, rua, domain, code, raw_key, part, generation, received_seconds,
        filed_seconds, attempts, letter)
      SELECT domain, day, account, '', domain, 'empty', '', '', 1, 1, 1, 1, '{}' FROM domain_days
      WHERE day = ?1 AND total % 50 = 0`,
    )
    .bind(LAST_DAY)
    .all();
}

/** Ours: domains whose work is computed from simulated mail; the others have that of one of them. */
const SIMULATED = 200;

/** Computed first: a connection to workerd that waits for it would be closed. */
const simulated = Array.from({ length: SIMULATED }, (_, number) => simulateWork(1, number).items);

/** What is to be done about each domain, as the round over them would have kept it. */
async function work({ ledger }: PagesBench, domains: number): Promise<void> {
  const rows = Array.from({ length: domains }, (_, n) => {
    const domain = `domain${n}.example`;
    const items = (simulated[n % SIMULATED] ?? []).map((item) => ({
      ...item,
      link: `/domains/${domain}/sources/a.example`,
    }));
    return { account: `account${n % ACCOUNTS}`, domain, items };
  });
  await putWork(ledger, rows);
}

/** Every tenth domain carries a tag, and every fifth another; every fourth account is in a group. */
async function tag({ ledger }: PagesBench, domains: number): Promise<void> {
  await ledger
    .prepare(
      `WITH RECURSIVE places(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM places WHERE n + 1 < CAST(?1 AS INTEGER))
        INSERT INTO domain_tags (account, domain, tag)
        SELECT 'account' || (n % ${ACCOUNTS}), 'domain' || n || '.example', 'shop' FROM places WHERE n % 10 = 0
        UNION ALL
        SELECT 'account' || (n % ${ACCOUNTS}), 'domain' || n || '.example', 'eu' FROM places WHERE n % 5 = 0`,
    )
    .bind(domains)
    .all();
  await ledger
    .prepare(
      `WITH RECURSIVE places(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM places WHERE n + 1 < ${ACCOUNTS})
        INSERT INTO accounts (account, shard, created_seconds, account_group)
        SELECT 'account' || n, 0, 1, CASE WHEN n % 4 = 0 THEN 'north' ELSE '' END FROM places WHERE true
        ON CONFLICT (account) DO UPDATE SET account_group = excluded.account_group`,
    )
    .bind()
    .all();
}

/** What cron and adding domains would have written: verdicts of every kind, registered domains, some without a report. */
async function judge({ ledger }: PagesBench, domains: number): Promise<void> {
  const places = `WITH RECURSIVE places(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM places WHERE n + 1 < CAST(?1 AS INTEGER))`;
  const name = `'account' || (n % ${ACCOUNTS}), 'domain' || n || '.example'`;
  const states = VERDICT_STATES.map((state, place) => `WHEN ${place} THEN '${state}'`).join(" ");
  await ledger
    .prepare(
      `${places} INSERT INTO domain_verdicts (account, domain, state, place, since_seconds, messages, own_messages, at_risk,
          policy, is_test, next_record, reasons, senders, computed_seconds, fingerprint, version)
        SELECT ${name}, CASE n % ${VERDICT_STATES.length} ${states} END, n % ${VERDICT_STATES.length}, 1, 15000, 9000,
          (n * 7919) % 500, 'none', 0, '', '[]', '[]', 1, '', 1 FROM places`,
    )
    .bind(domains)
    .all();
  const setups = SETUP_STATES.map((state, place) => `WHEN ${place} THEN '${state}'`).join(" ");
  await ledger
    .prepare(
      `${places} INSERT INTO registered_domains (account, domain, rua, added_seconds, state, checked_seconds, setup)
        SELECT ${name}, 'a' || n || '@rua.example', 1,
          CASE WHEN n < ?2 THEN 'receiving' ELSE CASE n % ${SETUP_STATES.length} ${setups} END END, 1, '{}' FROM places`,
    )
    .bind(Math.ceil(domains * 1.05), domains)
    .all();
}

function paths(): Record<string, string> {
  const period = periodOfDays(LAST_DAY, 30);
  const sorts = [
    "status",
    "account",
    "domain",
    "-messages",
    "dmarc_pass",
    "-change",
    "policy",
    "-reports",
    "-last_report_day",
    "-problems",
  ];
  return {
    "Domains, 7 days": `/?${periodOfDays(LAST_DAY, 7)}`,
    ...Object.fromEntries(sorts.map((sort) => [`Domains, 30 days, by ${sort}`, `/?${period}&domains.sort=${sort}`])),
    ...Object.fromEntries(
      [...VERDICT_STATES, "setUp"].map((status) => [`Domains, only ${status}`, `/?${period}&status=${status}`]),
    ),
    "Domains, only notYet, by messages": `/?${period}&status=notYet&domains.sort=-messages`,
    "Domains, searched by account": `/?${period}&domains.q=account77`,
    "Domains, searched by name": `/?${period}&domains.q=domain77`,
    "Domains, searched by policy": `/?${period}&domains.q=p%3Dreject`,
    "Domains, page 100 of 100 rows": `/?${period}&domains.size=100&domains.page=100`,
    "Domains, 45 days": `/?${periodOfDays(LAST_DAY, 45)}`,
    "Domains, all as CSV": `/?${period}&export=csv&table=domains`,
    "Domains, only a tag": `/?${period}&tag=shop`,
    "Domains, only a tag, by messages": `/?${period}&tag=shop&domains.sort=-messages`,
    "Domains, only a group": `/?${period}&group=north`,
    "Domains, a group, a tag and a status": `/?${period}&group=north&tag=eu&status=notYet`,
    Worklist: "/worklist",
    "Worklist, domains of a line": "/worklist?code=organization",
    "Worklist, all domains of a line as CSV": "/worklist?code=organization&export=csv&table=domains",
    "Overview of one": `/domains/domain77.example?${period}`,
  };
}

async function run(bench: PagesBench, domains: number): Promise<PageTime[]> {
  await fill(bench, domains);
  await judge(bench, domains);
  await work(bench, domains);
  await tag(bench, domains);
  const [first] = await measurePages(bench, { "Domains, 30 days": paths()["Domains, 30 days, by -messages"] ?? "/" });
  const { text } = await bench.get(paths()["Domains, 30 days, by -messages"] ?? "/");
  if (!text.includes(`${Math.ceil(domains * 1.05).toLocaleString("en-US")} rows`))
    throw new Error("The page does not count all domains.");
  return [...(first === undefined ? [] : [first]), ...(await measurePages(bench, paths()))];
}

const { count = 10_000, json } = readArguments();
const bench = await startPages();
try {
  printTimes([{ targetMilliseconds: TARGET_MILLISECONDS, times: await run(bench, count) }], json);
} finally {
  await bench.close();
}
