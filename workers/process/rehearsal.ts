/**
 * Takes a few small reports while the Worker is started, with bindings that hold nothing and keep nothing. V8 compiles a function
 * when it first runs: what was compiled at the start need not be in the first invocation, which on the free plan has 10 ms of
 * CPU. A start has its own second (Workers limits page: startup time); this takes a tenth of it.
 */
import { rehearsalLedger } from "../../shared/ledger/rehearsal-ledger.ts";
import { crc32 } from "../../shared/report/inflate-natively.ts";
import { type Batch, consumeBatch } from "./consumer.ts";
import type { ProcessEnv } from "./env.ts";

const RUA = "rehearsal@example.invalid";
const RECEIVED_SECONDS = 1_735_000_000;
/** More make the rest of what is compiled no faster. */
const TIMES = 8;

/** @returns the log line of the last report, for the test */
export async function rehearse(): Promise<string> {
  let said = "";
  const host = {
    nowMilliseconds: () => RECEIVED_SECONDS * 1000,
    random: () => 0.5,
    log: (line: string) => (said = line),
  };
  for (let i = 0; i < TIMES; i++)
    await consumeBatch(batchOf(`raw/2024/12/24/${"0".repeat(64)}/${i}.xml.gz`), rehearsalEnv(i), host);
  return said;
}

function batchOf(key: string): Batch {
  const body = { v: 1, kind: "report", key, rua: RUA, receivedSeconds: RECEIVED_SECONDS };
  const timestamp = new Date(RECEIVED_SECONDS * 1000);
  return { queue: "dmarc-reports", messages: [{ body, attempts: 1, timestamp, ack: () => {}, retry: () => {} }] };
}

/** Only what accepting a report needs. */
function rehearsalEnv(time: number): ProcessEnv {
  const content = storedGzip(new TextEncoder().encode(report(time)));
  const dataset = { writeDataPoint: () => {} };
  const object = { size: content.byteLength, arrayBuffer: async () => content.buffer };
  const env = {
    D1_DMARC_REPORTS: rehearsalLedger(RUA, { account: "rehearsal" }),
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

/** As reporters write them: now with line breaks, now without. */
function report(time: number): string {
  const begin = RECEIVED_SECONDS - 2 * 86_400;
  const text = `<?xml version="1.0" encoding="UTF-8"?>
<feedback>
  <version>1.0</version>
  <report_metadata><org_name>Rehearsal</org_name><email>dmarc@example.invalid</email><extra_contact_info>-</extra_contact_info>
    <report_id>rehearsal-${time}</report_id><date_range><begin>${begin}</begin><end>${begin + 86_399}</end></date_range></report_metadata>
  <policy_published><domain>example.com</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct></policy_published>
  ${["192.0.2.1", "198.51.100.7", "2001:db8::1", "203.0.113.9"].map(recordText).join("\n  ")}
</feedback>
`;
  return time % 2 === 0 ? text : text.replaceAll(/\n */g, "");
}

function recordText(address: string, i: number): string {
  const result = i % 2 === 0 ? "pass" : "fail";
  return `<record>
    <row><source_ip>${address}</source_ip><count>${i + 1}</count>
      <policy_evaluated><disposition>none</disposition><dkim>${result}</dkim><spf>${result}</spf></policy_evaluated></row>
    <identifiers><envelope_from>bounce.example.com</envelope_from><header_from>example.com</header_from></identifiers>
    <auth_results><dkim><domain>example.com</domain><selector>s1</selector><result>${result}</result></dkim>
      <spf><domain>bounce.example.com</domain><scope>mfrom</scope><result>${result}</result></spf></auth_results>
  </record>`;
}

/** A gzip file (RFC 1952) of one stored block (RFC 1951 section 3.2.4): nothing here compresses. */
function storedGzip(content: Uint8Array): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(10 + 5 + content.byteLength + 8);
  const view = new DataView(file.buffer);
  file.set([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 1]);
  view.setUint16(11, content.byteLength, true);
  view.setUint16(13, ~content.byteLength & 0xffff, true);
  file.set(content, 15);
  view.setUint32(15 + content.byteLength, crc32(content), true);
  view.setUint32(19 + content.byteLength, content.byteLength, true);
  return file;
}
