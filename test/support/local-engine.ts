/** Support: the local Analytics Engine in a folder of its own, and rows written to it as process writes them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startAnalytics } from "../../local/analytics/start.ts";
import { buildPoint, DATASETS, type DatasetId, type RowInput } from "../../shared/analytics/columns.ts";
import type { SqlConnection } from "../../shared/analytics/sql.ts";

export interface TestEngine {
  connection: SqlConnection;
  /** Variables of a dashboard that asks it. */
  variables: { ANALYTICS_SQL_URL: string; ANALYTICS_ACCOUNT_ID: string; ANALYTICS_API_TOKEN: string };
  /** Stores the rows; they can be queried when it resolves. */
  write<D extends DatasetId>(dataset: D, rows: RowInput<D>[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts an engine without any dataset. */
export async function startTestEngine(): Promise<TestEngine> {
  const stateDir = await mkdtemp(join(tmpdir(), "dmarc-engine-"));
  const token = "test-engine-token";
  const engine = await startAnalytics({ stateDir, port: 0, token });
  return {
    connection: { baseUrl: `${engine.url}/client/v4`, accountId: "local", token },
    variables: {
      ANALYTICS_SQL_URL: `${engine.url}/client/v4`,
      ANALYTICS_ACCOUNT_ID: "local",
      ANALYTICS_API_TOKEN: token,
    },
    async write(dataset, rows) {
      const points = rows.map((row) => {
        const { indexes, blobs, doubles } = buildPoint(dataset, row);
        return { index: indexes[0] ?? "", blobs, doubles };
      });
      const response = await fetch(`${engine.url}/local/points`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ dataset: DATASETS[dataset].name, points }),
      });
      if (!response.ok) throw new Error(`The engine did not store the points: ${await response.text()}`);
    },
    async stop() {
      await engine.stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/** A record's row; what a test cares for is given. */
export function recordRow(given: Partial<RowInput<"records">>): RowInput<"records"> {
  return {
    reportUid: "uid-1",
    account: "acme",
    domain: "acme.example",
    reporter: "reporter.example",
    reportId: "1",
    sourceIp: "192.0.2.1",
    disposition: "none",
    dkim: "pass",
    spf: "fail",
    headerFrom: "acme.example",
    envelopeFrom: "acme.example",
    envelopeTo: "",
    dkimResults: "",
    spfResults: "",
    reasons: "",
    policy: "p=none",
    authDomain: "acme.example",
    generation: 1,
    ordinal: 0,
    count: 1,
    beginSeconds: 1_700_000_000,
    endSeconds: 1_700_086_399,
    receivedSeconds: 1_700_090_000,
    passed: 1,
    live: 1,
    ...given,
  };
}

/** An event's row; what a test cares for is given. */
export function eventRow(given: Partial<RowInput<"events">>): RowInput<"events"> {
  return {
    eventId: "uid-1 raw/1",
    account: "acme",
    rua: "dmarc@acme.example",
    outcome: "accepted",
    kind: "aggregate",
    code: "",
    domain: "acme.example",
    reporter: "reporter.example",
    rawKey: "raw/1",
    part: "",
    generation: 1,
    receivedSeconds: 1_700_090_000,
    processedSeconds: 1_700_090_001,
    records: 1,
    skippedRecords: 0,
    messages: 1,
    attempts: 1,
    latencySeconds: 1,
    ...given,
  };
}

/** A TLS point of a policy; what a test cares for is given. */
export function tlsRow(given: Partial<RowInput<"tls">>): RowInput<"tls"> {
  return {
    reportUid: "t1",
    account: "acme",
    domain: "acme.example",
    reporter: "reporter.example",
    reportId: "1",
    scope: "policy",
    policyType: "sts",
    mxHosts: "mx.acme.example",
    resultType: "",
    sendingMtaIp: "",
    receivingMxHostname: "",
    receivingIp: "",
    failureReasonCode: "",
    generation: 1,
    ordinal: 0,
    successfulSessions: 90,
    failedSessions: 3,
    detailSessions: 0,
    receivedSeconds: 1_700_090_000,
    live: 1,
    beginSeconds: 1_700_000_000,
    endSeconds: 1_700_086_399,
    ...given,
  };
}

/** A failure report's row; what a test cares for is given. */
export function failureRow(given: Partial<RowInput<"failures">>): RowInput<"failures"> {
  return {
    reportUid: "f1",
    account: "acme",
    domain: "acme.example",
    sourceIp: "192.0.2.66",
    authFailure: "dmarc",
    deliveryResult: "reject",
    identityAlignment: "none",
    dkimDomain: "",
    dkimSelector: "",
    spfDomain: "",
    mailFromDomain: "",
    reportingMta: "mta.example",
    generation: 1,
    ordinal: 0,
    incidents: 2,
    arrivalSeconds: 1_700_000_000,
    receivedSeconds: 1_700_090_000,
    live: 1,
    ...given,
  };
}
