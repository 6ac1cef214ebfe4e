/** The steps that make what the Workers keep things in: the database and its tables, the namespace, the bucket, the queues. */

import { DATASET_PREFIX } from "../shared/analytics/columns.ts";
import { ledgerDatabases } from "../shared/ledger/shards.ts";
import { D1_LIMITS, FREE_PLAN_LIMITS, QUEUE_LIMITS } from "../shared/limits.ts";
import { SECONDS_PER_DAY } from "../shared/report-day.ts";
import { fail, ok, type Result } from "../shared/result.ts";
import { RAW_PREFIX } from "../shared/storage.ts";
import type { ApiAnswer, Lifecycle, Queue } from "./cloudflare-api.ts";
import { type Ids, writeConfigs } from "./configuration.ts";
import { explain } from "./problems.ts";
import { type Names, namesOf } from "./settings.ts";
import { type Deployment, keep, type Look, type Step } from "./step.ts";

/** The name of our rule among those of the bucket. */
const COLD_RULE = "dmarc-raw-infrequent-access";

/** A refusal as a sentence. */
export function orSentence<T>(answer: ApiAnswer<T>, { accountId }: Deployment, needs: string): Result<T, string> {
  return answer.ok ? answer : fail(explain(answer.error, accountId, needs));
}

function there(said: string): Result<Look, string> {
  return ok({ isThere: true, said });
}

function missing(said: string): Result<Look, string> {
  return ok({ isThere: false, said });
}

/** The ledger's databases: as many as are wanted, and never fewer than there are, since accounts live in them. */
export const databaseStep: Step = {
  name: "database",
  plan: ({ prefix, databases = 1 }) => databaseWords(ledgerDatabases(namesOf(prefix).database, databases)),
  async look(deployment) {
    const found = await lookAtDatabases(deployment);
    if (!found.ok) return found;
    keepDatabases(deployment, found.value);
    const absent = found.value.filter(({ id }) => id === undefined);
    return absent.length > 0 ? missing(databaseWords(absent)) : there(databaseWords(found.value));
  },
  async make(deployment) {
    const { api, accountId } = deployment;
    const found = await lookAtDatabases(deployment);
    if (!found.ok) return found;
    const absent = found.value.filter(({ id }) => id === undefined);
    for (const database of absent) {
      const made = orSentence(await api.createDatabase(accountId, database.database_name), deployment, "D1 Edit");
      if (!made.ok) return made;
      database.id = made.value.uuid;
    }
    keepDatabases(deployment, found.value);
    return ok(`made ${databaseWords(absent)}`);
  },
};

interface WantedDatabase {
  database_name: string;
  /** undefined: it is not there. */
  id: string | undefined;
}

/** The databases that the deployment is to have, by number. @returns a sentence where fewer are wanted than there are */
async function lookAtDatabases({
  api,
  accountId,
  names,
  settings,
}: Deployment): Promise<Result<WantedDatabase[], string>> {
  const listed = await api.databases(accountId);
  if (!listed.ok) return fail(explain(listed.error, accountId, "D1 Edit"));
  const ids = new Map(listed.value.map(({ name, uuid }) => [name, uuid]));
  const possible = ledgerDatabases(names.database, D1_LIMITS.maxDatabases).map(({ database_name }) => ({
    database_name,
    id: ids.get(database_name),
  }));
  const count = possible.findLastIndex(({ id }) => id !== undefined) + 1;
  const { databases } = settings;
  if (databases !== undefined && databases < count) {
    return fail(
      `The ledger has ${count} databases, and accounts may live in each of them: give --databases ${count} or more.`,
    );
  }
  return ok(possible.slice(0, Math.max(databases ?? 1, count)));
}

/** Notes their ids; while one is missing, none: nothing can be done with the others alone. */
function keepDatabases(deployment: Deployment, databases: readonly WantedDatabase[]): void {
  const { kept } = deployment;
  const ids = databases.flatMap(({ id }) => (id === undefined ? [] : [id]));
  const [databaseId, ...furtherDatabaseIds] = ids.length === databases.length ? ids : [];
  const known = [kept.databaseId, ...kept.furtherDatabaseIds];
  if (JSON.stringify(known) === JSON.stringify([databaseId, ...furtherDatabaseIds])) return;
  keep(deployment, { databaseId, furtherDatabaseIds });
  // Each Worker's configuration names them.
  deployment.hashes.clear();
}

function databaseWords(databases: readonly { database_name: string }[]): string {
  return `D1 database${databases.length === 1 ? "" : "s"} ${databases.map(({ database_name: name }) => name).join(", ")}`;
}

