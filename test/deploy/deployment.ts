/** Support of the tests of npm run deploy: a deployment against the stand-in of Cloudflare's API, in a folder of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cloudflareApi } from "../../deploy/cloudflare-api.ts";
import { readKept } from "../../deploy/kept.ts";
import { type GivenSettings, namesOf, readSettings } from "../../deploy/settings.ts";
import type { Deployment } from "../../deploy/step.ts";
import { wranglerFor } from "../../deploy/wrangler.ts";
import { CloudflareStandIn, type StandInOptions } from "../support/cloudflare-api.ts";

export const ROOT = resolve(import.meta.dirname, "../..");

export interface TestDeployment {
  cloudflare: CloudflareStandIn;
  /** A deployment as a run of the command begins it: with what the run before kept. */
  begin(given?: GivenSettings): Deployment;
  close(): Promise<void>;
}

export async function startDeployment(options: StandInOptions = {}): Promise<TestDeployment> {
  const cloudflare = new CloudflareStandIn(options);
  const baseUrl = await cloudflare.listen();
  const folder = mkdtempSync(join(tmpdir(), "dmarc-deployment-"));
  const { accountId, token } = cloudflare;
  let made = 0;
  // What is uploaded does not change while a test runs.
  const hashes: Deployment["hashes"] = new Map();
  return {
    cloudflare,
    begin(given = {}) {
      const settings = readSettings({ rua: "dmarc@example.com", ...given });
      const kept = readKept(folder);
      if (!settings.ok) throw new Error(settings.error);
      if (!kept.ok) throw new Error(kept.error);
      // Its waits take a tenth of their time.
      let skipped = 0;
      const clock = {
        nowMilliseconds: () => Date.now() + skipped,
        sleep: async (milliseconds: number) => {
          await sleep(milliseconds / 10);
          skipped += 0.9 * milliseconds;
        },
      };
      return {
        root: ROOT,
        folder,
        settings: settings.value,
        names: namesOf(settings.value.prefix),
        accountId,
        api: cloudflareApi({ baseUrl, token, fetch: (url, init) => fetch(url, init), ...clock }),
        wrangler: wranglerFor({ root: ROOT, baseUrl, accountId, token }),
        fetch: (url, init) => cloudflare.fetchWorker(url, init),
        ...clock,
        newToken: () => `secret-of-programs-${++made}`,
        kept: kept.value,
        hashes,
      };
    },
    async close() {
      await cloudflare.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
