/** The steps that go through the deployed dashboard's API: the address is registered, and a test report sent through. */
import { gzipSync } from "node:zlib";
import { type ContractClient, contractClient } from "../shared/contract/client.ts";
import type { Outputs } from "../shared/contract/operations.ts";
import { sha256Hex } from "../shared/identity.ts";
import { FREE_PLAN_LIMITS } from "../shared/limits.ts";
import type { ReportMessage } from "../shared/messages.ts";
import { SECONDS_PER_DAY } from "../shared/report-day.ts";
import { fail, ok, type Result } from "../shared/result.ts";
import { rawKey } from "../shared/storage.ts";
import { API_CODES } from "./cloudflare-api.ts";
import { BY_HAND } from "./problems.ts";
import { hostOf } from "./settings.ts";
import { type Deployment, keep, keepDashboardUrl, type Step } from "./step.ts";
import { orSentence } from "./stores.ts";

/** Ours: a new workers.dev name takes up to a minute to be known everywhere, and a queue some seconds to deliver. */
const WAIT = { secondsForDashboard: 180, secondsForReport: 180, betweenLooksMilliseconds: 2000 };

/** The account of the test report: a separate one, so that it is in no figures of another. */
const TEST_ACCOUNT = "deploy-test";
/** A name that nobody has (RFC 6761 section 6.4). */
const TEST_DOMAIN = "deploy-test.invalid";

export const addressStep: Step = {
  name: "address",
  plan: ({ rua, account, domains }) => `Address ${rua} registered for account ${account}: ${domains.join(", ")}`,
  async look(deployment) {
    const { rua, account, domains } = deployment.settings;
    const said = `Address ${rua} registered`;
    const client = await clientOf(deployment);
    if (!client.ok) return client;
    if (client.value === undefined) return ok({ isThere: false, said });
    const found = await client.value.ask("getRegistration", { rua });
    if (!found.ok) {
      // Not deployed yet, or not to be reached: making waits for it, and says so.
      return ok({ isThere: false, said });
    }
    const { entry } = found.value;
    if (entry.account !== account) return fail(ofAnother(rua, entry.account, account));
    // If somebody has registered it with more domains since, by dmarc rua, that stays.
    const isThere = entry.domains === undefined || domains.every((domain) => entry.domains?.includes(domain));
    return ok({ isThere, said });
  },
  async make(deployment) {
    const { rua, account, domains } = deployment.settings;
    const client = await waitForDashboard(deployment);
    if (!client.ok) return client;
    const found = await client.value.ask("getRegistration", { rua });
    // Without an answer nothing is known of what is registered, which must not be overwritten.
    if (!found.ok && found.error.code !== "not_found") return fail(found.error.message);
    const known: Outputs["getRegistration"]["entry"] = found.ok ? found.value.entry : { account };
    if (known.account !== account) return fail(ofAnother(rua, known.account, account));
    const all = [...new Set([...(known.domains ?? []), ...domains])];
    const put = await client.value.ask("putRegistration", { rua, entry: { ...known, account, domains: all } });
    return put.ok ? ok(`registered ${rua} for account ${account}`) : fail(put.error.message);
  },
};

function ofAnother(rua: string, owner: string, account: string): string {
  return `${rua} is registered for the account ${owner}, not ${account}: give --account ${owner}, or change it with dmarc rua.`;
}

export const testReportStep: Step = {
  name: "test report",
  plan: () => `Test report: put into R2 and the queue, read by process, found in the ledger (account ${TEST_ACCOUNT})`,
  async look({ kept }) {
    const isThere = kept.tested !== undefined && kept.tested.uploads === uploadsOf(kept.uploaded);
    return ok({ isThere, said: "Test report of what is deployed" });
  },
  make: sendTestReport,
};

/** The test: what comes by mail goes the same way from R2 on. Mail itself cannot be sent from here: see docs/deploy.md. */
async function sendTestReport(deployment: Deployment): Promise<Result<string, string>> {
  const { api, accountId, names, nowMilliseconds } = deployment;
  const client = await waitForDashboard(deployment);
  if (!client.ok) return client;
  const rua = `deploy-test@${hostOf(deployment.settings.rua)}`;
  const entry = { account: TEST_ACCOUNT, domains: [TEST_DOMAIN] };
  const registered = await client.value.ask("putRegistration", { rua, entry });
  if (!registered.ok) return fail(registered.error.message);
  const before = await client.value.ask("stats", { account: TEST_ACCOUNT });
  if (!before.ok) return fail(before.error.message);

  const nowSeconds = Math.floor(nowMilliseconds() / 1000);
  const content = new Uint8Array(gzipSync(testReport(nowSeconds)));
  const key = rawKey(nowSeconds, await sha256Hex(content), "deploy-test.xml.gz");
  const put = await api.putObject(accountId, { bucket: names.bucket, key }, content);
  const stored = orSentence(put, deployment, "Workers R2 Storage Edit");
  if (!stored.ok) return stored;
  const queues = orSentence(await api.queues(accountId), deployment, "Queues Edit");
  if (!queues.ok) return queues;
  const queue = queues.value.find(({ queue_name: name }) => name === names.queues.reports);
  if (queue === undefined) return fail(`The queue ${names.queues.reports} is not there.`);
  const message: ReportMessage = { v: 1, kind: "report", key, rua, receivedSeconds: nowSeconds };
  const pushed = orSentence(await api.pushMessage(accountId, queue.queue_id, message), deployment, "Queues Edit");
  if (!pushed.ok) return pushed;

  const arrived = await waitForReport(deployment, client.value, before.value);
  // The address is removed in either case: nobody else is to send to it.
  const removed = await client.value.ask("removeRegistration", { rua });
  if (!arrived.ok) return arrived;
  if (!removed.ok) return fail(removed.error.message);
  keep(deployment, { tested: { key, uploads: uploadsOf(deployment.kept.uploaded) } });
  return ok(`the ledger has the test report, ${arrived.value} s after it was sent (account ${TEST_ACCOUNT})`);
}

