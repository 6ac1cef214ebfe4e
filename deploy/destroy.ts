/** Removes what a deployment made; raw reports only where that is asked for. It asks no questions and never exits. */
import { ledgerDatabases } from "../shared/ledger/shards.ts";
import { D1_LIMITS } from "../shared/limits.ts";
import { ok, type Result } from "../shared/result.ts";
import { removeRouting } from "./routing.ts";
import { namesOf, type Settings } from "./settings.ts";
import { type Deployment, keep } from "./step.ts";
import { orSentence } from "./stores.ts";

export interface DestroyOptions {
  /** Whether raw reports are removed, too. */
  rawReports: boolean;
}

/** What destroy would remove, in its order, and what it leaves. */
export interface Removal {
  removed: string[];
  kept: string[];
}

/** What destroy does, offline; what is gone already is among it. */
export function removalLines(settings: Settings, { rawReports }: DestroyOptions): Removal {
  const { workers, queues, namespace, database, bucket } = namesOf(settings.prefix);
  const rules = {
    address: [`Email Routing rules that hand mail to ${workers.ingest}: ${settings.rua} no longer receives reports`],
    subaddresses: [`Email Routing rules that hand mail to ${workers.ingest}: ${settings.rua} and its sub-addresses`],
    "catch-all": [`Email Routing's catch-all to ${workers.ingest}: it is turned off, and other mail is dropped`],
    none: [`Email Routing rules that hand mail to ${workers.ingest}, if an earlier deployment made any`],
  };
  const removed = [
    ...rules[settings.routing],
    `Workers ${workers.ingest}, ${workers.dashboard} with its secrets, ${workers.process}`,
    `queues ${Object.values(queues).join(", ")}, with the messages that wait in them`,
    `KV namespace ${namespace}`,
    `D1 database ${database}, and ${database}-1 and so on if there are more: figures, accounts, people, decisions, the audit log`,
  ];
  const raw = `R2 bucket ${bucket} with the raw reports`;
  const kept = [
    "points in Analytics Engine, which keeps them for three months and cannot delete them",
    "Access applications and tokens, and DNS records: they were made by hand",
    "Email Routing itself, with its MX records",
    `your settings, in .deployment/${settings.prefix}: npm run deploy uses them again`,
  ];
  if (rawReports)
    return { removed: [...removed, `${raw}: they expire within two days; run it again to remove the bucket`], kept };
  return { removed, kept: [`${raw}: a new deployment counts them again (--raw-reports removes them, too)`, ...kept] };
}

const RAW_REMOVAL_RULE = "dmarc-remove-everything";
const SECONDS_PER_DAY = 86_400;

/**
 * Removes everything but the raw reports, from which a new deployment can rebuild the rest; those too if asked for.
 * What is gone already is no failure.
 */
export async function destroy(
  deployment: Deployment,
  { rawReports }: DestroyOptions,
  say: (line: string) => void,
): Promise<Result<undefined, string>> {
  const routed = await removeRouting(deployment);
  if (!routed.ok) return routed;
  say(`- ${routed.value}`);
  for (const remove of [removeWorkers, removeQueues, removeNamespace, removeDatabases]) {
    const removed = await remove(deployment);
    if (!removed.ok) return removed;
    for (const name of removed.value) say(`- removed ${name}`);
  }
  keep(deployment, {
    uploaded: {},
    datasets: undefined,
    tested: undefined,
    databaseId: undefined,
    furtherDatabaseIds: [],
    namespaceId: undefined,
    routedZones: [],
    apiToken: undefined,
  });
  if (rawReports) return removeBucket(deployment, say);
  say(`= kept the R2 bucket ${deployment.names.bucket} with the raw reports (--raw-reports removes them, too)`);
  return ok(undefined);
}

type Removed = Promise<Result<string[], string>>;

// ingest first: no mail is taken that nobody would read.
async function removeWorkers(deployment: Deployment): Removed {
  const { api, accountId, names } = deployment;
  const found = orSentence(await api.scripts(accountId), deployment, "Workers Scripts Edit");
  if (!found.ok) return found;
  const { ingest, dashboard, process } = names.workers;
  const there = [ingest, dashboard, process].filter((name) => found.value.some(({ id }) => id === name));
  for (const name of there) {
    const removed = orSentence(await api.deleteScript(accountId, name), deployment, "Workers Scripts Edit");
    if (!removed.ok) return removed;
  }
  return ok(there.map((name) => `Worker ${name}`));
}

async function removeQueues(deployment: Deployment): Removed {
  const { api, accountId, names } = deployment;
  const found = orSentence(await api.queues(accountId), deployment, "Queues Edit");
  if (!found.ok) return found;
  const there = found.value.filter(({ queue_name: name }) => Object.values(names.queues).includes(name));
  for (const { queue_id: id } of there) {
    const removed = orSentence(await api.deleteQueue(accountId, id), deployment, "Queues Edit");
    if (!removed.ok) return removed;
  }
  return ok(there.map(({ queue_name: name }) => `queue ${name}`));
}

async function removeNamespace(deployment: Deployment): Removed {
  const { api, accountId, names } = deployment;
  const found = orSentence(await api.namespaces(accountId), deployment, "Workers KV Storage Edit");
  if (!found.ok) return found;
  const namespace = found.value.find(({ title }) => title === names.namespace);
  if (namespace === undefined) return ok([]);
  const removed = await api.deleteNamespace(accountId, namespace.id);
  const done = orSentence(removed, deployment, "Workers KV Storage Edit");
  return done.ok ? ok([`KV namespace ${names.namespace}`]) : done;
}

// Database 0 is removed last: it knows which accounts are in the others.
async function removeDatabases(deployment: Deployment): Removed {
  const { api, accountId, names } = deployment;
  const found = orSentence(await api.databases(accountId), deployment, "D1 Edit");
  if (!found.ok) return found;
  const ours = ledgerDatabases(names.database, D1_LIMITS.maxDatabases).reverse();
  const there = ours.flatMap(({ database_name }) => found.value.filter(({ name }) => name === database_name));
  for (const { uuid } of there) {
    const removed = orSentence(await api.deleteDatabase(accountId, uuid), deployment, "D1 Edit");
    if (!removed.ok) return removed;
  }
  return ok(there.map(({ name }) => `D1 database ${name}`));
}

/** A bucket that holds something cannot be removed, and nothing in the API empties one: a rule lets its objects expire. */
async function removeBucket(deployment: Deployment, say: (line: string) => void): Promise<Result<undefined, string>> {
  const { api, accountId, names } = deployment;
  const found = orSentence(await api.buckets(accountId), deployment, "Workers R2 Storage Edit");
  if (!found.ok) return found;
  if (!found.value.some(({ name }) => name === names.bucket)) return ok(undefined);
  const removed = await api.deleteBucket(accountId, names.bucket);
  if (removed.ok) {
    say(`- removed R2 bucket ${names.bucket}`);
    return ok(undefined);
  }
  if (removed.error.status !== 409) return orSentence(removed, deployment, "Workers R2 Storage Edit");
  const rule = {
    id: RAW_REMOVAL_RULE,
    enabled: true,
    conditions: { prefix: "" },
    deleteObjectsTransition: { condition: { type: "Age", maxAge: SECONDS_PER_DAY } },
  };
  const put = orSentence(
    await api.putLifecycle(accountId, names.bucket, [rule]),
    deployment,
    "Workers R2 Storage Edit",
  );
  if (!put.ok) return put;
  say(`- the raw reports in ${names.bucket} expire within two days; run this again then to remove the empty bucket`);
  return ok(undefined);
}