export const namespaceStep: Step = {
  name: "namespace",
  plan: ({ prefix }) => `KV namespace ${namesOf(prefix).namespace}`,
  async look(deployment) {
    const { api, accountId, names } = deployment;
    const found = orSentence(await api.namespaces(accountId), deployment, "Workers KV Storage Edit");
    if (!found.ok) return found;
    const namespace = found.value.find(({ title }) => title === names.namespace);
    if (namespace === undefined) return missing(`KV namespace ${names.namespace}`);
    if (deployment.kept.namespaceId !== namespace.id) keep(deployment, { namespaceId: namespace.id });
    return there(`KV namespace ${names.namespace}`);
  },
  async make(deployment) {
    const { api, accountId, names } = deployment;
    const made = orSentence(
      await api.createNamespace(accountId, names.namespace),
      deployment,
      "Workers KV Storage Edit",
    );
    if (!made.ok) return made;
    keep(deployment, { namespaceId: made.value.id });
    return ok(`made KV namespace ${names.namespace}`);
  },
};

export const bucketStep: Step = {
  name: "bucket",
  plan: ({ prefix }) => `R2 bucket ${namesOf(prefix).bucket}`,
  async look(deployment) {
    const { api, accountId, names } = deployment;
    const found = orSentence(await api.buckets(accountId), deployment, "Workers R2 Storage Edit");
    if (!found.ok) return found;
    const isThere = found.value.some(({ name }) => name === names.bucket);
    return (isThere ? there : missing)(`R2 bucket ${names.bucket}`);
  },
  async make(deployment) {
    const { api, accountId, names } = deployment;
    const made = orSentence(await api.createBucket(accountId, names.bucket), deployment, "Workers R2 Storage Edit");
    return made.ok ? ok(`made R2 bucket ${names.bucket}`) : made;
  },
};

/** Raw reports stay for good: no rule may delete them; one may move them to the cheaper class. */
export const lifecycleStep: Step = {
  name: "lifecycle",
  plan: ({ infrequentAccessDays: days }) =>
    days === undefined
      ? "R2 lifecycle: no rule deletes raw reports"
      : `R2 lifecycle: no rule deletes raw reports; after ${days} days they move to Infrequent Access`,
  async look(deployment) {
    const { api, accountId, names, settings } = deployment;
    const buckets = await bucketStep.look(deployment);
    if (!buckets.ok) return buckets;
    const wanted = settings.infrequentAccessDays;
    if (!buckets.value.isThere) return missing("R2 lifecycle");
    const found = orSentence(await api.lifecycle(accountId, names.bucket), deployment, "Workers R2 Storage Edit");
    if (!found.ok) return found;
    const { rules = [] } = found.value;
    const deleting = rules.find(deletesRaw);
    if (deleting !== undefined) {
      return fail(
        `The lifecycle rule '${deleting.id}' of the bucket ${names.bucket} deletes raw reports, from which ` +
          "everything else can be rebuilt. Remove it: " +
          `https://dash.cloudflare.com/${accountId}/r2/default/buckets/${names.bucket}/settings.`,
      );
    }
    const ours = rules.find(({ id }) => id === COLD_RULE);
    if (wanted === undefined) return there("R2 lifecycle: no rule deletes raw reports");
    const isSame =
      ours?.enabled === true && JSON.stringify(ours.storageClassTransitions) === JSON.stringify(transitions(wanted));
    return (isSame ? there : missing)(`R2 lifecycle: Infrequent Access after ${wanted} days`);
  },
  async make(deployment) {
    const { api, accountId, names, settings } = deployment;
    const wanted = settings.infrequentAccessDays;
    if (wanted === undefined) return ok("no rule deletes raw reports");
    const found = orSentence(await api.lifecycle(accountId, names.bucket), deployment, "Workers R2 Storage Edit");
    if (!found.ok) return found;
    const others = (found.value.rules ?? []).filter(({ id }) => id !== COLD_RULE);
    const ours = {
      id: COLD_RULE,
      enabled: true,
      conditions: { prefix: RAW_PREFIX },
      storageClassTransitions: transitions(wanted),
    };
    const put = await api.putLifecycle(accountId, names.bucket, [...others, ours]);
    const done = orSentence(put, deployment, "Workers R2 Storage Edit");
    return done.ok ? ok(`raw reports move to Infrequent Access after ${wanted} days`) : done;
  },
};

function transitions(days: number): unknown[] {
  return [{ condition: { type: "Age", maxAge: days * SECONDS_PER_DAY }, storageClass: "InfrequentAccess" }];
}

function deletesRaw({
  enabled,
  conditions,
  deleteObjectsTransition,
}: NonNullable<Lifecycle["rules"]>[number]): boolean {
  const prefix = conditions?.prefix ?? "";
  const isAboutRaw = RAW_PREFIX.startsWith(prefix) || prefix.startsWith(RAW_PREFIX);
  return enabled && isAboutRaw && deleteObjectsTransition !== undefined && deleteObjectsTransition !== null;
}

