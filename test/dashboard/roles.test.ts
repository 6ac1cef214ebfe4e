/** Who may see what: an owner of one account against every route with another account's names, ids and exports. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  eventRow,
  failureRow,
  recordRow,
  startTestEngine,
  type TestEngine,
  tlsRow,
} from "../analytics/local-engine.ts";
import { API_TOKEN, type Dashboard, ORIGIN, startDashboard } from "./harness.ts";

const nowSeconds = Math.floor(Date.now() / 1000);
const period = { beginSeconds: nowSeconds - 86_400, endSeconds: nowSeconds };
/** Words only another account's rows hold. */
const SECRETS = [
  "secret.example",
  "198.51.100.99",
  "secret-reporter",
  "secret-service.test",
  "raw/secret",
  "987,654",
  "987654",
];

let engine: TestEngine;

beforeAll(async () => {
  engine = await startTestEngine();
  const secretEvent = { account: "other", reporter: "secret-reporter", records: 0, receivedSeconds: nowSeconds };
  const secret = { sourceIp: "198.51.100.99", reporter: "secret-reporter", dkimResults: "secret-service.test k pass" };
  await engine.write("records", [
    recordRow({ ...period, count: 41, dkimResults: "acme.example s1 pass" }),
    recordRow({ ...period, ...secret, reportUid: "0ther", account: "other", domain: "secret.example", count: 987_654 }),
    // The same policy domain in another account, too.
    recordRow({ ...period, ...secret, reportUid: "0ther2", account: "other", count: 987_654 }),
  ]);
  await engine.write("events", [
    eventRow({ processedSeconds: nowSeconds, latencySeconds: 1 }),
    eventRow({ eventId: "x", account: "other", domain: "secret.example", outcome: "dead_letter", latencySeconds: 1 }),
    ...["secret.example", "acme.example"].map((domain) =>
      eventRow({ ...secretEvent, domain, eventId: `empty ${domain}` }),
    ),
  ]);
  for (const domain of ["secret.example", "acme.example"]) {
    const other = { account: "other", domain, reportUid: `0ther ${domain}` };
    await engine.write("tls", [
      tlsRow({ ...other, ...period, reporter: "secret-reporter", successfulSessions: 987_654 }),
      tlsRow({ ...other, ...period, ordinal: 1, scope: "failure", sendingMtaIp: "198.51.100.99", detailSessions: 9 }),
    ]);
    const arrival = { arrivalSeconds: nowSeconds, receivedSeconds: nowSeconds };
    await engine.write("failures", [
      failureRow({ ...other, ...arrival, sourceIp: "198.51.100.99", reportingMta: "secret-reporter" }),
    ]);
  }
});

afterAll(() => engine.stop());

function start(accessEmail: string): Promise<Dashboard> {
  const { baseUrl, accountId, token } = engine.connection;
  const analytics = { ANALYTICS_SQL_URL: baseUrl, ANALYTICS_ACCOUNT_ID: accountId, ANALYTICS_API_TOKEN: token };
  return startDashboard({ vars: analytics, accessEmail });
}

/** Every page, asked about `domain`. */
function pagesAbout(domain: string): string[] {
  const base = `/domains/${domain}`;
  const pages = ["", "/sources", "/reports", "/tls", "/failures"].map((path) => base + path);
  pages.push(
    `${base}/sources/secret-service.test`,
    `${base}/addresses/198.51.100.99`,
    `${base}/reports?reporter=secret-reporter`,
  );
  const tables = [
    ...["sources", "reports", "records", "addresses", "dkim", "from", "days", "policies", "reasons", "dispositions"],
    ...["without-records", "failures"],
  ];
  return [
    ...pages,
    ...pages.flatMap((page) => tables.map((t) => `${page}${page.includes("?") ? "&" : "?"}export=json&table=${t}`)),
  ];
}

/** A page without the link's own words, which are the asker's. */
function shown(text: string, path: string): string {
  const asked = decodeURIComponent(path)
    .split(/[/?&=]/)
    .filter((word) => word.length > 5);
  return asked.reduce((rest, word) => rest.replaceAll(word, ""), text);
}

const HTML = { headers: { accept: "text/html" } };

