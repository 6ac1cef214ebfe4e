/**
 * Accepted reports on their way to targets, over the simulated platform and a real HTTP server that answers as the real ones do: at
 * least once, with a stable id, whatever fails; never in the way of reports.
 */
import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { AwsV4Signer } from "aws4fetch";
import * as v from "valibot";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Caller } from "../../shared/contract/rpc.ts";
import type { TargetSettings } from "../../shared/forward/target.ts";
import { change } from "../../shared/ledger/database.ts";
import { addForwards } from "../../shared/ledger/forwards.ts";
import { REPORT_KINDS } from "../../shared/ledger/report-rows.ts";
import { FORWARD_LIMITS } from "../../shared/limits.ts";
import { OPERATOR } from "../../shared/people.ts";
import { attemptRequest } from "../../workers/process/forward/request.ts";
import { runForward } from "../../workers/process/forward/run.ts";
import {
  createTarget,
  deleteTarget,
  enqueueForwards,
  listTargets,
  retryTarget,
  testTarget,
} from "../../workers/process/forward/targets.ts";
import { startJob } from "../../workers/process/jobs/start-job.ts";
import { takeBackReport } from "../../workers/process/operations/take-back.ts";
import { countingLedger } from "../support/counting-ledger.ts";
import { listenLocally } from "../support/ports.ts";
import { sampleTlsReport } from "../support/sample-report.ts";
import {
  mailOf,
  records,
  registerAll,
  registeredSimulation,
  reportMail,
  smallMail,
} from "../support/simulation/scenario.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";

setUpSimulation();

const CALLER: Caller = { name: "olga@example.net", authority: OPERATOR };
const SECRET = "wJalrXUtnFEMI/K7MDENG";

interface Answer {
  status: number;
  body?: string;
  headers?: Record<string, string>;
  /** The body is begun and never ends. */
  isOpen?: boolean;
}

interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** As Splunk's HTTP Event Collector answers. */
const SPLUNK = {
  success: { status: 200, body: '{"text":"Success","code":0}' },
  invalidToken: { status: 403, body: '{"text":"Invalid token","code":4}' },
  invalidData: { status: 400, body: '{"text":"Invalid data format","code":6,"invalid-event-number":1}' },
  busy: { status: 503, body: '{"text":"Server is busy","code":9}' },
} satisfies Record<string, Answer>;

/** As S3 answers. */
const s3Error = (status: number, code: string): Answer => ({
  status,
  headers: { "content-type": "application/xml" },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>Said so.</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>`,
});

let simulation: Simulation;
let server: Server;
let received: Received[];
let answer: (request: Received) => Answer | "hang" | "cut";

beforeEach(async () => {
  simulation = registeredSimulation();
  received = [];
  answer = () => ({ status: 200 });
  server = createServer(async (request, response) => {
    const one = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: await text(request),
    };
    received.push(one);
    const given = answer(one);
    if (given === "hang") return;
    if (given === "cut") return void request.socket.destroy();
    response.writeHead(given.status, given.headers);
    if (given.isOpen === true) response.write(given.body);
    else response.end(given.body);
  });
  simulation.webhookOrigin = `http://127.0.0.1:${await listenLocally(server)}`;
});

afterEach(() => {
  server.close();
  server.closeAllConnections();
});

async function add(settings: Partial<TargetSettings> = {}, account = "acme") {
  const target = {
    account,
    kind: "http" as const,
    name: "SIEM",
    url: `${simulation.webhookOrigin}/in`,
    secret: "",
    region: "",
    accessKeyId: "",
    withRecords: true,
    ...settings,
  };
  const added = await createTarget(target, { invocation: simulation.invocation(), caller: CALLER });
  if (!added.ok) throw new Error(added.error.message);
  return added.value;
}

const splunk = (settings: Partial<TargetSettings> = {}) =>
  add({ kind: "splunk", url: simulation.webhookOrigin, secret: "hec-token", ...settings });
