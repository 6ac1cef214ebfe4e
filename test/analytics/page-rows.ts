/** Support: what the tests of the pages' statements are asked about: two accounts, deliveries twice, readings that changed. */
import type { Query, Scope } from "../../shared/analytics/collapse.ts";
import type { RowInput } from "../../shared/analytics/columns.ts";
import { querySql } from "../../shared/analytics/sql.ts";
import { eventRow, failureRow, recordRow, startTestEngine, type TestEngine, tlsRow } from "./local-engine.ts";

export const DAY = 20_000;
export const at = (day: number) => ({ beginSeconds: day * 86_400, endSeconds: day * 86_400 + 86_399 });
export const SERVICE = "mx.sender.test k1 pass";
export const SCOPE: Scope = { accounts: ["acme"], domains: ["acme.example"], firstDay: DAY, lastDay: DAY + 5 };

/** A local engine with the rows below, and a way to ask it. */
export interface PageEngine extends TestEngine {
  ask<Row>(query: Query<Row>): Promise<Row[]>;
}

/** Starts the engine; stop it afterwards. */
export async function startPageEngine(): Promise<PageEngine> {
  const engine = await startTestEngine();
  await engine.write("records", RECORDS);
  // Delivered twice, and a first report run again with the same content: nothing may change.
  await engine.write("records", RECORDS.slice(0, 3));
  await engine.write("records", [{ ...first(), generation: 2 }]);
  await engine.write("events", EVENTS);
  await engine.write("tls", TLS);
  await engine.write("failures", FAILURES);
  return {
    ...engine,
    async ask({ sql, read }) {
      const answer = await querySql({ ...engine.connection, isPageStatement: true }, sql, (url, init) =>
        fetch(url, init),
      );
      if (!answer.ok) throw new Error(`${answer.error.message}\n${sql}`);
      return answer.value.rows.map(read);
    },
  };
}

function first(): RowInput<"records"> {
  return recordRow({ ...at(DAY), count: 10, dkimResults: "acme.example s1 pass", spf: "pass", generation: 1 });
}

const OTHER = { account: "other", domain: "other.example" };
const NOTHING = { live: 0, count: 0, passed: 0, sourceIp: "" };
const RECORDS: RowInput<"records">[] = [
  first(),
  recordRow({
    ...at(DAY),
    ordinal: 1,
    count: 4,
    passed: 0,
    dkim: "fail",
    disposition: "quarantine",
    sourceIp: "192.0.2.66",
    authDomain: "",
    dkimResults: "acme.example s1 fail",
    reasons: "forwarded seen",
  }),
  recordRow({
    ...at(DAY + 1),
    reportUid: "uid-2",
    count: 6,
    passed: 0,
    dkim: "fail",
    disposition: "reject",
    sourceIp: "192.0.2.7",
    authDomain: "mx.sender.test",
    dkimResults: SERVICE,
    policy: "p=reject",
  }),
  recordRow({ ...at(DAY - 9), reportUid: "uid-3", count: 100, sourceIp: "192.0.2.66", authDomain: "", passed: 0 }),
  recordRow({ ...at(DAY), reportUid: "uid-4", account: "other", count: 1000, sourceIp: "203.0.113.1" }),
  recordRow({ ...at(DAY), reportUid: "uid-5", account: "other", domain: "other.example", count: 2000 }),
  // Run again: the second reading says something else, or has a record less.
  recordRow({ ...at(DAY), ...OTHER, reportUid: "uid-6", count: 5 }),
  recordRow({ ...at(DAY), ...OTHER, reportUid: "uid-6", count: 7, passed: 0, sourceIp: "203.0.113.7", generation: 2 }),
  recordRow({ ...at(DAY), ...OTHER, reportUid: "uid-6", ordinal: 1, count: 9, sourceIp: "203.0.113.9" }),
  recordRow({ ...at(DAY), ...OTHER, ...NOTHING, reportUid: "uid-6", ordinal: 1, generation: 2 }),
  // Stands over a stale record: counts nothing.
  recordRow({ ...at(DAY), reportUid: "uid-2", ordinal: 5, live: 0, count: 0 }),
];

/** When the mails came and were read. */
export const processed = DAY * 86_400 + 60;
const EVENTS: RowInput<"events">[] = [
  eventRow({ processedSeconds: processed, latencySeconds: 4 }),
  eventRow({ processedSeconds: processed, latencySeconds: 4 }),
  eventRow({ eventId: "e2", processedSeconds: processed, latencySeconds: 8 }),
  eventRow({ eventId: "d1", outcome: "dead_letter", processedSeconds: processed }),
  eventRow({ eventId: "d2", outcome: "dead_letter", processedSeconds: processed }),
  eventRow({ eventId: "d2", outcome: "cleared", generation: 2, processedSeconds: processed + 86_400 }),
  eventRow({
    eventId: "d3",
    account: "other",
    domain: "other.example",
    outcome: "conflict",
    processedSeconds: processed,
  }),
];

const TLS_TIME = { ...at(DAY), receivedSeconds: processed };
const MOVER = { reportUid: "t2", account: "mover" };
const ARRIVAL = { arrivalSeconds: processed, receivedSeconds: processed };
const TLS: RowInput<"tls">[] = [
  tlsRow(TLS_TIME),
  tlsRow(TLS_TIME),
  tlsRow({
    ...TLS_TIME,
    ordinal: 1,
    scope: "failure",
    resultType: "certificate-expired",
    successfulSessions: 0,
    failedSessions: 0,
    detailSessions: 3,
  }),
  // About two domains; run again it has a detail less, and its second policy comes first.
  ...["one.example", "two.example"].map((domain, ordinal) => tlsRow({ ...MOVER, ordinal, domain })),
  tlsRow({ ...MOVER, ordinal: 2, domain: "two.example", scope: "failure", detailSessions: 9 }),
  ...["two.example", "one.example"].map((domain, ordinal) => tlsRow({ ...MOVER, ordinal, domain, generation: 2 })),
  tlsRow({ ...MOVER, ordinal: 2, domain: "", generation: 2, live: 0 }),
];
const FAILURES: RowInput<"failures">[] = [
  failureRow(ARRIVAL),
  failureRow(ARRIVAL),
  failureRow({ reportUid: "f2", account: "other" }),
  // Run again, and read to be about another domain.
  failureRow({ reportUid: "f3", account: "mover", domain: "before.example" }),
  failureRow({ reportUid: "f3", account: "mover", domain: "after.example", generation: 2 }),
];
