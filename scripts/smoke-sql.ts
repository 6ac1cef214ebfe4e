/**
 * Sends every statement of ours to an account's Analytics Engine with LIMIT 1 and prints the result of each: there is
 * no other way to know whether the live service accepts them. It writes nothing, and never prints the token.
 *
 * usage: CLOUDFLARE_ACCOUNT_ID=… CLOUDFLARE_API_TOKEN=… npm run smoke:sql -- [--url URL] The token needs the permission
 * Account Analytics, Read. `--url`: another API than Cloudflare's, such as the local stack's. Exit code: 0 every
 * statement that could be tried was taken, 1 one was refused or none could be tried, 2 no credentials.
 */
import { parseArgs } from "node:util";
import { safeText } from "../cli/terminal.ts";
import { AnalyticsUnavailableError, querySql, type SqlConnection } from "../shared/analytics/sql.ts";
import { namedStatements } from "../shared/analytics/statements.ts";
import { SECONDS_PER_DAY } from "../shared/report-day.ts";

const CLOUDFLARE_API = "https://api.cloudflare.com/client/v4";
const EXIT_CODES = { taken: 0, refused: 1, noCredentials: 2 } as const;
const DAYS = 30;

/** Every statement by name: with days, an account and a domain, and with none of these. */
function listStatements(nowSeconds: number): [string, string][] {
  const today = Math.floor(nowSeconds / SECONDS_PER_DAY);
  const filter = { account: "default", domain: "example.com" };
  const narrow = namedStatements({ firstDay: today - DAYS, lastDay: today }, filter);
  const wide = namedStatements({ writtenInLastDays: DAYS });
  const seconds = { $from: nowSeconds - DAYS * SECONDS_PER_DAY, $to: nowSeconds };
  return [
    ...Object.entries(wide),
    ...Object.entries(narrow)
      .filter(([name, sql]) => wide[name] !== sql)
      .map(([name, sql]): [string, string] => [`${name}, narrowed`, sql]),
  ].map(([name, sql]) => [name, `${fillIn(sql, seconds).replace(/ LIMIT \d+$/, "")} LIMIT 1`]);
}

function fillIn(sql: string, { $from, $to }: { $from: number; $to: number }): string {
  return sql.replaceAll("$from", String($from)).replaceAll("$to", String($to));
}

async function tryAll(connection: SqlConnection, statements: [string, string][]): Promise<number> {
  const counts = { taken: 0, refused: 0, untried: 0 };
  // One after the other: the service counts calls.
  for (const [name, sql] of statements) {
    const answer = await querySql(connection, sql, (url, init) => fetch(url, init));
    if (answer.ok) {
      counts.taken++;
      console.log(`taken     ${name}: ${answer.value.rows.length === 0 ? "no row" : "a row"}`);
    } else if (answer.error.code === "no_data") {
      counts.untried++;
      console.log(`not tried ${name}: nothing was written yet (${safeText(answer.error.message, 200)})`);
    } else {
      counts.refused++;
      console.log(`REFUSED   ${name}: ${safeText(answer.error.message, 500)}\n${sql}`);
    }
  }
  console.log(`${counts.taken} taken, ${counts.refused} refused, ${counts.untried} not tried`);
  return counts.refused === 0 && counts.taken > 0 ? EXIT_CODES.taken : EXIT_CODES.refused;
}

async function run(): Promise<number> {
  const { values } = parseArgs({ options: { url: { type: "string", default: CLOUDFLARE_API } } });
  const { CLOUDFLARE_ACCOUNT_ID: accountId = "", CLOUDFLARE_API_TOKEN: token = "" } = process.env;
  if (accountId === "" || token === "") {
    console.error(
      "CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN must be set; the token needs Account Analytics, Read.",
    );
    return EXIT_CODES.noCredentials;
  }
  const connection = { baseUrl: values.url.replace(/\/+$/, ""), accountId, token };
  try {
    return await tryAll(connection, listStatements(Math.floor(Date.now() / 1000)));
  } catch (error) {
    if (!(error instanceof AnalyticsUnavailableError)) throw error;
    console.error(safeText(error.message, 500));
    return EXIT_CODES.refused;
  }
}

process.exitCode = await run();