const s3 = () =>
  add({
    kind: "s3",
    url: `${simulation.webhookOrigin}/lake/dmarc`,
    secret: SECRET,
    accessKeyId: "AKIA",
    region: "auto",
  });

async function deliver(...mails: ReturnType<typeof reportMail>[]): Promise<void> {
  for (const mail of mails) expect(await simulation.deliver(mail)).toBe("taken");
  await simulation.drain();
}

/** Cron and the queue, every minute for some minutes. */
async function minutes(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) {
    await enqueueForwards(simulation.invocation());
    await simulation.drain();
    simulation.clock.nowMilliseconds += 60_000;
    vi.setSystemTime(simulation.clock.nowMilliseconds);
  }
}

const listed = async () => (await listTargets(simulation.invocation())).items;

interface Event {
  schemaVersion: number;
  type: string;
  id: string;
  part: number;
  parts: number;
  report: Record<string, unknown>;
  records?: { ordinal: number; messages: number }[];
  policies?: object[];
  missing?: string;
}

const events = (): Event[] => received.map(({ body }) => JSON.parse(body));

describe("an HTTP endpoint", () => {
  it("gets each accepted report once, signed, with its records", async () => {
    const { secret } = await add();
    await deliver(...smallMail().mails);
    await minutes(3);
    const [head] = received;
    expect(
      events()
        .map(({ report }) => report.reportId)
        .sort(),
    ).toEqual(["", "first", "second", "third"]);
    const first = events().find(({ report }) => report.reportId === "first");
    expect(first).toMatchObject({
      schemaVersion: 1,
      type: "report",
      part: 1,
      parts: 1,
      report: {
        account: "acme",
        kind: "aggregate",
        domain: "acme.example",
        records: 3,
        total: 6,
        policy: { p: "none" },
      },
      records: [
        { ordinal: 0, messages: 1, sourceIp: "192.0.0.0", isPass: true },
        { ordinal: 1, messages: 2 },
        { ordinal: 2, messages: 3 },
      ],
    });
    const [, t = "", v1 = ""] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(head?.headers["dmarc-signature"])) ?? [];
    expect(createHmac("sha256", secret).update(`${t}.${head?.body}`).digest("hex")).toBe(v1);
    expect(head?.headers["dmarc-delivery"]).toBe(`${events()[0]?.id}-1`);
    expect(await listed()).toMatchObject([{ sent: 4, waiting: 0, failed: 0, result: "Answered 200." }]);
  });

  it("gets no reprocessed report with the same content, none of other accounts and none taken back", async () => {
    await add({ withRecords: false });
    await deliver(reportMail("one", records(2)), reportMail("other's", records(2), "rua@other.example"));
    await minutes();
    expect(events().map(({ report }) => report.reportId)).toEqual(["one"]);
    expect(events()[0]?.records).toBeUndefined();
    await startJob({ kind: "reprocess", random: 0.5 }, {}, simulation.invocation());
    await simulation.drain();
    await minutes(2);
    expect(received).toHaveLength(1);
    await deliver(reportMail("back", records(1)));
    const [row] = simulation.rows<{ day: number; uid: string }>(
      "SELECT day, lower(hex(uid)) AS uid FROM reports WHERE report_id = 'back'",
    );
    const reference = {
      account: "acme",
      kind: "aggregate" as const,
      domain: "acme.example",
      day: row?.day ?? 0,
      uid: row?.uid ?? "",
    };
    await takeBackReport(reference, { by: "a test", reason: "a test" }, simulation.invocation());
    await minutes(2);
    expect(received).toHaveLength(1);
    expect(await listed()).toMatchObject([{ waiting: 0 }]);
  });

  it("gets every record of a large report in parts, continuing where it was", async () => {
    const count = FORWARD_LIMITS.recordsPerPart * (FORWARD_LIMITS.requestsPerRun + 1) + 7;
    await add();
    await deliver(reportMail("large", records(count)));
    let calls = 0;
    answer = () => (++calls === 3 ? { status: 503, headers: { "retry-after": "90" } } : { status: 200 });
    await minutes();
    expect(received).toHaveLength(3);
    await minutes(5);
    const taken = events().filter((_, i) => i !== 2);
    expect(taken.map(({ part }) => part)).toEqual(
      Array.from({ length: FORWARD_LIMITS.requestsPerRun + 2 }, (_, i) => i + 1),
    );
    const ordinals = taken.flatMap((event) => event.records?.map(({ ordinal }) => ordinal) ?? []);
    expect(ordinals).toEqual(Array.from({ length: count }, (_, i) => i));
    expect(Math.max(...received.map(({ body }) => body.length))).toBeLessThan(1_000_000);
    expect(await listed()).toMatchObject([{ sent: 1, waiting: 0 }]);
  }, 60_000);

  it("gets a report once if its file gives fewer records than the ledger has, with a note about it", async () => {
    await add();
    await deliver(reportMail("fewer", records(FORWARD_LIMITS.recordsPerPart + 7)));
    // As a version had read it that counted more of its records.
    simulation.ledger.sqlite.exec(`UPDATE reports SET records = ${3 * FORWARD_LIMITS.recordsPerPart}`);
    await minutes(5);
    expect(events().map(({ part, parts, missing }) => [part, parts, missing])).toEqual([
      [1, 3, undefined],
      [2, 3, "The file gives fewer records than were counted."],
    ]);
    expect(events().flatMap((event) => event.records?.map(({ ordinal }) => ordinal) ?? [])).toHaveLength(
      FORWARD_LIMITS.recordsPerPart + 7,
    );
    expect(await listed()).toMatchObject([{ sent: 1, waiting: 0 }]);
  });

  it("has a report wait that only a newer version knows, and says so, without a message a minute", async () => {
    await add();
    await deliver(reportMail("known", records(1)));
    await deliver(reportMail("newer", records(1)));
    simulation.ledger.sqlite.exec(
      "UPDATE forwards SET kind = 'aNewerKind' WHERE uid = (SELECT uid FROM reports WHERE report_id = 'newer')",
    );
    await minutes();
    expect(events().map(({ report }) => report.reportId)).toEqual(["known"]);
    const problem = "What waits is of a kind that only a newer version knows: deploy that one again, and it is sent.";
    expect(await listed()).toMatchObject([{ sent: 1, waiting: 1, problem }]);
    expect(await enqueueForwards(simulation.invocation())).toBe(0);
    // Nor is it given up with others while the target does not answer.
    simulation.clock.nowMilliseconds += (FORWARD_LIMITS.giveUpSeconds + 60) * 1000;
    answer = () => ({ status: 503 });
    await deliver(reportMail("another", records(1)));
    await minutes();
    expect(await listed()).toMatchObject([{ waiting: 2, failed: 0 }]);
    answer = () => ({ status: 200 });
    simulation.ledger.sqlite.exec("UPDATE forwards SET kind = 'aggregate'");
    await minutes(5);
    expect(await listed()).toMatchObject([{ sent: 3, waiting: 0, problem: "" }]);
  });

  it("gets the policies of TLS reports", async () => {
    await add();
    await deliver(mailOf([{ name: "tls.json", content: Buffer.from(sampleTlsReport("acme.example", "2026-11-10")) }]));
    await minutes();
    expect(events()).toMatchObject([{ report: { kind: "tls", total: 6 }, policies: [{ policyType: "sts" }] }]);
  });

  it("is retried with growing delays, or as it asks", async () => {
    await add();
    answer = () => ({ status: 429, headers: { "retry-after": "600" } });
    await deliver(reportMail("one", records(1)), reportMail("two", records(1)));
    await minutes(10);
    // The others wait as well: one request says that it takes nothing now.
    expect(received).toHaveLength(1);
    expect(await listed()).toMatchObject([{ failures: 1, waiting: 2, result: "Answered 429." }]);
    answer = () => "cut";
    await minutes(60);
    expect(received.length).toBeLessThan(12);
    answer = () => ({ status: 204 });
    await minutes(61);
    expect(await listed()).toMatchObject([{ failures: 0, waiting: 0, sent: 2 }]);
  });

  it("that is down for more than a week has failed reports, which can be sent again", async () => {
    const { id } = await add();
    answer = () => ({ status: 500 });
    await deliver(reportMail("one", records(1)));
    await minutes();
    simulation.clock.nowMilliseconds += (FORWARD_LIMITS.giveUpSeconds + 60) * 1000;
    await minutes();
    expect(await listed()).toMatchObject([{ waiting: 0, failed: 1 }]);
    answer = () => ({ status: 200 });
    await retryTarget({ id }, { invocation: simulation.invocation(), caller: CALLER });
    await simulation.drain();
    expect(await listed()).toMatchObject([{ waiting: 0, failed: 0, sent: 1 }]);
  });

  it("that refuses one report still gets the others", async () => {
    await add();
    answer = ({ body }) => (body.includes('"two"') ? { status: 413 } : { status: 200 });
    await deliver(...["one", "two", "three"].map((id) => reportMail(id, records(1))));
    await minutes(2);
    expect(await listed()).toMatchObject([{ sent: 2, waiting: 1, failures: 0, problem: "Answered 413." }]);
  });

  it("that does not answer times out and delays nothing", async () => {
    vi.spyOn(AbortSignal, "timeout").mockImplementation(() => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(new DOMException("It timed out", "TimeoutError")), 50);
      return controller.signal;
    });
    await add();
    answer = () => "hang";
    await deliver(reportMail("one", records(1)));
    await minutes();
    expect(received).toHaveLength(1);
    expect(await listed()).toMatchObject([{ failures: 1, result: expect.stringContaining("No answer") }]);
    await deliver(reportMail("two", records(1)));
    expect(simulation.rows("SELECT 1 FROM reports")).toHaveLength(2);
    vi.mocked(AbortSignal.timeout).mockRestore();
  });

  it("that answers slowly delays a message for a limited time", async () => {
    const { id } = await add();
    await deliver(...["one", "two", "three"].map((name) => reportMail(name, records(1))));
    const timeouts = vi.spyOn(AbortSignal, "timeout");
    let clock = 0;
    answer = () => {
      clock += 0.6 * FORWARD_LIMITS.beginMilliseconds;
      return { status: 200 };
    };
    const run = await runForward(id, simulation.invocation(), () => clock);
    expect(run).toEqual({ outcome: "more", sent: 2, requests: 2 });
    const { runMilliseconds, beginMilliseconds } = FORWARD_LIMITS;
    expect(timeouts.mock.calls).toEqual([[runMilliseconds], [runMilliseconds - 0.6 * beginMilliseconds]]);
    timeouts.mockRestore();
    await simulation.drain();
    expect(received).toHaveLength(3);
  });

  it("gets a report again if it was accepted again while being sent, even in the same second", async () => {
    await add();
    await deliver(reportMail("one", records(1)));
    const [row] = simulation.rows(
      "SELECT account, kind, domain, day, lower(hex(uid)) AS uid, created_seconds AS addedSeconds FROM forwards",
    );
    const { addedSeconds, ...reference } = v.parse(
      v.object({
        account: v.string(),
        kind: v.picklist(REPORT_KINDS),
        domain: v.string(),
        day: v.number(),
        uid: v.string(),
        addedSeconds: v.number(),
      }),
      row,
    );
    let added: Promise<unknown> = Promise.resolve();
    answer = () => {
      if (received.length === 1) {
        added = change(simulation.ledger, [addForwards([reference], addedSeconds)]);
      }
      return { status: 200 };
    };
    await minutes(3);
    await added;
    expect(received).toHaveLength(2);
    expect(await listed()).toMatchObject([{ waiting: 0 }]);
  });

  it("gets nothing twice from repeated messages, and loses nothing with a lost message", async () => {
    await add();
    await deliver(reportMail("one", records(1)));
    await enqueueForwards(simulation.invocation());
    await enqueueForwards(simulation.invocation());
    await simulation.drain({ repeats: () => true, rounds: 6 });
    expect(received).toHaveLength(1);
    await deliver(reportMail("two", records(1)));
    simulation.queues["dmarc-points"].messages.length = 0;
    await minutes(2);
    expect(received).toHaveLength(2);
  });

  it("gets a report again with the same id if recording its delivery failed", async () => {
    await add();
    await deliver(reportMail("one", records(1)));
    simulation.ledger.sqlite.exec(
      "CREATE TRIGGER broken BEFORE DELETE ON forwards BEGIN SELECT RAISE(ABORT, 'it cannot be noted'); END",
    );
    await enqueueForwards(simulation.invocation());
    await simulation.drain({ rounds: 1 });
    simulation.ledger.sqlite.exec("DROP TRIGGER broken");
    await simulation.drain();
    await minutes(5);
    expect(received.length).toBeGreaterThan(1);
    expect(new Set(received.map(({ headers }) => headers["dmarc-delivery"])).size).toBe(1);
    expect(await listed()).toMatchObject([{ waiting: 0 }]);
  });
});

