/** Support: the real dashboard Worker in workerd, on its real configuration, with the settings a test wants. */
import { resolve } from "node:path";
import { expect } from "vitest";
import { createTestHarness, type TestHarness } from "wrangler";
import { type ContractClient, contractClient } from "../../shared/contract/client.ts";
import { change, type LedgerDatabase } from "../../shared/ledger/database.ts";
import { putPerson } from "../../shared/ledger/people.ts";
import { shardsOf } from "../../shared/ledger/shards.ts";
import type { Person } from "../../shared/people.ts";
import { localWorker } from "../support/local-workers.ts";
import { migrate } from "../support/migrations.ts";
import { ledgerWorker, outsideLedger } from "../support/outside-ledger.ts";

export const API_TOKEN = "the-right-secret";
/** Where the requests of a test seem to go. */
export const ORIGIN = "http://dashboard.example";

const root = resolve(import.meta.dirname, "../..");

export interface DashboardSettings {
  vars?: Record<string, string>;
  /** Mail address of the identity that Cloudflare Access asserts; absent = Access is off. */
  accessEmail?: string;
  /** Access has let in something without a mail address: its identity, undefined = none. */
  accessService?: { identity: Record<string, unknown> | undefined };
  /** Databases of the ledger; absent = one. */
  databases?: number;
}

/** Who the tests may be; anybody else has no access. */
const PEOPLE: readonly Person[] = [
  { email: "operator@acme.example", entry: { role: "operator", accounts: [] } },
  { email: "administrator@acme.example", entry: { role: "administrator", accounts: ["acme"] } },
  { email: "viewer@acme.example", entry: { role: "viewer", accounts: ["acme"] } },
  { email: "both@acme.example", entry: { role: "administrator", accounts: ["acme"], alsoViews: ["other"] } },
  { email: "nothing@acme.example", entry: { role: "viewer", accounts: [] } },
];

/** A running dashboard. */
export interface Dashboard {
  /** Where it listens, without a slash at its end. */
  url: string;
  /** `path` is below the origin; without `authorization` among the headers the right bearer is sent, null = none. */
  ask(path: string, init?: RequestInit, token?: string | null): Promise<Response>;
  /** The same of any URL, and as the headers are. */
  askUrl(url: string, init?: RequestInit): Promise<Response>;
  /** The first database of the ledger it reads. */
  ledger: LedgerDatabase;
  /** All of them, their migrations applied. */
  ledgers: readonly LedgerDatabase[];
  close(): Promise<void>;
}

/** A client of its API. */
export function apiOf({ url, ask }: Dashboard, token: string = API_TOKEN): ContractClient {
  return contractClient({ url, token, fetch: (asked, init) => ask(asked.slice(url.length), init, token) });
}

/** A page as text, without the elements around names. */
export async function pageOf({ ask }: Dashboard, path: string): Promise<string> {
  const answer = await ask(path, { headers: { accept: "text/html" } });
  expect(answer.status, path).toBe(200);
  return (await answer.text()).replaceAll(/<\/?bdi[^>]*>|<wbr\/?>/g, "");
}

/** Starts it with the stand-in for process. */
export async function startDashboard({
  vars = {},
  accessEmail,
  accessService,
  databases,
}: DashboardSettings): Promise<Dashboard> {
  const worker = localWorker("dashboard", { vars, accessEmail, accessService, databases });
  const server: TestHarness = createTestHarness({
    root,
    workers: [
      worker,
      ledgerWorker(worker.config),
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
  const bindings = (worker.config.d1_databases ?? []).map(({ binding }) => [binding, outsideLedger(server, binding)]);
  const { directory: ledger, all: ledgers } = shardsOf(Object.fromEntries(bindings));
  for (const database of ledgers) await migrate(database);
  await change(
    ledger,
    PEOPLE.flatMap((person) => putPerson(person, { by: "", nowSeconds: 1 })),
  );
  const askUrl: Dashboard["askUrl"] = async (asked, { body, method = "GET", headers } = {}) => {
    const answer = await server.getWorker("dmarc-dashboard").fetch(asked, {
      method,
      headers: [...new Headers(headers)],
      ...(typeof body === "string" ? { body } : {}),
    });
    return new Response(answer.status === 204 ? null : await answer.text(), {
      status: answer.status,
      headers: [...answer.headers],
    });
  };
  return {
    url: url.origin,
    ledger,
    ledgers,
    askUrl,
    ask(path, init = {}, token = API_TOKEN) {
      const headers = new Headers(init.headers);
      if (token !== null) headers.set("authorization", `Bearer ${token}`);
      return askUrl(`${ORIGIN}${path}`, { ...init, headers });
    },
    close: () => server.close(),
  };
}
