/** Support: the real dashboard Worker in workerd, from the real TOML, with the settings a test wants. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createTestHarness, type TestHarness } from "wrangler";
import { change, type LedgerDatabase } from "../../shared/ledger/database.ts";
import { putPerson } from "../../shared/ledger/people.ts";
import { LEDGER_BINDING, shardsOf } from "../../shared/ledger/shards.ts";
import type { Viewer } from "../../shared/viewers.ts";
import { migrate } from "../support/migrations.ts";

export const API_TOKEN = "the-right-secret";
/** Where the requests of a test seem to go. */
export const ORIGIN = "http://dashboard.example";

const root = resolve(import.meta.dirname, "../..");

export interface DashboardSettings {
  vars?: Record<string, string>;
  /** Mail address of the identity Cloudflare Access vouches for; absent = Access is off. */
  accessEmail?: string;
  /** Databases of the ledger; absent = one. */
  databases?: number;
}

/** Who the tests may be; anybody else has no access. */
const PEOPLE: readonly Viewer[] = [
  { email: "operator@acme.example", entry: { role: "operator", accounts: [] } },
  { email: "owner@acme.example", entry: { role: "owner", accounts: ["acme"] } },
  { email: "nothing@acme.example", entry: { role: "owner", accounts: [] } },
];

/** A running dashboard. */
export interface Dashboard {
  /** Where it listens, without a slash at its end. */
  url: string;
  /** `path` is below the origin; without `authorization` among the headers the right bearer is sent, null = none. */
  ask(path: string, init?: RequestInit, token?: string | null): Promise<Response>;
  /** The first database of the ledger it reads. */
  ledger: LedgerDatabase;
  /** All of them, their migrations applied. */
  ledgers: readonly LedgerDatabase[];
  close(): Promise<void>;
}

/** Starts it with the stand-in for process. */
export async function startDashboard(settings: DashboardSettings): Promise<Dashboard> {
  const { vars = {} } = settings;
  const folder = await mkdtemp(join(tmpdir(), "dmarc-dashboard-"));
  const server: TestHarness = createTestHarness({
    root,
    workers: [
      { configPath: await writeConfig(folder, settings), env: "local", vars },
      {
        config: {
          name: "dmarc-process",
          main: resolve(import.meta.dirname, "process-stand-in.js"),
          compatibility_date: "2026-11-01",
          // The same database as the dashboard's.
          d1_databases: [{ binding: "D1_DMARC_REPORTS", database_name: "dmarc-reports", database_id: "dmarc-reports" }],
        },
      },
    ],
  });
  const { url } = await server.listen();
  const { directory: ledger, all: ledgers } = shardsOf(await server.getWorker("dmarc-dashboard").getEnv());
  for (const database of ledgers) await migrate(database);
  await change(
    ledger,
    PEOPLE.map((person) => putPerson(person, 1)),
  );
  return {
    url: url.origin,
    ledger,
    ledgers,
    async ask(path, init = {}, token = API_TOKEN) {
      const headers = new Headers(init.headers);
      if (token !== null) headers.set("authorization", `Bearer ${token}`);
      const { body, method = "GET" } = init;
      const answer = await server
        .getWorker("dmarc-dashboard")
        .fetch(`${ORIGIN}${path}`, { method, headers: [...headers], ...(typeof body === "string" ? { body } : {}) });
      return new Response(answer.status === 204 ? null : await answer.text(), {
        status: answer.status,
        headers: [...answer.headers],
      });
    },
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

// The real TOML; Access can be mocked by configuration only, so that is added to a copy, and so are further databases.
async function writeConfig(folder: string, { accessEmail, databases = 1 }: DashboardSettings): Promise<string> {
  const original = join(root, "wrangler.dashboard.toml");
  if (accessEmail === undefined && databases === 1) return original;
  const toml = (await readFile(original, "utf8")).replace(
    /^main = .*$/m,
    `main = ${JSON.stringify(join(root, "workers/dashboard/index.ts"))}`,
  );
  const identity = JSON.stringify(accessEmail);
  const access =
    accessEmail === undefined ? "" : `[env.local.access.dev]\naud = "test"\nidentity = { email = ${identity} }\n`;
  const path = join(folder, "wrangler.toml");
  await writeFile(path, [toml, ...furtherDatabases(databases), access].join("\n"));
  return path;
}

/** What a TOML file has more when the ledger has several databases: one text a database. */
export function furtherDatabases(databases: number): string[] {
  return Array.from({ length: databases - 1 }, (_, i) => {
    const name = JSON.stringify(`dmarc-reports-${i + 1}`);
    const binding = JSON.stringify(`${LEDGER_BINDING}_${i + 1}`);
    return `[[env.local.d1_databases]]\nbinding = ${binding}\ndatabase_name = ${name}\ndatabase_id = ${name}\n`;
  });
}
