/**
 * The tools of `dmarc mcp`: read-only questions over the API. Each is an operation of the contract, or a few put together; input is
 * checked by the contract's schemas, and so is what the API answers. It knows nothing of the protocol.
 */
import * as v from "valibot";
import { validate } from "../../shared/contract/operation.ts";
import { type Inputs, OPERATIONS, type OperationName, type Outputs } from "../../shared/contract/operations.ts";
import { senders, verdict } from "../../shared/contract/sender-shapes.ts";
import { sourceDetails } from "../../shared/contract/source-shapes.ts";
import { domainName } from "../../shared/domain-name.ts";
import { type ExportedReport, exportedReport } from "../../shared/export/lines.ts";
import { networkHolds } from "../../shared/guidance/networks.ts";
import { ROLES } from "../../shared/guidance/roles.ts";
import { POLICY_STEPS } from "../../shared/guidance/what-if.ts";
import type { ApiClient } from "../client.ts";
import { CommandError } from "../command-error.ts";
import { readPage } from "../export/pages.ts";
import { readSpfSender } from "../spf-sender.ts";

/** Reports in an answer of find_reports. */
const MAX_REPORTS = 50;

/** Ours: records in an answer of what_a_policy_hits; an assistant reads all of them. */
const MAX_HITS = 50;

/** A field of a tool's input. */
export interface ToolField {
  description: string;
  type: "string" | "number";
  isRequired?: true;
}

export interface Tool {
  name: string;
  title: string;
  description: string;
  fields: Record<string, ToolField>;
  /** Schema of its answer: the contract's, where it is one operation. */
  output: v.GenericSchema<unknown, object>;
  /** @throws CommandError with a sentence when the input is wrong or the API refuses */
  run(client: ApiClient, input: Record<string, unknown>): Promise<object>;
}

const DOMAIN: ToolField = { type: "string", isRequired: true, description: "policy domain, such as example.com" };
const ANY_DOMAIN: ToolField = { type: "string", description: "only this policy domain" };
const ACCOUNT: ToolField = { type: "string", description: "only this account" };
const FROM: ToolField = { type: "string", description: "first day, YYYY-MM-DD; 30 days ago unless given" };
const TO: ToolField = { type: "string", description: "last day, YYYY-MM-DD; today unless given" };

const LIMIT: ToolField = { type: "number", description: `how many at most; ${MAX_HITS} unless given` };

/** What `why_source_fails` answers: the source as senders and as the verdict have it, why its mail fails and what to do, and the domain's next step. */
const whyAnswer = v.object({
  source: v.string(),
  sender: v.nullable(senders.entries.items.item),
  failing: v.nullable(verdict.entries.sources.item),
  why: sourceDetails.entries.advice,
  nextStep: v.string(),
});

/** What `find_reports` answers; isComplete: there are no more that match. */
const foundReports = v.object({ items: v.array(exportedReport), isComplete: v.boolean() });

