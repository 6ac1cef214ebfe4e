import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { change } from "../../shared/ledger/database.ts";
import { addToken } from "../../shared/ledger/tokens.ts";
import { TOKEN_LIMITS } from "../../shared/limits.ts";
import { tokenHash, tokenSecret } from "../../shared/tokens.ts";
import { apiRoutes } from "./api-routes.ts";
import { API_TOKEN, type Dashboard, ORIGIN, startDashboard } from "./harness.ts";

/** Every route, with what it takes to be understood. */
const ROUTES: [string, string][] = [
  ["GET", "/"],
  ["GET", "/anything"],
  ["GET", "/domains/acme.example"],
  ["GET", "/domains/acme.example/sources"],
  ["GET", "/domains/acme.example/sources?export=csv&table=sources"],
  ["GET", "/domains/acme.example/addresses/192.0.2.1"],
  ["GET", "/reports/acme/acme.example/2026-01-01/a1"],
  ["GET", "/reports/acme/acme.example/2026-01-01/a1/raw"],
  ["GET", "/operations"],
  ["GET", "/operations/dead-letters/20260101-aaaaaaaaaaaaaaaaaaaaaaaa/raw"],
  ["POST", "/operations/dead-letters"],
  ["POST", "/operations/conflicts"],
  ["POST", "/operations/jobs"],
  ["POST", "/reports/acme/acme.example/2026-01-01/a1"],
  ...apiRoutes(),
];

async function expectForbidden(response: Response, message: RegExp): Promise<void> {
  expect(response.status).toBe(403);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const detail = expect.stringMatching(message);
  expect(await response.json()).toMatchObject({ status: 403, code: "forbidden", detail, error: { message: detail } });
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("cache-control")).toBe("no-store");
}

describe("with the secret API_TOKEN", () => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = await startDashboard({ vars: { API_TOKEN } });
  });
  afterAll(async () => {
    await dashboard.close();
  });

  it.each(ROUTES)("%s %s is closed without a token", async (method, path) => {
    await expectForbidden(await dashboard.ask(path, { method }, null), /Cloudflare Access.*API_TOKEN/);
  });

  it.each(["", "wrong", `${API_TOKEN}x`, API_TOKEN.slice(0, -1), API_TOKEN.toUpperCase()])(
    "refuses the token %j",
    async (token) => {
      await expectForbidden(await dashboard.ask("/api/v1/registry", {}, token), /neither the secret/);
    },
  );

  it.each([`Basic ${API_TOKEN}`, API_TOKEN, `Bearer ${API_TOKEN} x`])(
    "refuses the header %j",
    async (authorization) => {
      await expectForbidden(
        await dashboard.ask("/api/v1/registry", { headers: { authorization } }, null),
        /neither the secret/,
      );
    },
  );

  it("lets the right token in, even to change something", async () => {
    expect((await dashboard.ask("/api/v1/registry")).status).toBe(200);
    expect((await dashboard.ask("/api/v1/reconcile", { method: "POST" })).status).toBe(202);
  });

  it("does not trust a header that claims to come from Access", async () => {
    const headers = { "cf-access-jwt-assertion": "x", "cf-access-authenticated-user-email": "viewer@acme.example" };
    await expectForbidden(await dashboard.ask("/api/v1/registry", { headers }, null), /closed/);
  });
});

describe.each([{ vars: {} }, { vars: { API_TOKEN: "" } }])("without a secret ($vars)", ({ vars }) => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = await startDashboard({ vars });
  });
  afterAll(async () => {
    await dashboard.close();
  });

  it.each(["", " ", "undefined", "null"])("the token %j opens nothing", async (token) => {
    expect((await dashboard.ask("/api/v1/registry", {}, token)).status).toBe(403);
  });
});

describe("with Cloudflare Access", () => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = await startDashboard({ vars: { API_TOKEN }, accessEmail: "operator@acme.example" });
  });
  afterAll(async () => {
    await dashboard.close();
  });

  it("lets its identity read", async () => {
    expect((await dashboard.ask("/api/v1/registry", {}, null)).status).toBe(200);
  });

  it.each([undefined, "https://evil.example", "null", `${ORIGIN}.evil.example`])(
    "refuses a change from the origin %s",
    async (origin) => {
      const headers: Record<string, string> = origin === undefined ? {} : { origin };
      const response = await dashboard.ask("/api/v1/reconcile", { method: "POST", headers }, null);
      await expectForbidden(response, /own pages/);
    },
  );

  it("accepts a change from its own origin", async () => {
    const response = await dashboard.ask("/api/v1/reconcile", { method: "POST", headers: { origin: ORIGIN } }, null);
    expect(response.status).toBe(202);
  });

  it("still refuses a wrong token", async () => {
    await expectForbidden(await dashboard.ask("/api/v1/registry", {}, "wrong"), /neither the secret/);
  });
});

/** As Cloudflare's page on application tokens has a service token's JWT, and its identity. */
const SERVICE_TOKEN = {
  type: "app",
  common_name: "e367826f93b8d71185e03fe518aff3b4.access",
  sub: "",
  service_token_id: "e367826f93b8d71185e03fe518aff3b4.access",
  service_token_status: true,
};

describe.each([
  ["no identity", undefined],
  ["an identity without a mail address", SERVICE_TOKEN],
  ["an identity whose mail address is empty", { ...SERVICE_TOKEN, email: "" }],
])("behind Cloudflare Access, a service token with %s", (_, identity) => {
  let dashboard: Dashboard;
  let token: string;
  beforeAll(async () => {
    dashboard = await startDashboard({ vars: { API_TOKEN }, accessService: { identity } });
    token = tokenSecret(new Uint8Array(TOKEN_LIMITS.secretBytes).fill(7));
    const times = { createdSeconds: 1, expiresSeconds: 0, revokedSeconds: 0, lastUsedSeconds: 0 };
    const reader = { id: "t1", name: "reader", account: "acme", scope: "read" as const, createdBy: "", ...times };
    await change(dashboard.ledger, addToken(reader, await tokenHash(token)));
  });
  afterAll(async () => {
    await dashboard.close();
  });

  it("opens nothing by itself", async () => {
    await expectForbidden(await dashboard.ask("/api/v1/stats", {}, null), /service token/);
    await expectForbidden(await dashboard.ask("/api/v1/reconcile", { method: "POST" }, null), /service token/);
  });

  it("gives an additional token its usual access", async () => {
    expect((await dashboard.ask("/api/v1/stats?account=acme", {}, token)).status).toBe(200);
    expect((await dashboard.ask("/api/v1/stats?account=other", {}, token)).status).toBe(403);
    expect((await dashboard.ask("/api/v1/reconcile", { method: "POST" }, token)).status).toBe(403);
  });

  it("allows everything with API_TOKEN as well, but not from a page", async () => {
    expect((await dashboard.ask("/api/v1/registry")).status).toBe(200);
    expect((await dashboard.ask("/api/v1/reconcile", { method: "POST" })).status).toBe(202);
  });

  it("does not make a wrong token valid", async () => {
    await expectForbidden(await dashboard.ask("/api/v1/registry", {}, "wrong"), /neither the secret/);
  });
});
