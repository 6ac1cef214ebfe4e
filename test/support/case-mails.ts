/**
 * Support: files of the kinds that people reported trouble with elsewhere, mailed to a local stack, and what must be true of its
 * figures, pages, conflicts and dead letters then. The files are the caller's: a folder's, or those of `ownCaseFiles`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { createTransport } from "nodemailer";
import { type ApiClient, apiClient } from "../../cli/client.ts";
import { startStack } from "../../local/stack.ts";
import type { Outputs } from "../../shared/contract/operations.ts";
import { missingParts } from "../../shared/ledger/activity.ts";
import { isIdle } from "../../shared/operations.ts";
import type { StackPorts } from "./ports.ts";
import { sampleMail, sampleReport, sampleTlsReport } from "./sample-report.ts";

/** Reads a file by its name. */
export type CaseFiles = (name: string) => Promise<Uint8Array>;

/** What was found of one case. */
export interface CaseResult {
  name: string;
  /** What is not as it must be; none when all is. */
  wrong: string[];
}

/** What a case must come to in its account. */
interface Expected {
  /** Aggregate reports and their messages. */
  reports: number;
  messages: number | undefined;
  /** By outcome, as events tell. */
  outcomes: Record<string, number>;
  /** Codes of dead letters. */
  letters?: string[];
  /** Texts on pages, by path. */
  pages?: Record<string, string[]>;
}

interface Case {
  name: string;
  files: string[];
  expected: Expected;
  /** What a person does then, and what must be true after it. */
  afterwards?: { act: (stack: CaseStack, account: string) => Promise<void>; expected: Expected };
}

const MESSAGES = "/domains/example.com?from=2026-01-01&to=2026-01-03";

const CASES: readonly Case[] = [
  {
    name: "11",
    files: ["11-three-reports.mbox"],
    expected: { reports: 3, messages: undefined, outcomes: { accepted: 3 } },
  },
  {
    name: "12",
    files: ["12a-reporter-one.xml", "12b-reporter-two.xml"],
    expected: { reports: 2, messages: 20, outcomes: { accepted: 2 } },
  },
  {
    name: "13",
    files: ["13a-part-one.xml", "13b-part-two.xml"],
    expected: {
      reports: 1,
      messages: 9,
      outcomes: { accepted: 1, conflict: 1 },
      pages: { "/operations/conflicts": ["case13", "Count both"] },
    },
    afterwards: {
      act: countBoth,
      expected: { reports: 2, messages: 15, outcomes: { accepted: 1, reprocessed: 1, conflict: 1, cleared: 1 } },
    },
  },
  {
    name: "16",
    files: ["16f-tls-same-id-domain1.json", "16g-tls-same-id-domain2.json"],
    expected: {
      reports: 0,
      messages: 0,
      outcomes: { accepted: 2 },
      pages: {
        "/domains/example.com/tls?from=2026-01-01&to=2026-01-03": ["TLS reports about"],
        "/domains/mail.example.com/tls?from=2026-01-01&to=2026-01-03": ["TLS reports about"],
      },
    },
  },
  {
    name: "17",
    files: ["17-bounce-of-own-report.eml"],
    expected: { reports: 0, messages: 0, outcomes: { dead_letter: 1 }, letters: ["delivery_notice"] },
  },
  {
    name: "19",
    files: ["19a-idn-alabel.xml", "19b-idn-ulabel.xml"],
    expected: {
      reports: 2,
      messages: undefined,
      outcomes: { accepted: 2 },
      pages: {
        "/?from=2026-01-01&to=2026-01-03": ["bücher.example", "xn--bcher-kva.example"],
        "/?from=2026-01-01&to=2026-01-03&domains.q=b%C3%BCcher": ["xn--bcher-kva.example"],
        "/domains/b%C3%BCcher.example?from=2026-01-01&to=2026-01-03": ["bücher.example", "xn--bcher-kva.example"],
      },
    },
  },
  {
    name: "24",
    files: ["24-one-good-one-bz2.eml"],
    expected: {
      reports: 1,
      messages: undefined,
      outcomes: { accepted: 1, dead_letter: 1 },
      letters: ["unsupported_format"],
      pages: { "/operations/dead-letters": [".xml.bz2"] },
    },
  },
  {
    name: "30",
    files: ["30a-lf.xml", "30b-crlf.xml"],
    expected: {
      reports: 1,
      messages: 3,
      outcomes: { accepted: 1, duplicate: 1 },
      pages: { [MESSAGES]: ["example.com"] },
    },
  },
];

/** The running stack of one check. */
class CaseStack {
  readonly client: ApiClient;
  readonly #httpUrl: string;
  readonly #token: string;
  readonly #smtpPort: number;