export const TOOLS: readonly Tool[] = [
  {
    name: "domains_that_need_attention",
    title: "What to do next",
    description:
      "What to do next across all domains, the most important first. The same cause over many domains is one line; " +
      "domains_of_task lists its domains.",
    fields: { account: ACCOUNT },
    output: OPERATIONS.worklist.output,
    run: (client, input) => client.ask("worklist", checked("worklist", input)),
  },
  {
    name: "domains_of_task",
    title: "Domains of a task",
    description: "The domains of one line of domains_that_need_attention, by its code and subject.",
    fields: {
      account: ACCOUNT,
      code: { type: "string", isRequired: true, description: "code of the line" },
      subject: { type: "string", description: "subject of the line, if it has one" },
      offset: { type: "number", description: "domains to leave out at the beginning" },
    },
    output: OPERATIONS.worklistDomains.output,
    run: (client, input) => client.ask("worklistDomains", checked("worklistDomains", input)),
  },
  {
    name: "domain_verdict",
    title: "Verdict of a domain",
    description:
      "Whether p=reject is safe for a domain, what each policy would have hit, by whose senders, and the DMARC record to publish next.",
    fields: { domain: DOMAIN, from: FROM, to: TO },
    output: OPERATIONS.verdict.output,
    run: (client, input) => client.ask("verdict", checked("verdict", input)),
  },
  {
    name: "senders",
    title: "Senders of a domain",
    description: "Who sends mail in a domain's name: whose each sender is and why, how much passes and fails.",
    fields: { domain: DOMAIN, from: FROM, to: TO },
    output: OPERATIONS.senders.output,
    run: (client, input) => client.ask("senders", checked("senders", input)),
  },
  {
    name: "undecided_senders",
    title: "Undecided senders",
    description: "Senders of a domain that its owner has to decide about, each with a suggestion and its reason.",
    fields: { domain: DOMAIN, from: FROM, to: TO },
    output: OPERATIONS.senders.output,
    run: (client, input) => client.ask("senders", { ...checked("senders", input), undecided: true }),
  },
  {
    name: "why_source_fails",
    title: "Why a source fails",
    description:
      "What is known about one source of a domain's mail (an organizational domain or an address, as `senders` " +
      "names it): whose it is and how that is known, how many of its messages pass, fail and would be rejected, why they fail and what to do.",
    fields: {
      domain: DOMAIN,
      source: { type: "string", isRequired: true, description: "organizational domain or IP address of the source" },
      from: FROM,
      to: TO,
    },
    output: whyAnswer,
    run: whySourceFails,
  },
  {
    name: "what_a_policy_hits",
    title: "What a policy would hit",
    description:
      "The records of a domain's mail that a policy would have hit, with the source of each, most messages first: addresses, results of DKIM and SPF, reasons.",
    fields: {
      domain: DOMAIN,
      step: { type: "string", description: `the policy, reject unless given: ${POLICY_STEPS.join(", ")}` },
      role: { type: "string", description: `only sources of this role: ${ROLES.join(", ")}` },
      from: FROM,
      to: TO,
      limit: LIMIT,
    },
    output: OPERATIONS.listHits.output,
    run: (client, input) => client.ask("listHits", { limit: MAX_HITS, ...checked("listHits", input) }),
  },
  {
    name: "check_records",
    title: "Check of a domain's records",
    description:
      "What a domain publishes (DMARC, SPF, DKIM, MTA-STS, TLS reports, DANE, BIMI) as the daily check last found it: what is " +
      "wrong, the rule behind it, the exact record to publish, what DNS answered, and changes of its records.",
    fields: { domain: DOMAIN, account: ACCOUNT },
    output: OPERATIONS.keptCheck.output,
    run: checkRecords,
  },
  {
    name: "spf_advice",
    title: "SPF with a source added",
    description:
      "What letting a source in does to a domain's SPF record: the record before and after, its lookups, the term to add, or " +
      "why SPF can't help. Asks DNS now, and changes nothing.",
    fields: {
      domain: DOMAIN,
      account: ACCOUNT,
      source: {
        type: "string",
        isRequired: true,
        description: "addresses or networks, with spaces between; or one known service, such as Google Workspace",
      },
      returnPath: { type: "string", description: "domain of its return path; the domain itself unless given" },
    },
    output: OPERATIONS.spfAdvice.output,
    run: spfAdvice,
  },
  {
    name: "monthly_report",
    title: "Monthly report of a domain",
    description:
      "A domain's month: verdict and what it means, figures beside those of the month before, what changed, what was done, what is open, who sends.",
    fields: {
      domain: DOMAIN,
      month: { type: "string", description: "YYYY-MM; the last month that is over unless given" },
    },
    output: OPERATIONS.domainMonth.output,
    run: (client, input) => client.ask("domainMonth", checked("domainMonth", input)),
  },
  {
    name: "open_alerts",
    title: "Open alerts",
    description:
      "Incidents that are open now: own mail refused, new senders, spoofing, broken records, silence, each with causes.",
    fields: { account: ACCOUNT, domain: ANY_DOMAIN },
    output: OPERATIONS.listIncidents.output,
    run: (client, input) => client.ask("listIncidents", { ...checked("listIncidents", input), state: "open" }),
  },
  {
    name: "reports_of_domain",
    title: "Reports about a domain",
    description:
      `Accepted reports about a domain, the newest ${MAX_REPORTS} by default: who sent each, when, and its sums. To find ` +
      "out whether a report came, or which reports name an address.",
    fields: {
      domain: DOMAIN,
      account: ACCOUNT,
      from: FROM,
      to: TO,
      kind: { type: "string", description: "aggregate (unless given), tls or failure" },
      text: { type: "string", description: "only with this in the reporter's name or the report id" },
      source: {
        type: "string",
        description: "only aggregate reports that name this address; sums are those of the address",
      },
      outcome: { type: "string", description: "fail: with failing messages or sessions; pass: without any" },
      limit: { type: "number", description: `how many at most; ${MAX_REPORTS} unless given` },
    },
    output: OPERATIONS.listReports.output,
    run: (client, input) => client.ask("listReports", checked("listReports", { limit: MAX_REPORTS, ...input })),
  },
  {
    name: "find_reports",
    title: "Find reports",
    description:
      `Accepted aggregate reports of a period, the first ${MAX_REPORTS} that match, with their sums. text: in the ` +
      "reporter, the report id, or an address in the report. Needs an operator's token.",
    fields: {
      since: { type: "string", isRequired: true, description: "first day, YYYY-MM-DD" },
      until: { type: "string", description: "last day, YYYY-MM-DD; today unless given" },
      domain: ANY_DOMAIN,
      account: ACCOUNT,
      text: { type: "string", description: "only reports that contain this" },
    },
    output: foundReports,
    run: findReports,
  },
];

