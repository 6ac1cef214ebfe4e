/**
 * Takes a few small reports while the Worker is started, with bindings that hold nothing and keep nothing. V8 compiles a function
 * when it first runs: what was compiled at the start need not be in the first invocation, which on the free plan has 10 ms of
 * CPU. A start has its own second (Workers limits page: startup time); this takes a tenth of it.
 */
import { format } from "node:util";
import { encodeBase64 } from "../../shared/base64.ts";
import { sha256Hex } from "../../shared/identity.ts";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import { rehearsalLedger } from "../../shared/ledger/rehearsal-ledger.ts";
import type { DeliveredReport } from "../../shared/messages.ts";
import { buildRawMetadata, rawKey } from "../../shared/storage.ts";
import { type Batch, consumeBatch } from "./consumer.ts";
import type { ProcessEnv } from "./env.ts";
import { rehearsalFile } from "./rehearsal-files.ts";

const RUA = "rehearsal@example.invalid";
const RECEIVED_SECONDS = 1_735_000_000;
/**
 * V8 recompiles, for speed, what has run often. With fewer rounds, the first message pays for that; with more, the
 * start takes longer and the first message is no faster.
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
    const key = rawKey(RECEIVED_SECONDS, await sha256Hex(file.content), file.name);
    const metadata = metadataOf(file.name);
    // As ingest sends it, and as it is sent again.
    const object = number % 2 === 0 ? { content: encodeBase64(file.content), metadata } : undefined;
    await consumeBatch(batchOf({ key, object }), rehearsalEnv({ ...file, metadata }, database), host);
  }
  return lines;
}

function batchOf({ key, object }: Pick<DeliveredReport, "key" | "object">): Batch {
  const body: DeliveredReport = {
    v: 1,
    kind: "report",
    key,
    rua: RUA,
    receivedSeconds: RECEIVED_SECONDS,
    object,
  };
  const timestamp = new Date(RECEIVED_SECONDS * 1000);
  return { queue: "dmarc-reports", messages: [{ body, attempts: 1, timestamp, ack: () => {}, retry: () => {} }] };
}

function metadataOf(fileName: string): Record<string, string> {
  return buildRawMetadata({
    rua: RUA,
    sender: "dmarc@example.invalid",
    from: "dmarc@example.invalid",
    subject: "Report domain: example.com",
    messageId: "<rehearsal@example.invalid>",
    receivedSeconds: RECEIVED_SECONDS,
    fileName,
    mimeType: "application/octet-stream",
    tlsReportDomain: "",
    objectsOfMail: 1,
    passedOver: {},
    authentication: "",
    importedFrom: "",
  });
}

interface StoredFile {
  content: Uint8Array<ArrayBuffer>;
  metadata: Record<string, string>;
}

/** Only what accepting a report needs. */
function rehearsalEnv({ content, metadata }: StoredFile, database: LedgerDatabase): ProcessEnv {
  const dataset = { writeDataPoint: () => {} };
  const object = { size: content.byteLength, customMetadata: metadata, arrayBuffer: async () => content.buffer };
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