/** One of the three queues. */
function queueStep(key: keyof Names["queues"]): Step {
  const find = async (deployment: Deployment): Promise<Result<Queue | undefined, string>> => {
    const found = orSentence(await deployment.api.queues(deployment.accountId), deployment, "Queues Edit");
    if (!found.ok) return found;
    return ok(found.value.find(({ queue_name: name }) => name === deployment.names.queues[key]));
  };
  return {
    name: `queue ${key}`,
    plan: ({ prefix, plan }) =>
      `Queue ${namesOf(prefix).queues[key]}, messages kept ${retentionSeconds(plan) / SECONDS_PER_DAY} ` +
      `day${plan === "paid" ? "s" : " (all that the free plan has)"}`,
    async look(deployment) {
      const name = deployment.names.queues[key];
      const found = await find(deployment);
      if (!found.ok) return found;
      if (found.value === undefined) return missing(`Queue ${name}`);
      if (isKeptLongEnough(found.value, deployment)) return there(`Queue ${name}`);
      return missing(`Queue ${name}: messages kept ${retentionSeconds("paid") / SECONDS_PER_DAY} days`);
    },
    async make(deployment) {
      const { api, accountId, settings } = deployment;
      const name = deployment.names.queues[key];
      const found = await find(deployment);
      if (!found.ok) return found;
      const made =
        found.value === undefined
          ? orSentence(await api.createQueue(accountId, name), deployment, "Queues Edit")
          : ok(found.value);
      if (!made.ok) return made;
      if (isKeptLongEnough(made.value, deployment)) return ok(`made queue ${name}`);
      const seconds = retentionSeconds(settings.plan);
      const set = orSentence(
        await api.setRetention(accountId, made.value.queue_id, seconds),
        deployment,
        "Queues Edit",
      );
      const days = seconds / SECONDS_PER_DAY;
      return set.ok
        ? ok(`${found.value === undefined ? "made" : "changed"} queue ${name}: messages kept ${days} days`)
        : set;
    },
  };
}

export const queueSteps: Step[] = [queueStep("reports"), queueStep("points"), queueStep("deadLetters")];

function retentionSeconds(plan: "free" | "paid"): number {
  return plan === "paid" ? QUEUE_LIMITS.maxRetentionSeconds : FREE_PLAN_LIMITS.retentionSeconds;
}

/** What the free plan keeps cannot be changed. */
function isKeptLongEnough({ settings }: Queue, { settings: { plan } }: Deployment): boolean {
  return plan === "free" || (settings?.message_retention_period ?? 0) >= retentionSeconds(plan);
}

/** The ids that the configurations need. @returns undefined while something is not made yet */
export function idsOf({ kept, accountId }: Deployment): Ids | undefined {
  const { databaseId, furtherDatabaseIds, namespaceId, url: dashboardUrl } = kept;
  if (databaseId === undefined || namespaceId === undefined) return undefined;
  const datasets = kept.datasets ?? (kept.uploaded.process === undefined ? undefined : DATASET_PREFIX);
  return { accountId, databaseIds: [databaseId, ...furtherDatabaseIds], namespaceId, datasets, dashboardUrl };
}

/** The tables of each database, by wrangler, which notes in the database which migrations it has. */
export const tablesStep: Step = {
  name: "tables",
  plan: ({ databases = 1 }) =>
    `Tables of the ledger (migrations/)${databases === 1 ? "" : `, in each of its ${databases} databases`}`,
  async look(deployment) {
    const ids = idsOf(deployment);
    if (ids === undefined) return missing("Tables of the ledger");
    const listed = await migrate(deployment, ids, "list");
    if (!listed.ok) return listed;
    const areAllThere = listed.value.every((said) => /No migrations to apply/.test(said));
    return (areAllThere ? there : missing)("Tables of the ledger");
  },
  async make(deployment) {
    const ids = idsOf(deployment);
    if (ids === undefined) return fail("The database has no id yet.");
    const applied = await migrate(deployment, ids, "apply");
    return applied.ok ? ok("brought the tables of the ledger up to date") : applied;
  },
};

/** @returns what wrangler said about each database, or what is wrong with the first that failed */
async function migrate(deployment: Deployment, ids: Ids, what: "list" | "apply"): Promise<Result<string[], string>> {
  const { root, folder, settings, names, wrangler, accountId } = deployment;
  const { process: config } = writeConfigs(root, folder, settings, ids);
  const said: string[] = [];
  for (const { database_name: name } of ledgerDatabases(names.database, ids.databaseIds.length)) {
    const ran = await wrangler(["d1", "migrations", what, name, "--remote", "-c", config]);
    if (!ran.ok) return fail(explain(ran.error, accountId, "D1 Edit"));
    said.push(ran.value);
  }
  return ok(said);
}