function checked<Name extends OperationName>(name: Name, input: Record<string, unknown>): Inputs[Name] {
  const valid = validate<Inputs[Name]>(OPERATIONS[name].input, input);
  if (valid.ok) return valid.value;
  throw new CommandError(valid.error.message, valid.error.code);
}

async function checkRecords(client: ApiClient, input: Record<string, unknown>): Promise<Outputs["keptCheck"]> {
  const name = await domainOfAccount(client, input);
  return await client.ask("keptCheck", checked("keptCheck", name));
}

async function spfAdvice(
  client: ApiClient,
  { source, returnPath, ...input }: Record<string, unknown>,
): Promise<Outputs["spfAdvice"]> {
  const name = await domainOfAccount(client, input);
  const typed = String(source).trim();
  const parts = typed.split(/[\s,]+/);
  const areNetworks = parts.every((part) => networkHolds(part, part));
  const sender = readSpfSender(
    areNetworks ? parts : [typed],
    returnPath === undefined ? undefined : [String(returnPath)],
  );
  return await client.ask("spfAdvice", checked("spfAdvice", { ...name, sender }));
}

/** The domain with the account that has it, where none is given. @throws CommandError if nobody has it, or several do */
async function domainOfAccount(
  client: ApiClient,
  { domain, account }: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  if (account !== undefined) return { domain, account };
  const name = domainName(String(domain));
  for await (const { domain: listed, accounts } of client.each("listDomains", checked("listDomains", { text: name }))) {
    if (listed !== name) continue;
    if (accounts.length === 1) return { domain: name, account: accounts[0] };
    throw new CommandError(`Several accounts have ${name}: name one of ${accounts.join(", ")}.`, "bad_request");
  }
  throw new CommandError(`No account has ${name}: it has no address and no reports of the last 30 days.`, "not_found");
}

async function whySourceFails(
  client: ApiClient,
  { source, ...period }: Record<string, unknown>,
): Promise<v.InferOutput<typeof whyAnswer>> {
  const name = String(source).trim().toLowerCase();
  const [verdict, senders, detail] = await Promise.all([
    client.ask("verdict", checked("verdict", period)),
    client.ask("senders", checked("senders", period)),
    client.find("getSource", checked("getSource", { ...period, source: name })),
  ]);
  const sender = senders.items.find((one) => one.source.toLowerCase() === name) ?? null;
  const failing = verdict.sources.find((one) => one.name.toLowerCase() === name) ?? null;
  if (sender === null && failing === null) {
    throw new CommandError(
      `No mail of ${name} was reported in this period; senders lists those that were.`,
      "not_found",
    );
  }
  return { source: name, sender, failing, why: detail?.advice ?? null, nextStep: verdict.nextStep };
}

async function findReports(
  client: ApiClient,
  { text, ...input }: Record<string, unknown>,
): Promise<v.InferOutput<typeof foundReports>> {
  const needle = String(text ?? "").toLowerCase();
  const items: ExportedReport[] = [];
  let report: ExportedReport | undefined;
  let isFound = false;
  const page = readPage(client, checked("exportRecords", input));
  for (;;) {
    const next = await page.next();
    if (next.done === true) return { items, isComplete: next.value.cursor === undefined };
    const line = next.value;
    if (line.type === "report") {
      report = line;
      isFound = `${line.reporter}\n${line.reportId}`.toLowerCase().includes(needle);
    } else if (line.type === "records") {
      isFound = line.records.some(({ sourceIp }) => sourceIp.toLowerCase().includes(needle));
    } else isFound = false;
    if (!isFound || report === undefined || items.at(-1) === report) continue;
    if (items.length === MAX_REPORTS) {
      await page.return({ type: "end", reports: 0, records: 0, messages: 0, passed: 0 });
      return { items, isComplete: false };
    }
    items.push(report);
  }
}
