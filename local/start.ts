/**
 * `npm start`: the whole pipeline on this machine until Ctrl-C. A shell over `startStack`.
 *
 * usage: npm start -- [--http PORT] [--smtp PORT] [--sql PORT] [--state DIR] [--databases N] [--dns URL]
 *        [--mail-relay URL] [--webhook-origin URL] [--watch] [--no-samples]
 */
import { Command } from "commander";
import { EXAMPLE_STATEMENTS } from "../shared/analytics/statements.ts";
import { LOCAL_DEFAULTS, type LocalFlags, type LocalOptions, readLocalOptions } from "./options.ts";
import { DEMO } from "./samples/send.ts";
import { type RunningStack, StartError, startStack } from "./stack.ts";

function readFlags(): LocalFlags {
  return (
    new Command("npm start --")
      .description("Runs the whole pipeline on this machine: mail in by SMTP, data out by the dashboard and by SQL.")
      // Like the other sentences of this command, without a prefix.
      .configureOutput({
        outputError: (text, write) => write(text.replace(/^error: (.)/, (_, a: string) => a.toUpperCase())),
      })
      .option("--http <port>", `dashboard and API (DMARC_HTTP_PORT, default ${LOCAL_DEFAULTS.httpPort})`)
      .option("--smtp <port>", `mail (DMARC_SMTP_PORT, default ${LOCAL_DEFAULTS.smtpPort})`)
      .option("--sql <port>", `Analytics Engine's SQL API (DMARC_SQL_PORT, default ${LOCAL_DEFAULTS.sqlPort})`)
      .option("--state <dir>", `where everything is kept (DMARC_STATE, default ${LOCAL_DEFAULTS.stateDir})`)
      .option(
        "--databases <n>",
        "databases of the ledger; new accounts go to the last (DMARC_DATABASES, default as many as there are, one at first)",
      )
      .option(
        "--dns <url>",
        "DNS server to ask, by DNS over HTTPS (DMARC_DNS, default none: what domains publish is unknown)",
      )
      .option(
        "--mail-relay <url>",
        "SMTP server for notices and digests (DMARC_MAIL_RELAY, default none: they are kept in the state folder)",
      )
      .option("--webhook-origin <url>", "local origin that webhooks may go to (DMARC_WEBHOOK_ORIGIN, default none)")
      .option("--watch", "reload the Workers when a source file changes")
      .option("--no-samples", "do not register a demo address and send it samples at the first start")
      .parse()
      .opts<LocalFlags>()
  );
}

function say(line: string): void {
  console.log(`${new Date().toTimeString().slice(0, 8)}  ${line}`);
}

// What the CLI needs to find a stack that is not where it looks by default.
function environmentOf({ ports }: RunningStack, { stateDir }: LocalOptions): string {
  const values: Record<string, [string | number, string | number]> = {
    DMARC_STATE: [stateDir, LOCAL_DEFAULTS.stateDir],
    DMARC_HTTP_PORT: [ports.http, LOCAL_DEFAULTS.httpPort],
    DMARC_SMTP_PORT: [ports.smtp, LOCAL_DEFAULTS.smtpPort],
  };
  const changed = Object.entries(values).filter(([, [value, standard]]) => value !== standard);
  return changed.map(([name, [value]]) => `${name}=${value} `).join("");
}

function printReady(stack: RunningStack, options: LocalOptions): void {
  const { ports } = stack;
  const dmarc = `${environmentOf(stack, options)}npm run -s dmarc --`;
  console.log(`
Ready. Everything listens on 127.0.0.1 only, and data is kept in ${options.stateDir}

  mail       smtp://127.0.0.1:${ports.smtp}${options.samples ? `   for ${DEMO.rua}` : ""}
  dashboard  ${stack.link}
  SQL API    http://127.0.0.1:${ports.sql}/client/v4/accounts/local/analytics_engine/sql

Try, in another terminal:

  ${dmarc} status --wait
  ${dmarc} stats
  ${dmarc} query "${EXAMPLE_STATEMENTS.reportsByReporter}"
${options.samples ? "" : `  ${dmarc} rua add ${DEMO.rua}\n`}  ${dmarc} send report.xml.gz

Ctrl-C stops it.
`);
}

async function run(options: LocalOptions): Promise<number> {
  // Mail is other people's: what is written from here on, by all parts, is for this user alone.
  process.umask(0o077);
  const abort = new AbortController();
  const asked = Promise.withResolvers<void>();
  // npm passes on the signal the terminal sends as well, so a second one means nothing new.
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (!abort.signal.aborted) console.log("\nStopping …");
      abort.abort();
      asked.resolve();
    });
  }
  say("start     starting (a few seconds)");
  let stack: RunningStack;
  try {
    stack = await startStack({ ...options, log: say, signal: abort.signal });
  } catch (error) {
    if (abort.signal.aborted) return 0;
    console.error(error instanceof StartError ? error.message : `Could not start: ${describe(error)}`);
    return 1;
  }
  printReady(stack, options);
  const failure = await Promise.race([asked.promise.then(() => undefined), stack.failed]);
  if (failure !== undefined) console.error(`${failure} Stopping. The log is ${stack.logFile}`);
  await stack.stop();
  return failure === undefined ? 0 : 1;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const options = readLocalOptions({ flags: readFlags(), env: process.env });
if (options.ok) {
  process.exit(await run(options.value));
} else {
  console.error(options.error);
  process.exit(1);
}
