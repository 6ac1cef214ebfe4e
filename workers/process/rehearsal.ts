/**
 * Takes a few small reports while the Worker is started, with bindings that hold nothing and keep nothing. V8 compiles a function
 * when it first runs: what was compiled at the start need not be in the first invocation, which on the free plan has 10 ms of
 * CPU. A start has its own second (Workers limits page: startup time); this takes a tenth of it.
 */
import { format } from "node:util";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import { rehearsalLedger } from "../../shared/ledger/rehearsal-ledger.ts";
import { buildRawMetadata } from "../../shared/storage.ts";
import { type Batch, consumeBatch } from "./consumer.ts";
import type { ProcessEnv } from "./env.ts";
import { rehearsalFile } from "./rehearsal-files.ts";

const RUA = "rehearsal@example.invalid";
const RECEIVED_SECONDS = 1_735_000_000;
/**
 * V8 compiles what has run often once more, for speed: with fewer times, the first message does that. With more, the start
 * takes longer, and the first message no less.
 */
const TIMES = 16;

/**
 * @param database prepares the statements; none is sent to it, since a start can make no calls
 * @returns the log lines, one a report, for the test
 */
export async function rehearse(database: LedgerDatabase): Promise<string[]> {
  const lines: string[] = [];
  const host = {
    nowMilliseconds: () => RECEIVED_SECONDS * 1000,
    random: () => 0.5,
    // As console.log does, which would be seen.
    log: (line: string) => void lines.push(format(line)),
  };
  for (let number = 0; number < TIMES; number++) {
    const file = rehearsalFile({ beginSeconds: RECEIVED_SECONDS - 2 * 86_400, number });
    await consumeBatch(batchOf(`raw/2024/12/24/${"0".repeat(64)}/${file.name}`), rehearsalEnv(file, database), host);
  }
  return lines;
}

function batchOf(key: string): Batch {
  const body = { v: 1, kind: "report", key, rua: RUA, receivedSeconds: RECEIVED_SECONDS };
  const timestamp = new Date(RECEIVED_SECONDS * 1000);
  return { queue: "dmarc-reports", messages: [{ body, attempts: 1, timestamp, ack: () => {}, retry: () => {} }] };
}

/** Only what accepting a report needs. */
function rehearsalEnv({ name, content }: ReturnType<typeof rehearsalFile>, database: LedgerDatabase): ProcessEnv {
  const dataset = { writeDataPoint: () => {} };
  const customMetadata = buildRawMetadata({
    rua: RUA,
    sender: "dmarc@example.invalid",
    from: "dmarc@example.invalid",
    subject: "Report domain: example.com",
    messageId: "<rehearsal@example.invalid>",
    receivedSeconds: RECEIVED_SECONDS,
    fileName: name,
    mimeType: "application/octet-stream",
    tlsReportDomain: "",
    objectsOfMail: 1,
    passedOver: {},
    authentication: "",
    importedFrom: "",
  });
  const object = { size: content.byteLength, customMetadata, arrayBuffer: async () => content.buffer };
  const env = {
    D1_DMARC_REPORTS: rehearsalLedger(RUA, { account: "rehearsal" }, database),
    R2_DMARC_REPORTS: { get: async () => object, head: async () => object },
    DMARC_ANALYTICS: dataset,
    DMARC_EVENTS: dataset,
    DMARC_TLS: dataset,
    DMARC_FAILURES: dataset,
    RETRY_BASE_SECONDS: 30,
    ADDRESS_RECORDS_PER_DAY: 1000,
    ACCOUNT_RECORDS_PER_DAY: 1000,
    REPORTER_REPORTS_PER_DAY: 1000,
    KEEP_DETAIL_DAYS: 10_000,
    NEW_ACCOUNTS_SHARD: 0,
    DNS_OVER_HTTPS_URL: "",
    DNS_QUESTIONS_PER_RUN: 0,
    WATCH_QUERIES_PER_RUN: 0,
    RUA_HOST: "",
    MAX_REPORT_BYTES: 0,
  };
  return env as unknown as ProcessEnv;
}
