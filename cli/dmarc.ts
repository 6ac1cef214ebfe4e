/**
 * The `dmarc` command: assembles the subcommands and turns their errors into one sentence and an exit code.
 */
import { Command } from "commander";
import { CommandError } from "./command-error.ts";
import { addAccount } from "./commands/account.ts";
import { addAccounts } from "./commands/accounts.ts";
import { addAudit } from "./commands/audit.ts";
import { addChannels } from "./commands/channels.ts";
import { addCheck } from "./commands/check.ts";
import { addCompare } from "./commands/compare.ts";
import { addConflicts } from "./commands/conflicts.ts";
import { addDeadLetters } from "./commands/dead-letters.ts";
import { addDomain } from "./commands/domain.ts";
import { addExport } from "./commands/export.ts";
import { addForward } from "./commands/forward.ts";
import { addIdentity } from "./commands/identity.ts";
import { addImport } from "./commands/import.ts";
import { addJobs } from "./commands/jobs.ts";
import { addMcp } from "./commands/mcp.ts";
import { addMtaSts } from "./commands/mta-sts.ts";
import { addParse } from "./commands/parse.ts";
import { addQuery } from "./commands/query.ts";
import { addReports } from "./commands/reports.ts";
import { addRua } from "./commands/rua.ts";
import { addSend } from "./commands/send.ts";
import { addSenders } from "./commands/senders.ts";
import { addSpf } from "./commands/spf.ts";
import { addStats } from "./commands/stats.ts";
import { addStatus } from "./commands/status.ts";
import { addVerdict } from "./commands/verdict.ts";
import { addWatch } from "./commands/watch.ts";
import { addWorklist } from "./commands/worklist.ts";
import { exitCodes } from "./exit-codes.ts";
import { printError } from "./terminal.ts";

const HELP = `
Examples:
  dmarc parse report.xml.gz                  what is in a report, offline
  dmarc rua add dmarc@example.com            take reports sent to this address
  dmarc send reports/ && dmarc status --wait && dmarc stats

The running stack is found by the options \`npm start\` takes, or by DMARC_HTTP_PORT, DMARC_SMTP_PORT, DMARC_SQL_PORT and
DMARC_STATE; a deployment by --url or DMARC_URL, with the secret API_TOKEN in DMARC_TOKEN.
Exit code: 0 done, 1 wrong use or failure, 2 some of the input was rejected.`;

function buildProgram(): Command {
  const program = new Command("dmarc").description("DMARC reports: read them, send them, ask about them");
  program
    .addHelpText("after", HELP)
    .showHelpAfterError("(--help says more)")
    .enablePositionalOptions()
    .configureHelp({ showGlobalOptions: true });
  for (const add of [
    addParse,
    addCheck,
    addSpf,
    addDomain,
    addMtaSts,
    addRua,
    addIdentity,
    addAccount,
    addAccounts,
    addAudit,
    addChannels,
    addForward,
    addSend,
    addImport,
    addStatus,
    addStats,
    addVerdict,
    addSenders,
    addWatch,
    addWorklist,
    addMcp,
    addQuery,
    addExport,
    addCompare,
    addDeadLetters,
    addConflicts,
    addReports,
    addJobs,
  ])
    add(program);
  return program;
}

// `dmarc parse … | head` closes the pipe early, which is not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(exitCodes.done);
});

try {
  await buildProgram().parseAsync();
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  printError(`dmarc: ${error.message}`);
  process.exitCode = exitCodes.failure;
}