/** @returns seconds until the ledger had it */
async function waitForReport(
  deployment: Deployment,
  client: ContractClient,
  before: Outputs["stats"],
): Promise<Result<number, string>> {
  const started = deployment.nowMilliseconds();
  for (;;) {
    const stats = await client.ask("stats", { account: TEST_ACCOUNT });
    if (!stats.ok) return fail(stats.error.message);
    const seconds = Math.round((deployment.nowMilliseconds() - started) / 1000);
    if (stats.value.reports > before.reports) return ok(seconds);
    if (stats.value.deadLetters > before.deadLetters) {
      return fail("The test report became a dead letter: dmarc dead-letters list shows why.");
    }
    if (seconds > WAIT.secondsForReport) {
      return fail(
        `The ledger has no test report after ${seconds} s. Look at the log of ` +
          `${deployment.names.workers.process} (Workers & Pages → ${deployment.names.workers.process} → Logs), ` +
          "then run this again.",
      );
    }
    await deployment.sleep(WAIT.betweenLooksMilliseconds);
  }
}

/** A report of yesterday about nobody's domain; its id is new each time. */
function testReport(nowSeconds: number): string {
  const day = Math.floor(nowSeconds / SECONDS_PER_DAY) - 1;
  const [begin, end] = [day * SECONDS_PER_DAY, (day + 1) * SECONDS_PER_DAY - 1];
  return `<?xml version="1.0" encoding="UTF-8"?>
<feedback>
  <report_metadata><org_name>npm run deploy</org_name><email>deploy@${TEST_DOMAIN}</email>
    <report_id>deploy-${nowSeconds}</report_id><date_range><begin>${begin}</begin><end>${end}</end></date_range></report_metadata>
  <policy_published><domain>${TEST_DOMAIN}</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct></policy_published>
  <record><row><source_ip>192.0.2.1</source_ip><count>1</count>
    <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>pass</spf></policy_evaluated></row>
    <identifiers><header_from>${TEST_DOMAIN}</header_from></identifiers>
    <auth_results><spf><domain>${TEST_DOMAIN}</domain><result>pass</result></spf></auth_results></record>
</feedback>
`;
}

function uploadsOf(uploaded: Deployment["kept"]["uploaded"]): string {
  return [uploaded.process, uploaded.dashboard, uploaded.ingest].join(" ");
}

/** The dashboard's API. @returns undefined while it is not deployed */
async function clientOf(deployment: Deployment): Promise<Result<ContractClient | undefined, string>> {
  const { kept, api, accountId } = deployment;
  const { apiToken } = kept;
  if (apiToken === undefined || kept.uploaded.dashboard === undefined) return ok(undefined);
  const answer = await api.subdomain(accountId);
  if (!answer.ok && answer.error.code === API_CODES.workersNotFound) return fail(BY_HAND.subdomain(accountId));
  const subdomain = orSentence(answer, deployment, "Workers Scripts Edit");
  if (!subdomain.ok) return subdomain;
  const url = keepDashboardUrl(deployment, subdomain.value.subdomain);
  const fetch = (address: string, init: RequestInit): Promise<Response> =>
    deployment.fetch(address, { ...init, headers: withServiceToken(init.headers), redirect: "manual" });
  return ok(contractClient({ url, token: apiToken, fetch }));
}

/** Headers that Cloudflare Access lets a program in by, where it is in front of the dashboard. */
function withServiceToken(headers: RequestInit["headers"]): Headers {
  const { CF_ACCESS_CLIENT_ID: id, CF_ACCESS_CLIENT_SECRET: secret } = process.env;
  const all = new Headers(headers);
  if (id !== undefined && secret !== undefined) {
    all.set("CF-Access-Client-Id", id);
    all.set("CF-Access-Client-Secret", secret);
  }
  return all;
}

/** Waits until the dashboard answers. */
async function waitForDashboard(deployment: Deployment): Promise<Result<ContractClient, string>> {
  const started = deployment.nowMilliseconds();
  const made = await clientOf(deployment);
  if (!made.ok) return made;
  const client = made.value;
  if (client === undefined) return fail("The dashboard is not deployed yet.");
  for (;;) {
    const status = await client.ask("status", {});
    if (status.ok) return ok(client);
    // Access sends a program on to its login, or refuses it with 401 (shared/contract/client.ts).
    if (status.error.status === 302 || (status.error.status === 401 && status.error.code === "not_an_answer")) {
      return fail(
        `Cloudflare Access protects ${client.url}: set CF_ACCESS_CLIENT_ID and CF_ACCESS_CLIENT_SECRET to a ` +
          "service token that its application admits by a policy with the action Service Auth.",
      );
    }
    if (deployment.nowMilliseconds() - started > WAIT.secondsForDashboard * 1000) {
      return fail(`${client.url} does not answer as a dashboard: ${status.error.message}`);
    }
    await deployment.sleep(WAIT.betweenLooksMilliseconds);
  }
}

/** What the free plan's figures come to, for the plan that is printed. */
export const FREE_PLAN_NOTE = `Free plan: reports up to ${FREE_PLAN_LIMITS.maxReportBytes} bytes as received; larger ones wait as dead letters.`;