describe("Splunk", () => {
  it("gets several reports in one request, and each record as a separate event if configured", async () => {
    await splunk({ withRecords: false });
    await deliver(...["one", "two", "three"].map((id) => reportMail(id, records(2))));
    await minutes();
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      path: "/services/collector/event",
      headers: { authorization: "Splunk hec-token" },
    });
    const together = received[0]?.body.split("\n").map((line) => JSON.parse(line)) ?? [];
    expect(together.map(({ sourcetype }) => sourcetype)).toEqual(Array(3).fill("dmarc:report"));
    await splunk();
    received.length = 0;
    await deliver(reportMail("four", records(2)));
    await minutes();
    const withRecords = received.find(({ body }) => body.includes("dmarc:record"))?.body.split("\n") ?? [];
    expect(withRecords.map((line) => JSON.parse(line).sourcetype)).toEqual([
      "dmarc:report",
      "dmarc:record",
      "dmarc:record",
    ]);
    expect(JSON.parse(withRecords[1] ?? "")).toMatchObject({
      time: 1_700_086_399,
      event: { type: "record", id: expect.stringMatching(/^[0-9a-f]{32}-0$/), domain: "acme.example", messages: 1 },
    });
  });

  it("gets events one by one after it refused several, but not if it is busy or the token is wrong", async () => {
    await splunk({ withRecords: false });
    answer = ({ body }) => (body.includes('"two"') ? SPLUNK.invalidData : SPLUNK.success);
    await deliver(...["one", "two", "three"].map((id) => reportMail(id, records(1))));
    await minutes(3);
    expect(await listed()).toMatchObject([
      { sent: 2, waiting: 1, problem: expect.stringContaining("Invalid data format") },
    ]);
    answer = () => SPLUNK.busy;
    await minutes(3);
    expect(await listed()).toMatchObject([{ waiting: 1, result: expect.stringContaining("Server is busy") }]);
    answer = () => SPLUNK.invalidToken;
    await minutes(10);
    expect(await listed()).toMatchObject([{ waiting: 1, result: expect.stringContaining("Invalid token") }]);
  });
});

