/** A domain's hosted MTA-STS policy from its page and the API to the file, in workerd: testing, TLS reports, enforce, back, off. */
import { request } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Outputs } from "../../shared/contract/operations.ts";
import { checkDomain } from "../../shared/guidance/domain-check.ts";
import { storedCheckOf } from "../../shared/guidance/stored-check.ts";
import { change } from "../../shared/ledger/database.ts";
import { keepCheck } from "../../shared/ledger/domain-checks.ts";
import { putPolicyChange } from "../../shared/ledger/mta-sts-policies.ts";
import type { TlsReport } from "../../shared/report/vocabulary.ts";
import { commitSamples } from "../support/ledger-fill.ts";
import { TODAY } from "../support/today.ts";
import { API_TOKEN } from "./harness.ts";
import { type Pipeline, startPipeline } from "./pipeline.ts";

const DAY = 86_400;
const NAME = { account: "acme", domain: "acme.example" };
const RUA = "rua@acme.example";
const API = "/domains/acme/acme.example/mta-sts";
const PAGE = "/domains/acme.example/inbound";
const nowSeconds = Math.floor(Date.now() / 1000);
let pipeline: Pipeline;
let reports = 0;

beforeAll(async () => {
  pipeline = await startPipeline();
  await pipeline.ask(`/registry/${RUA}`, "PUT", { account: "acme", domains: ["acme.example"] });
  await check([], nowSeconds - 30 * DAY);
});

/** Keeps a check as DNS would have it. @param tls TXT records at `_smtp._tls` */
async function check(tls: readonly string[], checkedSeconds: number): Promise<void> {
  const zone: Record<string, readonly string[]> = {
    "MX acme.example": ["10 mx.acme.example.", "20 backup.host.example."],
    ...(tls.length === 0 ? {} : { "TXT _smtp._tls.acme.example": tls }),
  };
  const resolver = {
    lookup: async (name: string, type: string) => {
      const records = zone[`${type} ${name}`];
      return records === undefined
        ? { status: "nxdomain" as const }
        : { status: "answers" as const, records: [...records] };
    },
  };
  const fetchPolicy = async () => ({ problem: "none", isUnanswered: false });
  const found = storedCheckOf(await checkDomain("acme.example", { resolver, fetchPolicy, selectors: [] }));
  await change(pipeline.ledger, keepCheck({ ...NAME, checkedSeconds, check: found }, []));
}
afterAll(() => pipeline.close());

async function send(fields: Record<string, string>): Promise<{ status: number; text: string }> {
  const answer = await fetch(pipeline.origin + PAGE, {
    method: "POST",
    redirect: "manual",
    headers: { authorization: `Bearer ${API_TOKEN}`, "content-type": "application/x-www-form-urlencoded" },
    body: String(new URLSearchParams({ account: "acme", ...fields })),
  });
  return { status: answer.status, text: await answer.text() };
}

/** What a sender is given. */
function policyFile(): Promise<{ status: number; text: string }> {
  const { port } = new URL(pipeline.origin);
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const asked = {
    host: "127.0.0.1",
    port,
    path: "/.well-known/mta-sts.txt",
    headers: { host: "mta-sts.acme.example" },
  };
  request(asked, async (answer) => {
    resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(await answer.toArray()).toString() });
  })
    .once("error", reject)
    .end();
  return promise;
}

/** TLS reports of sessions under the policy, one a day. */
async function report(days: readonly number[], failed: number, reporter: string): Promise<void> {
  const samples = days.map((day) => {
    const tls: TlsReport = {
      kind: "tls",
      orgName: reporter,
      contactInfo: "",
      reportId: `${reporter} ${day}`,
      beginSeconds: day * DAY,
      endSeconds: day * DAY + DAY - 1,
      warnings: [],
      omittedWarnings: 0,
      contentHash: "",
      policies: [
        {
          policyType: "sts",
          policyDomain: "acme.example",
          policyStrings: [],
          mxHosts: [],
          successfulSessionCount: 40,
          failedSessionCount: failed,
          failureDetails: [
            {
              resultType: "certificate-expired",
              sendingMtaIp: "",
              receivingMxHostname: "mx.acme.example",
              receivingMxHelo: "",
              receivingIp: "",
              failedSessionCount: failed,
              additionalInformation: "",
              failureReasonCode: "",
            },
          ].filter(() => failed > 0),
        },
      ],
    };
    reports += 1;
    const uid = String(reports).padStart(32, "0");
    return { account: "acme", uid, report: tls, records: [], receivedSeconds: nowSeconds };
  });
  await commitSamples(pipeline.ledger, samples, { nowSeconds });
}

function known(): Promise<Outputs["mtaSts"]> {
  return pipeline.ask(API);
}

