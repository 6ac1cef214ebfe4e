import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addressStep } from "../../deploy/dashboard.ts";
import { destroy } from "../../deploy/destroy.ts";
import { deploy, stepsOf, survey } from "../../deploy/run.ts";
import type { GivenSettings } from "../../deploy/settings.ts";
import { type Deployment, keep } from "../../deploy/step.ts";
import { idsOf } from "../../deploy/stores.ts";
import { adoptToken, replaceToken, tokenStep } from "../../deploy/upload.ts";
import { ROOT, startDeployment, type TestDeployment } from "./deployment.ts";

const TIMEOUT_MS = 300_000;
/** What a machine knows that has deployed nothing. */
const NOTHING_KEPT: Deployment["kept"] = { v: 1, settings: {}, furtherDatabaseIds: [], routedZones: [], uploaded: {} };
/** What only asks; wrangler's list of migrations is SQL, too. */
const READS = /^(GET |POST \/d1\/database\/[^/]+\/query$)/;

describe("npm run deploy against the stand-in of Cloudflare's API, with wrangler, its uploads run in workerd", () => {
  let here: TestDeployment;
  beforeAll(async () => {
    here = await startDeployment();
  });
  afterAll(() => here.close());

  test("from nothing to a test report in the ledger", { timeout: TIMEOUT_MS }, async () => {
    const { cloudflare } = here;
    const tracked = trackedConfigs();
    const before = await survey(here.begin());
    expect(before).toMatchObject({ problems: [], there: ["Email Routing for example.com"] });
    expect(cloudflare.scripts.size).toBe(0);

    const deployment = here.begin();
    const done = await deploy(deployment, () => {});
    expect(done).toMatchObject({ ok: true, value: { url: "https://dmarc-dashboard.acme.workers.dev" } });
    expect([...cloudflare.databases.keys()]).toEqual(["dmarc-reports"]);
    const queues = [...cloudflare.queues.values()];
    expect(queues.map(({ name, retentionSeconds }) => [name, retentionSeconds])).toEqual([
      ["dmarc-reports", 1_209_600],
      ["dmarc-points", 1_209_600],
      ["dmarc-dead-letters", 1_209_600],
    ]);
    expect(queues.map(({ consumers: [one] }) => [one?.script, one?.batchSize, one?.deadLetterQueue])).toEqual([
      ["dmarc-process", 18, "dmarc-dead-letters"],
      ["dmarc-process", 1, "dmarc-dead-letters"],
      ["dmarc-process", 25, undefined],
    ]);
    const processConfig = readFileSync(join(deployment.folder, "wrangler.process.toml"), "utf8");
    expect(processConfig).toContain('DASHBOARD_URL = "https://dmarc-dashboard.acme.workers.dev"');
    expect(cloudflare.scripts.get("dmarc-process")?.crons).toEqual(["17 3 * * *", "47 * * * *", "* * * * *"]);
    expect(cloudflare.scripts.get("dmarc-dashboard")?.secrets).toEqual({ API_TOKEN: "secret-of-programs-1" });
    expect(cloudflare.zones[0]?.rules).toMatchObject([
      {
        enabled: true,
        matchers: [{ type: "literal", field: "to", value: "dmarc@example.com" }],
        actions: [{ type: "worker", value: ["dmarc-ingest"] }],
      },
    ]);
    expect(cloudflare.workerLogs().join("\n")).toContain('"outcome":"accepted"');
    // The repository's own files are what they were.
    expect(trackedConfigs()).toBe(tracked);
  });

  test("again: no change, and nothing is written", { timeout: TIMEOUT_MS }, async () => {
    const { cloudflare } = here;
    cloudflare.asked.length = 0;
    const found = await survey(here.begin());
    expect(found).toMatchObject({ problems: [], missing: [] });
    expect(found.there).toHaveLength(stepsOf({ routing: "address" }).length);
    expect(await deploy(here.begin(), () => {})).toMatchObject({ ok: true, value: { changes: [] } });
    expect(cloudflare.asked.filter((request) => !READS.test(request))).toEqual([]);
  });

  test("an address of another account stays there, and keeps its domains, though the dashboard did not answer at first", {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { cloudflare } = here;
    const url = "https://dmarc-dashboard.acme.workers.dev/api/v1/registry/dmarc@example.com";
    const registered = async (): Promise<unknown> => {
      const headers = { authorization: `Bearer ${here.begin().kept.apiToken}` };
      return (await cloudflare.fetchWorker(url, { headers })).json();
    };
    /** A deployment whose first questions about addresses are not answered. */
    const begin = (given: GivenSettings, unanswered: number): Deployment => {
      const deployment = here.begin(given);
      let left = unanswered;
      const fetch: Deployment["fetch"] = async (asked, init) =>
        asked.includes("/registry/") && init.method === "GET" && left-- > 0
          ? Response.json({ code: "ledger_unavailable", detail: "The ledger does not answer." }, { status: 503 })
          : cloudflare.fetchWorker(asked, init);
      return { ...deployment, fetch };
    };
    const before = await registered();
    expect(before).toEqual({ rua: "dmarc@example.com", entry: { account: "main", domains: ["example.com"] } });
    expect(await runStep(addressStep, begin({ account: "other" }, 1))).toContain(
      "dmarc@example.com is registered for the account main, not other",
    );
    expect(await runStep(addressStep, begin({ domains: ["example.org"] }, 2))).toBe("The ledger does not answer.");
    expect(await registered()).toEqual(before);
  });

  test("the datasets that it wrote to are noted; one that was there before they were goes on with the common ones", () => {
    expect(here.begin().kept.datasets).toBe("dmarc");
    const there = { ...NOTHING_KEPT, databaseId: "d1-id", namespaceId: "kv-id" };
    const datasets = (kept: Deployment["kept"]) => idsOf({ ...here.begin({ prefix: "staging" }), kept })?.datasets;
    expect(datasets(there)).toBeUndefined();
    expect(datasets({ ...there, uploaded: { process: "a hash" } })).toBe("dmarc");
    expect(datasets({ ...there, uploaded: { process: "a hash" }, datasets: "staging" })).toBe("staging");
  });

  test("a second database: made, with tables, bound, and new accounts live there", {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { cloudflare } = here;
    const deployment = here.begin({ databases: 2 });
    const done = await deploy(deployment, () => {});
    expect(done).toMatchObject({ ok: true });
    expect([...cloudflare.databases.keys()]).toEqual(["dmarc-reports", "dmarc-reports-1"]);
    const changes = done.ok ? done.value.changes : [];
    expect(changes[0]).toBe("made D1 database dmarc-reports-1");
    expect(changes).toEqual(expect.arrayContaining(["uploaded dmarc-process", "uploaded dmarc-dashboard"]));
    expect(changes).not.toContain("uploaded dmarc-ingest");

    const url = "https://dmarc-dashboard.acme.workers.dev/api/v1";
    const headers = { authorization: `Bearer ${deployment.kept.apiToken}`, "content-type": "application/json" };
    const body = JSON.stringify({ account: "second" });
    expect((await cloudflare.fetchWorker(`${url}/accounts`, { method: "POST", headers, body })).status).toBe(200);
    const listed = await cloudflare.fetchWorker(`${url}/accounts`, { headers });
    const { items } = (await listed.json()) as { items: { account: string; database: number }[] };
    expect(items).toContainEqual(expect.objectContaining({ account: "second", database: 1 }));
    const status = await cloudflare.fetchWorker(`${url}/status`, { headers });
    expect(await status.json()).toMatchObject({ databases: [{ database: 0 }, { database: 1 }] });
  });

  test("a machine that does not know how many databases there are finds them", { timeout: TIMEOUT_MS }, async () => {
    expect(await deploy(here.begin(), () => {})).toMatchObject({ ok: true, value: { changes: [] } });
    const { problems } = await survey(here.begin({ databases: 1 }));
    expect(problems).toEqual([expect.stringContaining("The ledger has 2 databases")]);
  });

  test("on a machine that has not deployed before, a new token replaces the one that it does not know", async () => {
    const { cloudflare } = here;
    const folder = mkdtempSync(join(tmpdir(), "dmarc-another-machine-"));
    try {
      const another: Deployment = { ...here.begin(), folder, kept: { ...NOTHING_KEPT } };
      await adoptToken(another, "as somebody knows it");
      expect(another.kept.apiToken).toBe("as somebody knows it");
      expect(await replaceToken(another)).toEqual({ ok: true, value: "set a new secret API_TOKEN" });
      const secrets = cloudflare.scripts.get("dmarc-dashboard")?.secrets;
      expect(secrets).toEqual({ API_TOKEN: another.kept.apiToken });
      // Once it has uploaded the dashboard.
      keep(another, { uploaded: { dashboard: "a hash" } });
      expect(await tokenStep.look(another)).toEqual({ ok: true, value: { isThere: true, said: "Secret API_TOKEN" } });
      keep(here.begin(), { apiToken: another.kept.apiToken });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("a lost database is made again under its number, with its tables", { timeout: TIMEOUT_MS }, async () => {
    const { cloudflare } = here;
    const lost = cloudflare.databases.get("dmarc-reports");
    cloudflare.databases.delete("dmarc-reports");
    expect(await survey(here.begin())).toMatchObject({ problems: [] });
    const done = await deploy(here.begin(), () => {});
    expect(done).toMatchObject({ ok: true });
    const changes = done.ok ? done.value.changes : [];
    expect(changes.slice(0, 2)).toEqual([
      "made D1 database dmarc-reports",
      "brought the tables of the ledger up to date",
    ]);
    expect(cloudflare.databases.get("dmarc-reports")).not.toBe(lost);
  });

  test("destroy leaves the raw reports, and removes them if asked to", { timeout: TIMEOUT_MS }, async () => {
    const { cloudflare } = here;
    const said: string[] = [];
    const deployment = here.begin();
    expect(await destroy(deployment, { rawReports: false }, (line) => said.push(line))).toMatchObject({ ok: true });
    expect(
      cloudflare.scripts.size + cloudflare.queues.size + cloudflare.databases.size + cloudflare.namespaces.size,
    ).toBe(0);
    expect(cloudflare.zones[0]?.rules).toEqual([]);
    // A test report of each time that Workers were uploaded.
    expect(cloudflare.buckets.get("dmarc-reports")?.keys.size).toBe(3);
    expect(said.at(-1)).toContain("kept the R2 bucket dmarc-reports");

    // A bucket that holds something is not removed at once: its objects expire first.
    expect(await destroy(here.begin(), { rawReports: true }, () => {})).toMatchObject({ ok: true });
    expect(cloudflare.buckets.get("dmarc-reports")?.rules).toMatchObject([
      { enabled: true, deleteObjectsTransition: { condition: { type: "Age", maxAge: 86_400 } } },
    ]);
    cloudflare.buckets.get("dmarc-reports")?.keys.clear();
    expect(await destroy(here.begin(), { rawReports: true }, () => {})).toMatchObject({ ok: true });
    expect(cloudflare.buckets.size).toBe(0);
  });
});

function trackedConfigs(): string {
  return ["process", "dashboard", "ingest"]
    .map((worker) => readFileSync(join(ROOT, `wrangler.${worker}.toml`), "utf8"))
    .join("");
}

test("a new token is left to the deployment where nothing is deployed yet", async () => {
  const here = await startDeployment();
  try {
    const deployment = here.begin();
    expect(await replaceToken(deployment)).toEqual({ ok: true, value: "nothing is deployed yet" });
    // It may be that of another deployment, as in an environment where `dmarc` talks to it.
    await adoptToken(deployment, "secret of another deployment");
    expect(deployment.kept.apiToken).toBeUndefined();
  } finally {
    await here.close();
  }
});

describe("a failure", () => {
  let here: TestDeployment;
  beforeAll(async () => {
    here = await startDeployment({ routingEnabled: false });
  });
  afterAll(() => here.close());

  /** Step → requests of it that fail, one run after the other. */
  const FAILURES: Record<string, RegExp[]> = {
    database: [/^GET \/d1/, /^POST \/d1\/database$/],
    namespace: [/^POST \/storage/],
    bucket: [/^POST \/r2/],
    lifecycle: [/^PUT \/r2\/buckets\/dmarc-reports\/lifecycle/],
    "queue reports": [/^POST \/queues$/],
    "queue points": [/^POST \/queues$/],
    "queue deadLetters": [/^PATCH \/queues/],
    tables: [/^POST \/d1\/.*query$/],
    "Worker process": [/^PUT \/workers\/scripts\/[^/]+$/, /^POST \/queues\/.*consumers$/],
    "Worker dashboard": [/^PUT \/workers\/scripts\/[^/]+$/],
    token: [/^PUT \/workers\/scripts\/.*\/secrets$/],
    "Worker ingest": [/^PUT \/workers\/scripts\/[^/]+$/],
    address: [/^GET \/workers\/subdomain$/],
    "Email Routing": [/^POST \/zones\/.*\/enable$/],
    rule: [/^POST \/zones\/.*\/rules$/],
    "test report": [/^POST \/queues\/.*\/messages$/],
  };

  test("in every step is said, and the next run goes on from there", { timeout: 2 * TIMEOUT_MS }, async () => {
    const { cloudflare } = here;
    const given = { infrequentAccessDays: 90, enableRouting: true };
    for (const step of stepsOf(here.begin(given).settings)) {
      const requests = FAILURES[step.name] ?? [];
      expect.soft(requests, step.name).not.toEqual([]);
      for (const request of requests) {
        cloudflare.fault = (asked) =>
          request.test(asked) ? { status: 400, code: 7000, message: "Injected" } : undefined;
        const failed = await runStep(step, here.begin(given));
        expect
          .soft({ step: step.name, failed })
          .toEqual({ step: step.name, failed: expect.stringContaining("Injected") });
      }
      cloudflare.fault = undefined;
      const failed = await runStep(step, here.begin(given));
      expect.soft({ step: step.name, failed }).toEqual({ step: step.name, failed: undefined });
    }
    expect(await deploy(here.begin(given), () => {})).toMatchObject({ ok: true, value: { changes: [] } });
    // Nothing was made twice.
    expect(cloudflare.queues.size).toBe(3);
    expect(cloudflare.asked.filter((asked) => asked === "POST /d1/database")).toHaveLength(2);
    expect(cloudflare.zones[0]?.rules).toHaveLength(1);
  });
});

async function runStep(
  step: ReturnType<typeof stepsOf>[number],
  deployment: ReturnType<TestDeployment["begin"]>,
): Promise<string | undefined> {
  const look = await step.look(deployment);
  if (!look.ok) return look.error;
  if (look.value.isThere) return undefined;
  const made = await step.make(deployment);
  return made.ok ? undefined : made.error;
}

describe("what has to be done by hand", () => {
  test("is found out and said before anything is made", async () => {
    const here = await startDeployment({
      plan: "free",
      r2Enabled: false,
      analyticsEnabled: false,
      subdomain: undefined,
      routingEnabled: false,
      without: ["D1"],
    });
    try {
      const { problems, notes } = await survey(here.begin());
      const all = problems.join("\n");
      for (const place of [
        "/r2/overview",
        "/workers/analytics-engine",
        "/workers/onboarding",
        "/workers/plans",
        "/email/routing/overview",
      ]) {
        expect(all).toContain(`https://dash.cloudflare.com/${here.cloudflare.accountId}`);
        expect(all).toContain(place);
      }
      expect(all).toContain("lacks the permission D1 Edit");
      expect(all).toContain(
        "is with another service, use a host below it, such as --rua dmarc@reports.example.com --domain example.com.",
      );
      expect(notes.join("\n")).toContain("set up Zero Trust once");
      const { buckets, queues, scripts, databases, namespaces } = here.cloudflare;
      expect([buckets, queues, scripts, databases, namespaces].map(({ size }) => size)).toEqual([0, 0, 0, 0, 0]);
    } finally {
      await here.close();
    }
  });

  test("an upload with CPU limits on the free plan names the plan", { timeout: TIMEOUT_MS }, async () => {
    const here = await startDeployment({ plan: "free" });
    try {
      const deployment = here.begin({ plan: "paid" });
      const steps = stepsOf(deployment.settings).filter(({ name }) =>
        /^(database|namespace|bucket|Worker process)$/.test(name),
      );
      // The queues as the free plan has them.
      for (const name of Object.values(deployment.names.queues))
        await deployment.api.createQueue(deployment.accountId, name);
      const failed: (string | undefined)[] = [];
      for (const step of steps) failed.push(await runStep(step, deployment));
      expect(failed).toEqual([undefined, undefined, undefined, expect.stringContaining("run with --plan free")]);
    } finally {
      await here.close();
    }
  });
});

/** Runs a command that is to send nothing and ask nobody. @throws when it ends with another code than 0 */
function dryRun(command: "deploy" | "destroy", ...args: string[]): string {
  const env = { ...process.env, CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:9", CLOUDFLARE_API_TOKEN: "" };
  const words = [command, "--dry-run", "--prefix", "dry-run-test", ...args];
  return execFileSync(process.execPath, [join(ROOT, "deploy/deploy.ts"), ...words], { env, encoding: "utf8" });
}

test("destroy --dry-run says what goes and what stays, by name, asks nobody, and needs no token", () => {
  const text = dryRun("destroy", "--rua", "dmarc@example.com");
  const [goes = "", stays = ""] = text.split("Keeps:");
  for (const name of ["ingest", "dashboard", "process", "reports", "points", "dead-letters"]) {
    expect(goes).toContain(`dry-run-test-${name}`);
  }
  expect(goes).not.toContain("R2 bucket");
  expect(stays).toContain("R2 bucket dry-run-test-reports");
  const [all = ""] = dryRun("destroy", "--rua", "dmarc@example.com", "--raw-reports").split("Keeps:");
  expect(all).toContain("R2 bucket dry-run-test-reports");
});

test("--dry-run prints the plan, asks nobody, and needs no token", () => {
  const run = (...args: string[]): string => dryRun("deploy", ...args);
  expect(run("--rua", "dmarc@example.com")).toContain("Queue dry-run-test-points, messages kept 14 days");
  const free = run("--rua", "dmarc@example.net", "--plan", "free", "--routing", "catch-all");
  expect(free).toContain("messages kept 1 day (all that the free plan has)");
  expect(free).toContain("Email Routing rule: all mail to example.net to dry-run-test-ingest");
  expect(() => run("--rua", "dmarc@example.net", "--plan", "golden")).toThrow();
  expect(() => run("--rua", "not an address")).toThrow();
});
