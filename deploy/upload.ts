/** The steps that upload the three Workers and give the dashboard its secrets. An upload that would change nothing is left out. */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fail, ok, type Result } from "../shared/result.ts";
import { datasetsOf, type Ids, type Worker, writeConfigs } from "./configuration.ts";
import { explain } from "./problems.ts";
import { namesOf } from "./settings.ts";
import { type Deployment, keep, type Step } from "./step.ts";
import { idsOf, orSentence } from "./stores.ts";

const WHAT: Record<Worker, string> = {
  process: "reads reports, with its queues and cron",
  dashboard: "pages and API",
  ingest: "takes mail",
};

/** Uploads a Worker with wrangler, which sets its queue consumers and cron triggers, too. */
export function uploadStep(worker: Worker): Step {
  return {
    name: `Worker ${worker}`,
    plan: ({ prefix }) => `Worker ${namesOf(prefix).workers[worker]}: ${WHAT[worker]}`,
    async look(deployment) {
      const { api, accountId, names, kept } = deployment;
      const said = `Worker ${names.workers[worker]}`;
      const ids = idsOf(deployment);
      if (ids === undefined) return ok({ isThere: false, said });
      const found = orSentence(await api.scripts(accountId), deployment, "Workers Scripts Edit");
      if (!found.ok) return found;
      if (!found.value.some(({ id }) => id === names.workers[worker])) return ok({ isThere: false, said });
      const hash = await hashOf(deployment, worker, ids);
      if (!hash.ok) return hash;
      const isSame = kept.uploaded[worker] === hash.value;
      return ok({ isThere: isSame, said: isSame ? said : `${said}: not this version` });
    },
    async make(deployment) {
      const { root, folder, settings, accountId, wrangler, names } = deployment;
      const ids = idsOf(deployment);
      if (ids === undefined) return fail("The database and the namespace have no ids yet.");
      const hash = await hashOf(deployment, worker, ids);
      if (!hash.ok) return hash;
      const config = writeConfigs(root, folder, settings, ids)[worker];
      const ran = await wrangler(["deploy", "-c", config]);
      if (!ran.ok) return fail(explain(ran.error, accountId, "Workers Scripts Edit"));
      const uploaded = { ...deployment.kept.uploaded, [worker]: hash.value };
      keep(deployment, worker === "process" ? { uploaded, datasets: datasetsOf(settings, ids) } : { uploaded });
      return ok(`uploaded ${names.workers[worker]}`);
    },
  };
}

/** Hash of a Worker's bundle and configuration. */
async function hashOf(deployment: Deployment, worker: Worker, ids: Ids): Promise<Result<string, string>> {
  const { root, folder, settings, wrangler, hashes } = deployment;
  const known = hashes.get(worker);
  if (known !== undefined) return ok(known);
  const config = writeConfigs(root, folder, settings, ids)[worker];
  const outdir = mkdtempSync(join(tmpdir(), "dmarc-bundle-"));
  try {
    const bundled = await wrangler(["deploy", "--dry-run", "-c", config, "--outdir", outdir]);
    if (!bundled.ok) return fail(bundled.error.message);
    const hash = createHash("sha256").update(readFileSync(config));
    // Source maps name the folder they were made in.
    const files = readdirSync(outdir).filter((name) => !/\.map$|^README/.test(name));
    for (const name of files.sort()) hash.update(`\0${name}\0`).update(readFileSync(join(outdir, name)));
    const digest = hash.digest("hex");
    hashes.set(worker, digest);
    return ok(digest);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

const TOKEN_SECRET = "API_TOKEN";

/** The secret for programs: `dmarc` and this command ask the dashboard with it. */
export const tokenStep: Step = {
  name: "token",
  plan: ({ prefix }) => `Secret ${TOKEN_SECRET} of ${namesOf(prefix).workers.dashboard}, for the dmarc command`,
  async look(deployment) {
    const { api, accountId, names, kept } = deployment;
    const said = `Secret ${TOKEN_SECRET}`;
    if (kept.uploaded.dashboard === undefined) return ok({ isThere: false, said });
    const found = await api.secrets(accountId, names.workers.dashboard);
    if (!found.ok && found.error.status === 404) return ok({ isThere: false, said });
    const secrets = orSentence(found, deployment, "Workers Scripts Edit");
    if (!secrets.ok) return secrets;
    const isThere = secrets.value.some(({ name }) => name === TOKEN_SECRET);
    if (isThere && kept.apiToken === undefined) {
      return fail(
        `The dashboard has a secret ${TOKEN_SECRET} that is not recorded here. Set DMARC_TOKEN to it, or create a ` +
          "new one with --new-token, which programs with the old one must then use.",
      );
    }
    return ok({ isThere, said });
  },
  async make(deployment) {
    const { api, accountId, names } = deployment;
    // Noted first: a secret that was set and not noted would be lost.
    if (deployment.kept.apiToken === undefined) keep(deployment, { apiToken: deployment.newToken() });
    const text = deployment.kept.apiToken ?? "";
    const put = await api.putSecret(accountId, names.workers.dashboard, { name: TOKEN_SECRET, text });
    const done = orSentence(put, deployment, "Workers Scripts Edit");
    return done.ok ? ok(`set the secret ${TOKEN_SECRET}`) : done;
  },
};

/**
 * Makes a new one, which programs with the old one must then use.
 *
 * @returns what was done, or why it could not be
 */
export async function replaceToken(deployment: Deployment): Promise<Result<string, string>> {
  const { api, accountId, names } = deployment;
  const text = deployment.newToken();
  const put = await api.putSecret(accountId, names.workers.dashboard, { name: TOKEN_SECRET, text });
  if (!put.ok && put.error.status === 404) return ok("nothing is deployed yet");
  const done = orSentence(put, deployment, "Workers Scripts Edit");
  if (!done.ok) return done;
  keep(deployment, { apiToken: text });
  return ok(`set a new secret ${TOKEN_SECRET}`);
}

/**
 * Takes over the secret of a dashboard that another machine deployed. One that has none yet gets its own: what is given may be
 * that of another deployment.
 *
 * @param given the secret as a person knows it; undefined = nobody said
 */
export async function adoptToken(deployment: Deployment, given: string | undefined): Promise<void> {
  const { api, accountId, names, kept } = deployment;
  if (given === undefined || kept.apiToken !== undefined) return;
  const found = await api.secrets(accountId, names.workers.dashboard);
  if (found.ok && found.value.some(({ name }) => name === TOKEN_SECRET)) keep(deployment, { apiToken: given });
}