  constructor({ httpPort, smtpPort, token }: { httpPort: number; smtpPort: number; token: string }) {
    this.#httpUrl = `http://127.0.0.1:${httpPort}`;
    this.#token = token;
    this.#smtpPort = smtpPort;
    this.client = apiClient({ url: this.#httpUrl, token });
  }

  async send(to: string, raw: Uint8Array): Promise<void> {
    const transport = createTransport({ host: "127.0.0.1", port: this.#smtpPort, ignoreTLS: true });
    try {
      await transport.sendMail({ envelope: { from: "noreply@reporter.example", to }, raw: Buffer.from(raw) });
    } finally {
      transport.close();
    }
  }

  async page(path: string): Promise<string> {
    const headers = { authorization: `Bearer ${this.#token}`, accept: "text/html" };
    const response = await fetch(this.#httpUrl + path, { headers });
    // What is written in elements of its own still reads as one text.
    return (await response.text()).replaceAll("<wbr/>", "");
  }

  /** @throws Error when something is still to do after two minutes */
  async untilIdle(): Promise<void> {
    for (let i = 0; i < 1200; i++) {
      if (isIdle(await this.client.ask("status", {}))) return;
      await sleep(100);
    }
    throw new Error("The stack still works on the mails.");
  }

  /** Outcomes of one account by events: what happened, each once. */
  async outcomes(account: string): Promise<Record<string, number>> {
    const sql = `SELECT blob4 AS outcome, count(DISTINCT blob1) AS n FROM dmarc_events
      WHERE timestamp > now() - INTERVAL '1' DAY AND blob2 = '${account}' GROUP BY outcome FORMAT JSON`;
    const { data } = JSON.parse(await this.client.ask("query", { sql })) as { data: { outcome: string; n: string }[] };
    return Object.fromEntries(data.map(({ outcome, n }) => [outcome, Number(n)]));
  }

  async letters(account: string): Promise<Outputs["listDeadLetters"]["items"]> {
    return (await this.client.ask("listDeadLetters", { account })).items;
  }

  async conflicts(account: string): Promise<Outputs["listConflicts"]["items"]> {
    return (await this.client.ask("listConflicts", {})).items.filter((conflict) => conflict.account === account);
  }
}

async function countBoth(stack: CaseStack, account: string): Promise<void> {
  for (const { id } of await stack.conflicts(account)) {
    await stack.client.ask("decideConflict", { id, decision: "count_both", reason: "two halves of one period" });
  }
}

/**
 * Runs all cases, each in an account of its own, on a stack of its own, which leaves nothing behind.
 *
 * @param ports free ones
 */
export async function runCaseMails(files: CaseFiles, ports: StackPorts): Promise<CaseResult[]> {
  const stateDir = await mkdtemp(join(tmpdir(), "dmarc-cases-"));
  const started = await startStack({ stateDir, ...ports, samples: false });
  try {
    const stack = new CaseStack({ ...ports, token: started.token });
    const results: CaseResult[] = [];
    for (const one of CASES) results.push({ name: one.name, wrong: await runCase(one, { files, stack }) });
    return [...results, { name: "balance of parts", wrong: await wrongBalance(stack) }];
  } finally {
    await started.stop();
    await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Something became of every part of every mail, and the page says so. */
async function wrongBalance(stack: CaseStack): Promise<string[]> {
  const { parts } = await stack.client.ask("status", {});
  if (parts === null) return ["status does not tell the parts"];
  const wrong = missingParts(parts) === 0 ? [] : [`of ${parts.found} parts nothing became of ${missingParts(parts)}`];
  // The bounce alone has a text, a notice and the mail it is about.
  for (const kind of ["text", "notice", "evidence"])
    if (!parts.passedOver[kind]) wrong.push(`no ${kind} was passed over`);
  const page = await stack.page("/operations");
  if (!page.includes(`had ${parts.found} parts`)) wrong.push("Operations does not tell the parts");
  if (page.includes("Nothing became of")) wrong.push("Operations misses parts");
  return wrong;
}

async function runCase(
  { name, files: names, expected, afterwards }: Case,
  { files, stack }: { files: CaseFiles; stack: CaseStack },
): Promise<string[]> {
  const account = `case${name}`;
  const rua = `${account}@example.com`;
  await stack.client.ask("putRegistration", { rua, entry: { account } });
  for (const file of names) {
    const bytes = await files(file);
    await stack.send(rua, file.endsWith(".eml") ? bytes : sampleMail([{ name: file, content: bytes }]));
    // One after the other: which of two comes first is part of what is expected.
    await stack.untilIdle();
  }
  const wrong = await lastDifferences(stack, account, expected);
  if (afterwards === undefined) return wrong;
  await afterwards.act(stack, account);
  const then = await lastDifferences(stack, account, afterwards.expected);
  return [...wrong, ...then.map((text) => `then ${text}`)];
}

/** What is still not as it must be when nothing is left to do, and a while after: events become visible behind the ledger. */
async function lastDifferences(stack: CaseStack, account: string, expected: Expected): Promise<string[]> {
  for (let look = 1; ; look++) {
    await stack.untilIdle();
    const wrong = await differences(stack, account, expected);
    if (wrong.length === 0 || look === MAX_LOOKS) return wrong;
    await sleep(LOOK_MS);
  }
}

const MAX_LOOKS = 40;
const LOOK_MS = 250;

async function differences(stack: CaseStack, account: string, expected: Expected): Promise<string[]> {
  const wrong: string[] = [];
  const compare = (what: string, found: unknown, wanted: unknown): void => {
    const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
    if (a !== b) wrong.push(`${what}: ${a}, not ${b}`);
  };
  const stats = await stack.client.ask("stats", { account });
  const letters = await stack.letters(account);
  compare("reports", stats.reports, expected.reports);
  if (expected.messages !== undefined) compare("messages", stats.messages, expected.messages);
  compare("outcomes", sorted(await stack.outcomes(account)), sorted(expected.outcomes));
  compare(
    "dead letters",
    letters.map(({ reason }) => reason.code),
    expected.letters ?? [],
  );
  const { conflict = 0, cleared = 0 } = expected.outcomes;
  compare("open conflicts", (await stack.conflicts(account)).length, conflict - cleared);
  for (const [path, texts] of Object.entries(expected.pages ?? {})) {
    const page = await stack.page(path);
    for (const text of texts) if (!page.includes(text)) wrong.push(`${path} does not say '${text}'`);
  }
  return wrong;
}

function sorted(counts: Record<string, number>): [string, number][] {
  return Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
}

const DAY: [number, number] = [1_767_225_600, 1_767_311_999];

/** Files of the same kinds as the cases ask for, by the project's own writers. */
export function ownCaseFiles(): CaseFiles {
  const record = (count: number, last = 1) => ({ sourceIp: `192.0.2.${last}`, count, pass: true });
  const report = (reportId: string, records = [record(3)], domain = "example.com"): string =>
    sampleReport({ reportId, records, domain, period: DAY }).replaceAll("acme.example", domain);
  const mailWith = (name: string, content: Uint8Array): string => sampleMail([{ name, content }]).toString();
  const packed = (reportId: string): Uint8Array => gzipSync(report(reportId));
  const files: Record<string, string | Uint8Array> = {
    "11-three-reports.mbox": ["one", "two", "three"]
      .map(
        (id) =>
          `From dmarc@reporter.example Fri Jan  2 03:04:05 2026\n${mailWith(`${id}.xml.gz`, packed(id)).replaceAll("\r\n", "\n")}\n`,
      )
      .join(""),
    "12a-reporter-one.xml": report("default", [record(10)]).replace("dmarc@reporter.example", "dmarc@one.example"),
    "12b-reporter-two.xml": report("default", [record(10)]).replace("dmarc@reporter.example", "dmarc@two.example"),
    "13a-part-one.xml": report("halves", [record(4, 31), record(5, 32)]),
    "13b-part-two.xml": report("halves", [record(6, 33)]),
    "16f-tls-same-id-domain1.json": sampleTlsReport("example.com", "2026-01-01"),
    "16g-tls-same-id-domain2.json": sampleTlsReport("mail.example.com", "2026-01-01"),
    "17-bounce-of-own-report.eml": bounceOf(mailWith("ours.xml.gz", packed("ours"))),
    "19a-idn-alabel.xml": report("idn-1", [record(3)], "xn--bcher-kva.example"),
    "19b-idn-ulabel.xml": report("idn-2", [record(4)], "b\u00fccher.example"),
    "24-one-good-one-bz2.eml": sampleMail([
      { name: "good.xml.gz", content: packed("good") },
      { name: "other.xml.bz2", content: Buffer.from("BZh91AY&SY\u0000\u0001\u0002\u0003", "latin1") },
    ]),
    "30a-lf.xml": report("lines"),
    "30b-crlf.xml": report("lines").replaceAll("\n", "\r\n"),
  };
  return async (name) => {
    const content = files[name];
    if (content === undefined) throw new Error(`no file '${name}'`);
    return typeof content === "string" ? Buffer.from(content) : content;
  };
}

function bounceOf(mail: string): string {
  return [
    "From: MAILER-DAEMON@mx.example.net",
    "To: dmarc@example.com",
    "Subject: Undelivered mail",
    "MIME-Version: 1.0",
    'Content-Type: multipart/report; report-type=delivery-status; boundary="r"',
    "",
    "--r",
    "Content-Type: text/plain",
    "",
    "It could not be delivered.",
    "--r",
    "Content-Type: message/delivery-status",
    "",
    "Reporting-MTA: dns; mx.example.net",
    "",
    "Final-Recipient: rfc822; dmarc@stranger.example",
    "Action: failed",
    "Status: 5.1.1",
    "--r",
    "Content-Type: message/rfc822",
    "",
    mail,
    "--r--",
    "",
  ].join("\r\n");
}