describe("an S3-compatible bucket", () => {
  it("gets one object per report, always under the same key, with an AWS signature", async () => {
    await s3();
    answer = () => (received.length === 1 ? s3Error(503, "SlowDown") : { status: 200, headers: { etag: '"1"' } });
    await deliver(reportMail("one", records(2)));
    await minutes(3);
    const [first, second] = received;
    expect(received).toHaveLength(2);
    expect(second).toMatchObject({ method: "PUT", path: first?.path });
    expect(second?.path).toMatch(/^\/lake\/dmarc\/acme\/acme\.example\/2023-11-15\/[0-9a-f]{32}\.json$/);
    expect(JSON.parse(second?.body ?? "")).toMatchObject({ type: "report", records: [{ ordinal: 0 }, { ordinal: 1 }] });
    const signer = new AwsV4Signer({
      method: "PUT",
      url: simulation.webhookOrigin + second?.path,
      headers: { "content-type": "application/json" },
      accessKeyId: "AKIA",
      secretAccessKey: SECRET,
      service: "s3",
      region: "auto",
      datetime: String(second?.headers["x-amz-date"]),
    });
    const expected = await signer.sign();
    expect(second?.headers.authorization).toBe(expected.headers.get("authorization"));
  });

  it("says why it refuses everything", async () => {
    const { id } = await s3();
    answer = () => s3Error(403, "SignatureDoesNotMatch");
    await deliver(reportMail("one", records(1)));
    await minutes();
    expect(await listed()).toMatchObject([{ failures: 1, result: expect.stringContaining("SignatureDoesNotMatch") }]);
    const tested = await testTarget({ id }, { invocation: simulation.invocation(), caller: CALLER });
    expect(tested).toMatchObject({ ok: true, value: { isTaken: false } });
  });
});

