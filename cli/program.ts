/** The subcommands of `dmarc`, assembled. It runs none of them. */
import { Command } from "commander";
import { addAccounts } from "./commands/accounts.ts";
import { addAudit } from "./commands/audit.ts";
import { addChannels } from "./commands/channels.ts";
import { addCheck } from "./commands/check.ts";
import { addCompare } from "./commands/compare.ts";
import { addCompletion } from "./commands/completion.ts";
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
import { addProfile } from "./commands/profile.ts";
import { addQuery } from "./commands/query.ts";
import { addReports } from "./commands/reports.ts";
import { addRua } from "./commands/rua.ts";
import { addSend } from "./commands/send.ts";
import { addSenders } from "./commands/senders.ts";
import { addSpf } from "./commands/spf.ts";
import { addStats } from "./commands/stats.ts";
import { addStatus } from "./commands/status.ts";
import { addTokens } from "./commands/tokens.ts";
import { addVerdict } from "./commands/verdict.ts";
import { addWatch } from "./commands/watch.ts";
import { addWorklist } from "./commands/worklist.ts";
import { addRemoteOptions, passRemoteOptions } from "./connection.ts";
import { sayWrongUse } from "./wrong-use.ts";

const HELP = `
Examples:
  dmarc parse report.xml.gz                  what is in a report, offline
  dmarc rua add dmarc@example.com            take reports sent to this address
  dmarc send reports/ && dmarc status --wait && dmarc stats

  dmarc --profile production status          the same commands against a deployment

The running stack is found by the options \`npm start\` takes, or by DMARC_HTTP_PORT, DMARC_SMTP_PORT, DMARC_SQL_PORT and
DMARC_STATE; a deployment by --url and --token, DMARC_URL and DMARC_TOKEN, or a profile. Behind Cloudflare Access a service
token goes with it, in DMARC_ACCESS_CLIENT_ID and DMARC_ACCESS_CLIENT_SECRET or the profile.
Exit code: 0 done, 1 wrong use or failure, 2 some of the input was rejected, 130 ended by Ctrl-C.`;

/** The command with all its subcommands and options. */
export function buildProgram(): Command {
  const program = new Command("dmarc").description("DMARC reports: read them, send them, ask about them");
  sayWrongUse(addRemoteOptions(program), "dmarc")
    .addHelpText("after", HELP)
    .showHelpAfterError("(see --help)")
    .enablePositionalOptions();
  passRemoteOptions(program);
  for (const add of [
    addParse,
    addCheck,
    addSpf,
    addDomain,
    addMtaSts,
    addRua,
    addIdentity,
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
    addTokens,
    addProfile,
    addCompletion,
  ])
    add(program);
  return program;
}
