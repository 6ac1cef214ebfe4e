import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { completeConfig, WORKERS, type Worker, writeConfigs } from "../../deploy/configuration.ts";
import { type GivenSettings, readSettings, settingsToKeep } from "../../deploy/settings.ts";
import { FREE_PLAN_LIMITS } from "../../shared/limits.ts";
import { ROOT } from "./deployment.ts";

const IDS = { accountId: "a".repeat(32), databaseIds: ["d1-id"], namespaceId: "kv-id" };

const FOLDER = mkdtempSync(join(tmpdir(), "dmarc-configuration-"));
afterAll(() => rmSync(FOLDER, { recursive: true }));

function configOf(worker: Worker, given: GivenSettings = {}) {
  const settings = readSettings({ rua: "dmarc@example.com", ...given });
  if (!settings.ok) throw new Error(settings.error);
  return completeConfig(ROOT, worker, settings.value, IDS);
}

test("a complete configuration has this deployment's ids and names, and no placeholder is left", () => {
  for (const worker of WORKERS) {
    const config = configOf(worker, { prefix: "acme-dmarc" });
    expect(config).toMatchObject({ name: `acme-dmarc-${worker}`, account_id: IDS.accountId });
    expect(config.d1_databases).toMatchObject([{ database_name: "acme-dmarc-reports", database_id: "d1-id" }]);
    expect(config.workers_dev).toBe(worker === "dashboard");
    const text = JSON.stringify(config);
    expect(text).not.toMatch(/"0{8}/);
    expect(text).not.toMatch(/"dmarc-(reports|points|dead-letters|process|ingest|dashboard)"/);
  }
  for (const worker of ["process", "dashboard"] as const) {
    expect(configOf(worker, { prefix: "acme-dmarc" }).vars).toMatchObject({ PREFIX: "acme-dmarc" });
  }
  expect(configOf("dashboard", { prefix: "acme-dmarc" }).services).toMatchObject([{ service: "acme-dmarc-process" }]);
});

test("the datasets of each deployment are its own, and the dashboard knows their names", () => {
  const datasets = (given: GivenSettings) =>
    configOf("process", given).analytics_engine_datasets?.map(({ dataset }) => dataset);
  const prefixOf = (given: GivenSettings) => configOf("dashboard", given).vars?.DATASET_PREFIX;
  expect(datasets({})).toEqual(["dmarc_records", "dmarc_events", "dmarc_tls", "dmarc_failures"]);
  expect(prefixOf({})).toBe("dmarc");
  const staging = { prefix: "dmarc-staging" };
  expect(datasets(staging)).toEqual([
    "dmarc_staging_records",
    "dmarc_staging_events",
    "dmarc_staging_tls",
    "dmarc_staging_failures",
  ]);
  expect(prefixOf(staging)).toBe("dmarc_staging");
  // One that wrote to the common ones until now may go on with them.
  const older = { ...staging, vars: { DATASET_PREFIX: "dmarc" } };
  expect([datasets(older)?.[0], prefixOf(older)]).toEqual(["dmarc_records", "dmarc"]);
  // Or goes on with those that it has.
  const settings = readSettings({ rua: "dmarc@example.com", ...staging });
  if (!settings.ok) throw new Error(settings.error);
  const before = completeConfig(ROOT, "process", settings.value, { ...IDS, datasets: "dmarc" });
  expect(before.analytics_engine_datasets?.[0]?.dataset).toBe("dmarc_records");
  const refused = readSettings({ rua: "dmarc@example.com", vars: { DATASET_PREFIX: "dmarc-staging" } });
  expect(refused).toMatchObject({ ok: false, error: expect.stringContaining("DATASET_PREFIX is dmarc-staging") });
});

test("process and the dashboard have every database of the ledger, ingest the first, and new accounts go to the last", () => {
  const ids = { ...IDS, databaseIds: ["d1-id", "second-id", "third-id"] };
  const configWith = (worker: Worker, vars: Record<string, number> = {}) => {
    const settings = readSettings({ rua: "dmarc@example.com", vars });
    if (!settings.ok) throw new Error(settings.error);
    writeConfigs(ROOT, FOLDER, settings.value, ids);
    return completeConfig(ROOT, worker, settings.value, ids);
  };
  const all = [
    { binding: "D1_DMARC_REPORTS", database_name: "dmarc-reports", database_id: "d1-id" },
    { binding: "D1_DMARC_REPORTS_1", database_name: "dmarc-reports-1", database_id: "second-id" },
    { binding: "D1_DMARC_REPORTS_2", database_name: "dmarc-reports-2", database_id: "third-id" },
  ];
  expect(configWith("process").d1_databases).toMatchObject(all);
  expect(configWith("dashboard").d1_databases).toMatchObject(all);
  expect(configWith("ingest").d1_databases).toMatchObject(all.slice(0, 1));
  expect(configWith("ingest").d1_databases).toHaveLength(1);
  expect(configWith("process").vars).toMatchObject({ NEW_ACCOUNTS_SHARD: 2 });
  expect(configWith("process", { NEW_ACCOUNTS_SHARD: 1 }).vars).toMatchObject({ NEW_ACCOUNTS_SHARD: 1 });
  expect(() => configWith("process", { NEW_ACCOUNTS_SHARD: 3 })).toThrow("the last database of the ledger is number 2");
});

test("the free plan leaves out CPU limits, takes one message an invocation, and lowers what an invocation asks", () => {
  const [paid, free] = [configOf("process"), configOf("process", { plan: "free" })];
  expect(paid.limits).toEqual({ cpu_ms: 300_000 });
  expect(free.limits).toBeUndefined();
  expect(free.queues?.consumers?.map(({ max_batch_size: size }) => size)).toEqual([1, 1, 1]);
  expect(paid.queues?.consumers?.map(({ max_batch_size: size }) => size)).toEqual([18, 1, 25]);
  expect(paid.vars).toMatchObject({ MAX_DATABASE_BYTES: 10_000_000_000 });
  expect(free.vars).toMatchObject({
    MAX_DATABASE_BYTES: 500_000_000,
    MAX_REPORT_BYTES: FREE_PLAN_LIMITS.maxReportBytes,
    DNS_QUESTIONS_PER_RUN: FREE_PLAN_LIMITS.dnsQuestions,
    WATCH_QUERIES_PER_RUN: FREE_PLAN_LIMITS.watchQueries,
  });
  expect(paid.vars).toMatchObject({ MAX_REPORT_BYTES: 0 });
  expect(free.triggers).toEqual(paid.triggers);
});

test("settings of one's own go to the Workers that have them", () => {
  const given = { vars: { KEEP_DETAIL_DAYS: 200, AUTHSERV_ID: "mx.example" } };
  expect(configOf("process", given).vars).toMatchObject({ KEEP_DETAIL_DAYS: 200 });
  expect(configOf("process", given).vars).not.toHaveProperty("AUTHSERV_ID");
  expect(configOf("ingest", given).vars).toMatchObject({ AUTHSERV_ID: "mx.example" });
  const settings = readSettings({ rua: "dmarc@example.com", vars: { KEEP_DETIAL_DAYS: 1 } });
  if (!settings.ok) throw new Error(settings.error);
  const write = () => writeConfigs(ROOT, "/nonexistent", settings.value, IDS);
  expect(write).toThrow("no Worker has a setting KEEP_DETIAL_DAYS");
});

test("links in what is sent lead to the dashboard: below workers.dev, or where one's own setting says", () => {
  const known = { ...IDS, dashboardUrl: "https://dmarc-dashboard.acme.workers.dev" };
  const urlOf = (vars: Record<string, string> = {}) => {
    const settings = readSettings({ rua: "dmarc@example.com", vars });
    if (!settings.ok) throw new Error(settings.error);
    return completeConfig(ROOT, "process", settings.value, known).vars?.DASHBOARD_URL;
  };
  expect(urlOf()).toBe("https://dmarc-dashboard.acme.workers.dev");
  expect(urlOf({ DASHBOARD_URL: "https://dmarc.example.net" })).toBe("https://dmarc.example.net");
  expect(urlOf({ DASHBOARD_URL: "" })).toBe("");
  expect(configOf("process").vars?.DASHBOARD_URL).toBe("");
  for (const wrong of [
    "dmarc.example.net",
    "http://dmarc.example.net",
    "https://dmarc.example.net/",
    "https://a.example/x",
  ]) {
    expect(() => urlOf({ DASHBOARD_URL: wrong })).toThrow("DASHBOARD_URL is ");
  }
});

test("addresses of added domains are made where their mail is routed", () => {
  const hostOf = (given: GivenSettings) => configOf("process", given).vars?.RUA_HOST;
  expect(hostOf({})).toBe("");
  expect(hostOf({ rua: "dmarc@rua.example.net", routing: "catch-all" })).toBe("rua.example.net");
  expect(hostOf({ rua: "DMARC@Example.net", routing: "subaddresses" })).toBe("dmarc@example.net");
});

test("settings that cannot be are refused with a sentence, and what comes first counts", () => {
  const refusal = (given: GivenSettings): string => {
    const read = readSettings(given);
    return read.ok ? "" : read.error;
  };
  expect(refusal({})).toContain("--rua");
  expect(refusal({ rua: "dmarc+x@example.com" })).toContain("rua: not an address");
  expect(refusal({ rua: "dmarc@localhost" })).toContain("domain");
  expect(refusal({ rua: "dmarc@example.com", prefix: "Dmarc" })).toContain("prefix");
  expect(refusal({ rua: "dmarc@example.com", accountId: "acme" })).toContain("accountId");
  const sender = (text: string) => refusal({ rua: "dmarc@example.com", vars: { NOTICES_FROM: text } });
  expect(["", "notices@example.com", "dmarc+notices@bücher.example"].map(sender)).toEqual(["", "", ""]);
  expect(sender("DMARC <notices@example.com>")).toBe(
    "vars: NOTICES_FROM is DMARC <notices@example.com>, but must be the address alone, such as notices@example.com, without a name.",
  );
  expect(sender("example.com")).toContain("NOTICES_FROM");
  const settings = readSettings({ plan: "free" }, { plan: "paid", rua: "dmarc@bücher.example" });
  expect(settings).toMatchObject({
    ok: true,
    value: { plan: "free", rua: "dmarc@xn--bcher-kva.example", domains: ["xn--bcher-kva.example"], account: "main" },
  });
});

test("another address accepts reports about its own domain, not about that of the address before", () => {
  const domainsOf = (...sources: GivenSettings[]): string[] | string => {
    const read = readSettings(...sources);
    return read.ok ? read.value.domains : read.error;
  };
  const kept = (given: GivenSettings): GivenSettings => {
    const read = readSettings(given);
    if (!read.ok) throw new Error(read.error);
    return settingsToKeep(read.value);
  };
  const own = kept({ rua: "dmarc@a.example", plan: "free" });
  expect(own).toMatchObject({ rua: "dmarc@a.example", plan: "free" });
  expect(domainsOf(own)).toEqual(["a.example"]);
  expect(domainsOf({ rua: "dmarc@b.example" }, own)).toEqual(["b.example"]);
  // Those that were chosen are for any address.
  const chosen = kept({ rua: "dmarc@a.example", domains: ["c.example", "d.example"] });
  expect(domainsOf({ rua: "dmarc@b.example" }, chosen)).toEqual(["c.example", "d.example"]);
});