describe("an owner", () => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = await start("owner@acme.example");
  });
  afterAll(() => dashboard.close());

  it("sees the own account's domains and figures only", async () => {
    const text = await (await dashboard.ask("/", HTML, null)).text();
    expect(text).toContain("acme.example");
    expect(text).toContain(">41<");
    for (const secret of SECRETS) expect(text).not.toContain(secret);
    expect(text).not.toContain("/operations");
  });

  it.each(["secret.example", "acme.example"])(
    "learns nothing of another account by any page about %s",
    async (domain) => {
      for (const path of pagesAbout(domain)) {
        const answer = await dashboard.ask(path, HTML, null);
        expect([200, 404], path).toContain(answer.status);
        const text = shown(await answer.text(), path);
        for (const secret of SECRETS) expect(text, path).not.toContain(secret);
      }
    },
  );

  it.each(
    ["a99", "b99", "c99"].flatMap((uid) => ["", "/raw", "?export=json&table=records"].map((suffix) => [uid, suffix])),
  )("is told that another account's report is not there, as one that does not exist: %s%s", async (uid, suffix) => {
    const [there, missing] = await Promise.all(
      ["other", "nowhere"].map((account) =>
        dashboard.ask(`/reports/${account}/secret.example/2026-01-01/${uid}${suffix}`, {}, null),
      ),
    );
    expect([there?.status, missing?.status]).toEqual([404, 404]);
    expect(await there?.text()).toBe(await missing?.text());
  });

  it.each(["a99", "b99", "c99"])("does not get it under the own account's name: %s", async (uid) => {
    for (const suffix of ["", "/raw"]) {
      const answer = await dashboard.ask(`/reports/acme/secret.example/2026-01-01/${uid}${suffix}`, HTML, null);
      expect(answer.status).toBe(404);
      for (const secret of SECRETS) expect(shown(await answer.clone().text(), "secret.example")).not.toContain(secret);
    }
  });

  it.each([
    ["GET", "/operations"],
    ["GET", "/operations?export=json&table=outcomes"],
    ["GET", "/operations/dead-letters"],
    ["GET", "/operations/dead-letters/20260101-aaaaaaaaaaaaaaaaaaaaaaaa"],
    ["GET", "/operations/dead-letters/20260101-aaaaaaaaaaaaaaaaaaaaaaaa/raw"],
    ["GET", "/operations/conflicts"],
    ["GET", "/operations/jobs"],
    ["POST", "/operations/dead-letters"],
    ["POST", "/operations/conflicts"],
    ["POST", "/operations/jobs"],
    ["GET", "/api/v1/registry"],
    ["GET", "/api/v1/identities"],
    ["PUT", "/api/v1/identities/owner@acme.example"],
    ["GET", "/api/v1/stats?account=acme"],
    ["POST", "/api/v1/query"],
    ["GET", "/api/v1/dead-letters"],
    ["POST", "/api/v1/reprocess"],
    ["GET", "/api/v1/nothing"],
  ])("is refused %s %s", async (method, path) => {
    const headers = { origin: ORIGIN, "content-type": "application/x-www-form-urlencoded" };
    const answer = await dashboard.ask(
      path,
      { method, headers, ...(method === "GET" ? {} : { body: "action=requeue" }) },
      null,
    );
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("for operators");
  });
});

describe.each(["nothing@acme.example", "stranger@acme.example"])("%s", (email) => {
  it("sees no figure at all", async () => {
    const dashboard = await start(email);
    try {
      for (const path of ["/", "/domains/acme.example", "/domains/secret.example/sources"]) {
        const answer = await dashboard.ask(path, HTML, null);
        const text = await answer.text();
        expect(answer.status).toBe(email.startsWith("stranger") ? 403 : 200);
        if (answer.status === 403) expect(text).toContain(`dmarc identity add ${email}`);
        for (const word of [...SECRETS, ">41<"]) expect(shown(text, path)).not.toContain(word);
      }
    } finally {
      await dashboard.close();
    }
  });
});

describe("an operator", () => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = await start("operator@acme.example");
  });
  afterAll(() => dashboard.close());

  it("sees all accounts", async () => {
    const text = await (await dashboard.ask("/", HTML, null)).text();
    expect(text).toContain("acme.example");
    expect(text).toContain("secret.example");
    expect(text).toContain("987,654");
  });

  it.each([
    ["/operations/dead-letters", undefined],
    ["/operations/conflicts", "https://evil.example"],
    ["/operations/jobs", "null"],
  ])("changes nothing by a form of another origin: %s from %s", async (path, origin) => {
    const headers: Record<string, string> = origin === undefined ? {} : { origin };
    const answer = await dashboard.ask(path, { method: "POST", headers, body: "kind=reprocess&action=requeue" }, null);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("own pages");
  });

  it.each(["/?days=x", "/?from=2026-02-30", "/?export=xml", "/domains/acme.example?export=csv&table=none"])(
    "gets a sentence for %s, as a page or as JSON",
    async (path) => {
      const page = await dashboard.ask(path, HTML, null);
      expect([400, 404]).toContain(page.status);
      expect(page.headers.get("content-type")).toContain("text/html");
      expect((await dashboard.ask(path, {}, null)).headers.get("content-type")).toContain("application/json");
    },
  );
});

describe("on one machine", () => {
  it("answers only what came by the front of npm start, whoever Access says it is", async () => {
    const secret = "the-secret-of-the-door";
    const dashboard = await startDashboard({
      vars: { DOOR_SECRET: secret, API_TOKEN },
      accessEmail: "operator@acme.example",
    });
    const statusOf = async (path: string, door?: string): Promise<number> => {
      const headers = { accept: "text/html", ...(door === undefined ? {} : { "x-dmarc-door": door }) };
      return (await dashboard.ask(path, { headers })).status;
    };
    try {
      for (const wrong of [undefined, "", "wrong", `${secret}x`]) {
        expect([wrong, await statusOf("/glossary", wrong), await statusOf("/api/v1/registry", wrong)]).toEqual([
          wrong,
          403,
          403,
        ]);
      }
      expect([await statusOf("/glossary", secret), await statusOf("/api/v1/registry", secret)]).toEqual([200, 200]);
    } finally {
      await dashboard.close();
    }
  });
});