describe("what an answer means", () => {
  const HTML = "<!doctype html><title>Sign in</title>";
  const xml = (code: string) => s3Error(200, code);
  const moved = { location: "https://new.example.com/in?token=t" };

  it.each<[TargetSettings["kind"], string, Answer, "taken" | "refused" | "failed", string]>([
    ["http", "created", { status: 201 }, "taken", "Answered 201."],
    ["http", "accepted", { status: 202, body: "queued" }, "taken", "Answered 202."],
    ["http", "no content", { status: 204 }, "taken", "Answered 204."],
    [
      "http",
      "moved",
      { status: 301, headers: moved },
      "failed",
      "it redirects to https://new.example.com/in, which is",
    ],
    ["http", "temporarily moved", { status: 307, headers: moved }, "failed", "Enter the address it leads to"],
    ["http", "moved to nowhere", { status: 302 }, "failed", "Answered 302: it redirects, which is not followed."],
    ["http", "malformed", { status: 400, body: "no such field" }, "refused", "Answered 400: no such field"],
    ["http", "who are you", { status: 401 }, "failed", "Answered 401."],
    ["http", "forbidden", { status: 403, body: "WAF\n\n  rule 7" }, "failed", "Answered 403: WAF rule 7"],
    ["http", "not found", { status: 404, body: HTML }, "failed", "Answered 404: <!doctype html>"],
    ["http", "late", { status: 408 }, "failed", "Answered 408."],
    ["http", "gone", { status: 410 }, "failed", "Answered 410."],
    ["http", "too large", { status: 413 }, "refused", "Answered 413."],
    ["http", "not to be processed", { status: 422 }, "refused", "Answered 422."],
    ["http", "too many", { status: 429 }, "failed", "Answered 429."],
    ["http", "an error", { status: 500, body: "\u0000\u0007oops" }, "failed", "Answered 500: oops"],
    ["http", "an open body", { status: 200, body: "ok", isOpen: true }, "taken", "Answered 200."],
    ["splunk", "success", SPLUNK.success, "taken", "Answered 200."],
    [
      "splunk",
      "success with other members",
      { status: 200, body: '{"code" : 0, "ackId": 7}' },
      "taken",
      "Answered 200.",
    ],
    ["splunk", "nothing", { status: 200 }, "taken", "Answered 200."],
    ["splunk", "an error with status 200", { status: 200, body: '{"text":"No data","code":5}' }, "refused", "No data"],
    ["splunk", "busy with status 200", { status: 200, body: '{"text":"Server is busy","code":9}' }, "failed", "busy"],
    [
      "splunk",
      "a page",
      { status: 200, body: HTML },
      "failed",
      "It is not the answer of Splunk's HTTP Event Collector.",
    ],
    [
      "splunk",
      "a wrong index",
      { status: 400, body: '{"text":"Incorrect index","code":7}' },
      "failed",
      "Incorrect index",
    ],
    [
      "splunk",
      "no channel",
      { status: 400, body: '{"text":"Data channel is missing","code":10}' },
      "failed",
      "channel",
    ],
    ["splunk", "invalid data", SPLUNK.invalidData, "refused", "Invalid data format"],
    ["splunk", "an invalid token", SPLUNK.invalidToken, "failed", "Invalid token"],
    ["splunk", "too large, from a proxy", { status: 413, body: HTML }, "refused", "Answered 413"],
    ["s3", "nothing", { status: 200 }, "taken", "Answered 200."],
    ["s3", "an error with status 200", xml("InternalError"), "failed", "InternalError"],
    ["s3", "the page of a console", { status: 200, body: HTML }, "failed", "It is not the answer of a bucket."],
    ["s3", "no bucket", s3Error(404, "NoSuchBucket"), "failed", "NoSuchBucket"],
    ["s3", "no right", s3Error(403, "AccessDenied"), "failed", "AccessDenied"],
    ["s3", "too large", s3Error(400, "EntityTooLarge"), "refused", "EntityTooLarge"],
    ["s3", "another region", { ...s3Error(301, "PermanentRedirect") }, "failed", "PermanentRedirect"],
  ])("%s, %s", async (kind, _, given, outcome, said) => {
    const target = { kind, secret: SECRET };
    answer = () => given;
    const request = new Request(`${simulation.webhookOrigin}/in`, { method: "POST", body: "{}" });
    const found = await attemptRequest(request, target, { timeoutMilliseconds: 2000, nowSeconds: 0 });
    expect(found.outcome).toBe(outcome);
    expect(found.result).toContain(said);
    expect(found.result.length).toBeLessThanOrEqual(FORWARD_LIMITS.resultChars);
  });

  it("is read from all its pieces, without what it repeats of the secret, and as far as it comes", async () => {
    const request = () => new Request(`${simulation.webhookOrigin}/in`, { method: "POST", body: "{}" });
    const attempt = (kind: "splunk" | "http") =>
      attemptRequest(request(), { kind, secret: SECRET }, { timeoutMilliseconds: 300, nowSeconds: 0 });
    answer = () => ({ status: 403, body: `You sent Splunk ${SECRET}` });
    expect((await attempt("http")).result).toBe("Answered 403: You sent Splunk …");
    // The answer has come, and only its end has not.
    answer = () => ({ status: 200, body: '{"text":"Success","code":0}', isOpen: true });
    expect((await attempt("splunk")).outcome).toBe("taken");
    answer = () => ({ status: 503, body: "wait", isOpen: true });
    expect(await attempt("http")).toMatchObject({ outcome: "failed", result: "Answered 503: wait" });
  });

  it.each([
    ["120", 120],
    ["0", 1],
    ["Thu, 01 Jan 1970 00:05:00 GMT", 300],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 1],
    ["1.5", 2],
    ["999999999", FORWARD_LIMITS.maxRetrySeconds],
    ["soon", undefined],
    ["-5", 1],
    ["", undefined],
  ])("Retry-After: %s is %s seconds", async (named, seconds) => {
    answer = () => ({ status: 429, headers: { "retry-after": named } });
    const request = new Request(`${simulation.webhookOrigin}/in`, { method: "POST", body: "{}" });
    const found = await attemptRequest(
      request,
      { kind: "http", secret: "" },
      { timeoutMilliseconds: 2000, nowSeconds: 0 },
    );
    expect(found.retryAfterSeconds).toBe(seconds);
  });
});