it("the form starts with no served policy and the mail hosts filled in", async () => {
  expect(await policyFile()).toMatchObject({ status: 404 });
  expect(await known()).toMatchObject({
    registeredWith: RUA,
    hosted: null,
    isServed: false,
    advice: { code: "off", mode: "testing" },
  });
  const { text } = await pipeline.page(PAGE);
  expect(text).toContain("mx.acme.example\nbackup.host.example</textarea>");
});

it("the form turns it on, and explains an invalid policy above the input", async () => {
  const wrong = await send({ action: "set", mode: "testing", mx: "mx.*.example", max_age: "604800" });
  expect(wrong.status).toBe(422);
  expect(wrong.text).toContain("* may only stand for the first label");
  expect(wrong.text).toContain("mx.*.example</textarea>");
  const done = await send({ action: "set", mode: "testing", mx: "MX.acme.example", max_age: "604800" });
  expect(done.status).toBe(303);
  expect(await policyFile()).toEqual({
    status: 200,
    text: "version: STSv1\r\nmode: testing\r\nmx: mx.acme.example\r\nmax_age: 604800\r\n",
  });
  const { hosted, hosts } = await known();
  expect(hosted).toMatchObject({ changedBy: "API token", record: { name: "_mta-sts.acme.example" } });
  expect(hosts).toEqual([
    { host: "mx.acme.example", isCovered: true },
    { host: "backup.host.example", isCovered: false },
  ]);
  const { text } = await pipeline.page(PAGE);
  expect(text).toContain(hosted?.record.value);
  expect(text).toContain("v=TLSRPTv1; rua=mailto:rua@acme.example");
});

it("the record of TLS reports that is published gets the address added, or is said to be published", async () => {
  const text = async (): Promise<string> => (await pipeline.page(PAGE)).text.replaceAll(/<\/?bdi[^>]*>|<wbr\/?>/g, "");
  await check(["v=TLSRPTv1; rua=mailto:tls@other.example"], nowSeconds - 29 * DAY);
  const added = await text();
  expect(added).toContain("v=TLSRPTv1; rua=mailto:tls@other.example,mailto:rua@acme.example");
  expect(added).toContain("that is there, with this address added");
  await check(["v=TLSRPTv1; rua=mailto:rua@acme.example"], nowSeconds - 28 * DAY);
  expect(await text()).toContain("Published: the record of TLS reports names this address.");
  await check([], nowSeconds - 27 * DAY);
  expect(await text()).toContain("asks for reports of mail to this domain that couldn&#39;t be encrypted");
});

it("a policy that misses a mail host is enforced only if asked for twice", async () => {
  const enforce = { action: "set", mode: "enforce", mx: "mx.acme.example", max_age: "604800" };
  const refused = await send(enforce);
  expect(refused.status).toBe(422);
  expect(refused.text).toContain("Mail to backup.host.example would be refused");
  expect(refused.text).toContain('name="force"');
  expect((await policyFile()).text).toContain("mode: testing");
});

it("enforce is advised after two weeks without a failure, and one button goes back", async () => {
  const policy = { mode: "testing" as const, mx: ["mx.acme.example", "backup.host.example"], maxAgeSeconds: 604_800 };
  // The changes above are of today: as if they had been made three weeks ago.
  await change(pipeline.ledger, [
    { sql: "DELETE FROM mta_sts_policies", parameters: [] },
    putPolicyChange({ ...NAME, rua: RUA, policy, changedBy: "owner", changedSeconds: nowSeconds - 21 * DAY }),
  ]);
  expect((await known()).advice.code).toBe("noReports");
  const days = Array.from({ length: 10 }, (_, index) => TODAY - 2 - index);
  await report(days, 0, "large");
  // Before the fortnight: forgotten.
  await report([TODAY - 18], 5, "early");
  const ready = (await known()).advice;
  expect([ready.code, ready.mode]).toEqual(["ready", "enforce"]);
  expect(ready.sentence).toContain("400 sessions on 10 days");
  expect((await pipeline.page(PAGE)).text).toContain("Switch to enforce");
  const mx = policy.mx.join(" ");
  expect((await send({ action: "set", mode: "enforce", mx, max_age: "604800" })).status).toBe(303);
  expect((await known()).advice.code).toBe("protected");
  await report([TODAY], 3, "late reporter");
  const failing = (await known()).advice;
  expect(failing).toMatchObject({
    code: "enforcedFailures",
    mode: "testing",
    failures: [{ resultType: "certificate-expired", receivingHost: "mx.acme.example", sessions: 3 }],
  });
  expect((await pipeline.page(PAGE)).text).toContain("Go back to testing");
});

it("the form turns it off and shows who did it", async () => {
  expect((await send({ action: "remove" })).status).toBe(303);
  expect(await policyFile()).toMatchObject({ status: 404 });
  const { hosted, changes } = await known();
  expect(hosted).toBeNull();
  expect(changes[0]).toMatchObject({ policy: null, changedBy: "API token" });
  expect((await send({ action: "remove", account: "another" })).status).toBe(404);
});