describe("targets", () => {
  it("for all accounts get the reports of every database", async () => {
    const origin = simulation.webhookOrigin;
    simulation = new Simulation({ shards: 3 });
    simulation.webhookOrigin = origin;
    registerAll(simulation);
    await add({}, "");
    await deliver(reportMail("one", records(1)), reportMail("two", records(1), "rua@other.example"));
    await minutes();
    expect(
      events()
        .map(({ report }) => report.account)
        .sort(),
    ).toEqual(["acme", "other"]);
    expect(await listed()).toMatchObject([{ account: "", sent: 2, waiting: 0 }]);
  });

  it("for all accounts get the reports of a database that was added later, too", async () => {
    const origin = simulation.webhookOrigin;
    simulation = new Simulation({ shards: 2 });
    simulation.webhookOrigin = origin;
    simulation.unbind(1);
    const { id } = await add({ kind: "splunk", secret: SECRET }, "");
    simulation.bindAll();
    await minutes();
    const settings = `SELECT id, account, kind, name, url, region, access_key_id, secret, with_records, created_seconds, created_by
      FROM forward_targets`;
    const [first, second] = simulation.ledgers.map(({ sqlite }) => sqlite.prepare(settings).all());
    expect(second).toEqual(first);
    expect(first).toMatchObject([{ id, kind: "splunk", with_records: 1, created_by: "olga@example.net" }]);
    // The first account lives in the second database.
    registerAll(simulation);
    answer = () => SPLUNK.success;
    await deliver(reportMail("one", records(1)));
    await minutes();
    expect(received.map(({ headers }) => headers.authorization)).toEqual([`Splunk ${SECRET}`]);
    expect(await listed()).toMatchObject([{ id, account: "", sent: 1, waiting: 0 }]);
    await deleteTarget({ id }, { invocation: simulation.invocation(), caller: CALLER });
    await minutes();
    expect(await listed()).toEqual([]);
  });

  it("for all accounts, as many as there may be, take few queries a minute however many databases there are", async () => {
    const origin = simulation.webhookOrigin;
    simulation = new Simulation({ shards: 10 });
    simulation.webhookOrigin = origin;
    for (let i = 0; i < 9; i++) simulation.unbind(9 - i);
    for (let i = 0; i < FORWARD_LIMITS.targetsPerAccount; i++) await add({ name: `SIEM ${i}` }, "");
    simulation.bindAll();
    const invocation = simulation.invocation();
    const counted = invocation.shards.all.map(countingLedger);
    const [first, ...others] = counted.map(({ ledger }) => ledger);
    if (first === undefined) throw new Error("There is no database.");
    const all = [first, ...others];
    const shards = { all, directory: first, of: (shard: number) => all[shard] ?? first };
    for (let minute = 0; minute < 9; minute++) {
      await enqueueForwards({ ...invocation, shards, nowSeconds: invocation.nowSeconds + minute * 60 });
    }
    const queries = counted.reduce((sum, one) => sum + one.queries, 0);
    expect(queries / 9).toBeLessThan(2 * all.length + FORWARD_LIMITS.targetsPerAccount);
    const targets = simulation.ledgers.map(
      ({ sqlite }) => sqlite.prepare("SELECT id FROM forward_targets").all().length,
    );
    expect(targets).toEqual(Array.from({ length: 10 }, () => FORWARD_LIMITS.targetsPerAccount));
  });

  it("show no secret, and must be public https addresses", async () => {
    await s3();
    expect(JSON.stringify(await listed())).not.toContain(SECRET);
    const wrong = async (settings: Partial<TargetSettings>) => expect(add(settings)).rejects.toThrow();
    await wrong({ url: "http://siem.example/" });
    await wrong({ url: "https://10.0.0.1/" });
    await wrong({ url: "https://user:pass@siem.example/" });
    await wrong({ kind: "splunk", url: "https://splunk.example" });
    await wrong({ kind: "s3", url: "https://s3.example/bucket", secret: "x" });
  });

  it("are limited in number, can be tested, and are removed with what waits", async () => {
    const { id } = await add();
    expect(await testTarget({ id }, { invocation: simulation.invocation(), caller: CALLER })).toMatchObject({
      value: { isTaken: true },
    });
    expect(events()).toMatchObject([{ type: "test", schemaVersion: 1 }]);
    await deliver(reportMail("one", records(1)));
    expect(await listed()).toMatchObject([{ waiting: 1 }]);
    await deleteTarget({ id }, { invocation: simulation.invocation(), caller: CALLER });
    expect(simulation.rows("SELECT 1 FROM forwards")).toEqual([]);
    for (let i = 0; i < FORWARD_LIMITS.targetsPerAccount; i++) await add();
    await expect(add()).rejects.toThrow("as many as may be");
  });
});
