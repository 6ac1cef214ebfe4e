/**
 * Who may see and do what: administrator and viewer of one account against every page with another account's names, ids
 * and exports.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OPERATION_NAMES, OPERATIONS, type OperationName } from "../../shared/contract/operations.ts";
import { addAccount } from "../../shared/ledger/accounts.ts";
import { addChannel, addDelivery } from "../../shared/ledger/channels.ts";
import { type Change, change, type LedgerDatabase } from "../../shared/ledger/database.ts";
import { putDeadLetters } from "../../shared/ledger/dead-letters.ts";
import { beginRound } from "../../shared/ledger/domain-verdicts.ts";
import { addNotices, keepIncidents, putMute } from "../../shared/ledger/notices.ts";
import { putSenderDecision } from "../../shared/ledger/sender-decisions.ts";
import { changeTags, setGroup } from "../../shared/ledger/tags.ts";
import type { Role } from "../../shared/people.ts";
import type { FailureReport, TlsReport } from "../../shared/report/vocabulary.ts";
import type { Incident, Mute, Notice } from "../../shared/watch/finding.ts";
import { changeRoutes, fillPath, type PagePath, type PageRoute, pageRoutes } from "../../workers/dashboard/routes.ts";
import {
  aggregateReport,
  commitSamples,
  deadLetterRow,
  failureReport,
  type Sample,
  sampleRecord,
} from "../support/ledger-fill.ts";
import { TODAY } from "../support/today.ts";
import { API_TOKEN, type Dashboard, ORIGIN, startDashboard } from "./harness.ts";

const nowSeconds = Math.floor(Date.now() / 1000);
const yesterday = TODAY - 1;
/** Words only another account's reports hold. */
const SECRETS = [
  "secret.example",
  "198.51.100.99",
  "secret-reporter",
  "secret-service.test",
  "raw/secret",
  "987,654",
  "987654",
];
const UIDS = { aggregate: "a".repeat(32), tls: "b".repeat(32), failure: "c".repeat(32) };
const LETTER = "20260101-aaaaaaaaaaaaaaaaaaaaaaaa";

function tls(domain: string): TlsReport {
  return {
    kind: "tls",
    orgName: "secret-reporter",
    contactInfo: "",
    reportId: `tls ${domain}`,
    beginSeconds: yesterday * 86_400,
    endSeconds: yesterday * 86_400 + 86_399,
    warnings: [],
    omittedWarnings: 0,
    contentHash: "",
    policies: [
      {
        policyType: "sts",
        policyDomain: domain,
        policyStrings: [],
        mxHosts: [],
        successfulSessionCount: 987_654,
        failedSessionCount: 9,
        failureDetails: [
          {
            resultType: "certificate-expired",
            sendingMtaIp: "198.51.100.99",
            receivingMxHostname: "",
            receivingMxHelo: "",
            receivingIp: "",
            failedSessionCount: 9,
            additionalInformation: "",
            failureReasonCode: "",
          },
        ],
      },
    ],
  };
}

function failure(domain: string): FailureReport {
  return failureReport({
    reportedDomain: domain,
    sourceIp: "198.51.100.99",
    arrivalSeconds: nowSeconds - 3600,
    reportingMta: "secret-reporter",
    incidents: 987_654,
  });
}

/** Another account's reports, about its own domain and about one that the person has too. */
function secretSamples(): Sample[] {
  return ["secret.example", "acme.example"].flatMap((domain, i) => {
    const results = [
      { domain: "secret-service.test", selector: "k", result: "pass" as const, rawResult: "", humanResult: "" },
    ];
    const records = [sampleRecord(domain, { sourceIp: "198.51.100.99", count: 987_654, dkimResults: results })];
    const uid = (kind: keyof typeof UIDS): string => (i === 0 ? UIDS[kind] : `${UIDS[kind].slice(0, 30)}99`);
    const place = (uid: string) => ({
      account: "other",
      receivedSeconds: nowSeconds,
      rawKey: `raw/secret/${uid}`,
      uid,
    });
    const about = { day: yesterday, reporter: "secret-reporter" };
    return [
      { ...place(uid("aggregate")), records, report: aggregateReport(domain, { ...about, records }) },
      { ...place(uid("tls")), records: [], report: tls(domain) },
      { ...place(uid("failure")), records: [], report: failure(domain) },
      { ...place(`d${i}`.padEnd(32, "0")), records: [], report: aggregateReport(domain, { ...about, records: [] }) },
    ];
  });
}

/** An incident; of the other account and of the pipeline itself with words that only they hold. */
function incidentOf(account: string, domain: string, subject: string): Incident {
  return {
    id: `${account}-${domain}`,
    account,
    domain,
    rule: "newSender",
    subject,
    severity: "attention",
    title: `${subject} began to send as ${domain}`,
    evidence: [],
    causes: [],
    link: "/",
    isEvent: true,
    state: "open",
    openedSeconds: nowSeconds,
    foundSeconds: nowSeconds,
    remindedSeconds: 0,
    resolvedSeconds: 0,
  };
}

function noticeOf(incident: Incident): Notice {
  const told = { step: "opened" as const, cause: "", createdSeconds: nowSeconds, urgency: "immediate" as const };
  return { ...incident, ...told, incident: incident.id };
}

/** A channel of somebody else's, and something on its way there. */
function channelOf(account: string, name: string): Change[] {
  const id = "c".repeat(16);
  const settings = { kind: "email" as const, name, target: `ops@${name}`, digest: "daily" as const, timeZone: "UTC" };
  const times = { confirmedSeconds: 1, createdSeconds: 1, unanswered: 0, silentUntilSeconds: 0 };
  const channel = { ...settings, ...times, id, account, sendsNotices: true, secret: name, createdBy: name };
  return [addChannel(channel), addDelivery(channel, { kind: "notice", subject: name }, nowSeconds)];
}

function muteOf(account: string, subject: string): Mute {
  return {
    account,
    domain: "acme.example",
    rule: "newSender",
    subject,
    untilSeconds: 0,
    note: "",
    mutedSeconds: nowSeconds,
    mutedBy: subject,
  };
}

function decisionOf(domain: string) {
  const decided = { decision: "mine" as const, note: "secret-service.test", decidedBy: "secret-service.test" };
  return { ...decided, account: "other", domain, source: "secret-service.test", decidedSeconds: nowSeconds };
}

/** Fills the databases of the person's account and of the other one, which may be the same. */
async function fill(directory: LedgerDatabase, { own: ledger, other }: { own: LedgerDatabase; other: LedgerDatabase }) {
  const records = [sampleRecord("acme.example", { count: 41 })];
  const own: Sample = {
    account: "acme",
    uid: "1".repeat(32),
    report: aggregateReport("acme.example", { day: yesterday, records }),
    records,
    receivedSeconds: nowSeconds,
  };
  await commitSamples(ledger, [own], { nowSeconds });
  for (const sample of secretSamples()) await commitSamples(other, [sample], { nowSeconds });
  const isSplit = ledger !== other;
  await change(directory, [
    addAccount({ account: "acme", shard: isSplit ? 1 : 0 }, 1),
    addAccount({ account: "other", shard: isSplit ? 2 : 0 }, 1),
  ]);
  await change(directory, [setGroup({ account: "other", group: "secret-service.test" })]);
  for (const database of new Set([ledger, other])) await change(database, beginRound(nowSeconds));
  await change(ledger, [
    ...keepIncidents([incidentOf("acme", "acme.example", "own-service.test")]),
    putMute(muteOf("acme", "own-muted.test")),
  ]);
  await change(directory, keepIncidents([incidentOf("", "", "secret-service.test")]));
  await change(other, [
    ...["secret.example", "acme.example"].flatMap((domain) =>
      keepIncidents([incidentOf("other", domain, "secret-service.test")]),
    ),
    ...addNotices(
      ["secret.example", "acme.example"].map((domain) => noticeOf(incidentOf("other", domain, "secret-service.test"))),
    ),
    ...channelOf("other", "secret-service.test"),
    putMute(muteOf("other", "secret-service.test")),
    ...changeTags("other", ["secret.example", "acme.example"], { add: ["secret-service.test"], remove: [] }),
    ...["secret.example", "acme.example"].map((domain) => putSenderDecision(decisionOf(domain))),
    putDeadLetters([deadLetterRow({ id: LETTER, account: "other", domain: "secret.example", rawKey: "raw/secret" })]),
  ]);
}

/** @param databases one for all, or three: the person's account in the second, the other one in the third */
async function start(accessEmail: string, databases = 1): Promise<Dashboard> {
  const dashboard = await startDashboard({ accessEmail, databases });
  const { ledger, ledgers } = dashboard;
  await fill(ledger, { own: ledgers[1] ?? ledger, other: ledgers[2] ?? ledger });
  return dashboard;
}

/** What a page is asked with: names of the other account's. */
function askedWith(domain: string, uid: string): Record<string, string> {
  return {
    domain,
    source: "secret-service.test",
    address: "198.51.100.99",
    account: "other",
    day: new Date(yesterday * 86_400_000).toISOString().slice(0, 10),
    uid,
    id: LETTER,
  };
}

/** Links to a page and to its exports, with the other account's names. */
function linksTo(path: PagePath, { tables }: PageRoute, domain: string): string[] {
  const uids = path.startsWith("/reports/") ? Object.values(UIDS) : [""];
  return uids.flatMap((uid) => {
    const page = fillPath(path, askedWith(domain, uid));
    const month = new Date(yesterday * 86_400_000).toISOString().slice(0, 7);
    const searched = {
      "/domains/:domain/reports": [`${page}?reporter=secret-reporter`, `${page}?source=198.51.100.99`],
      "/domains/:domain/report": [`${page}?month=${month}`],
      "/report": [
        `${page}?month=${month}`,
        `${page}?account=other&month=${month}`,
        `${page}?account=acme&month=${month}`,
      ],
    };
    return [
      page,
      ...(Object.hasOwn(searched, path) ? searched[path as keyof typeof searched] : []),
      ...tables.flatMap((id) => ["csv", "json"].map((format) => `${page}?export=${format}&table=${id}`)),
    ];
  });
}

/** Operations of the API that read, and what they have to be asked with besides the path. */
function readingOperations(): [OperationName, string][] {
  const needed: Partial<Record<OperationName, string>> = {
    domainDays: "?kind=aggregate&from=2020-01-01&to=2100-01-01",
    listSourceGroups: "?by=network",
    worklistDomains: "?code=newSender",
  };
  return OPERATION_NAMES.flatMap((name): [OperationName, string][] => {
    const { http, changes, role } = OPERATIONS[name];
    if (http === undefined || http.method !== "GET" || changes || role === "operator") return [];
    return [[name, `${http.path}${needed[name] ?? ""}`]];
  });
}

/** Whether somebody whose highest role is `own` may open a page for `needed`. */
function mayOpen(own: Role, needed: Role): boolean {
  return needed === "viewer" || own === "operator" || own === needed;
}

/** A page without the link's own words, which are the asker's. */
function shown(text: string, path: string): string {
  const asked = decodeURIComponent(path)
    .split(/[/?&=]/)
    .filter((word) => word.length > 5);
  return asked.reduce((rest, word) => rest.replaceAll(word, ""), text);
}

const HTML = { headers: { accept: "text/html" } };

const FORM = { origin: ORIGIN, "content-type": "application/x-www-form-urlencoded" };

/** Path of a form, about a domain. */
function formPath(path: string, domain: string): string {
  return path
    .replace(":domain", domain)
    .replace(/:(source|address)/, "198.51.100.99")
    .replace(":account", "other");
}

describe.each([
  { role: "administrator", databases: 1 },
  { role: "administrator", databases: 3 },
  { role: "viewer", databases: 1 },
] as const)("$role of one account, the ledger in $databases databases,", ({ role: own, databases }) => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = await start(`${own}@acme.example`, databases);
  });
  afterAll(() => dashboard.close());

  it("sees only the account's own domains and figures", async () => {
    const text = await (await dashboard.ask("/", HTML, null)).text();
    expect(text).toContain("acme.example");
    expect(text).toContain(">41<");
    for (const secret of SECRETS) expect(text).not.toContain(secret);
    expect(text).not.toContain("/operations");
  });

  it("sees the account's incidents and mutes, and may mute as an administrator", async () => {
    const text = await (await dashboard.ask("/alerts", HTML, null)).text();
    expect(text).toContain("own-service.test began to send as acme.example");
    expect(text).toContain("own-muted.test");
    const form = (body: string) => dashboard.ask("/alerts", { method: "POST", headers: FORM, body }, null);
    const refused = own === "administrator" ? 400 : 403;
    expect((await form("account=acme&rule=nonsense")).status).toBe(refused);
    expect((await form("account=acme&rule=newSender&days=0")).status).toBe(refused);
  });

  it("sees the account's report, but cannot take it back", async () => {
    const { day } = askedWith("", "");
    const path = `/reports/acme/acme.example/${day}/${"1".repeat(32)}`;
    const page = await dashboard.ask(path, HTML, null);
    expect(page.status).toBe(200);
    expect(await page.text()).not.toContain("take-back");
    const body = "action=take-back&confirmed=yes&reason=x";
    expect((await dashboard.ask(path, { method: "POST", headers: FORM, body }, null)).status).toBe(403);
  });

  it.each(
    pageRoutes()
      .filter(([, { role }]) => mayOpen(own, role))
      .flatMap(([path, route]) => ["secret.example", "acme.example"].map((domain) => ({ path, route, domain }))),
  )("learns nothing of another account by $path about $domain", async ({ path, route, domain }) => {
    for (const link of linksTo(path, route, domain)) {
      const answer = await dashboard.ask(link, HTML, null);
      expect([200, 404], link).toContain(answer.status);
      if (path.startsWith("/reports/")) expect(answer.status, link).toBe(404);
      const text = shown(await answer.text(), link);
      for (const secret of SECRETS) expect(text, link).not.toContain(secret);
    }
  });

  it.each(
    readingOperations().flatMap(([name, path]) =>
      ["secret.example", "acme.example"].map((domain) => [name, path, domain]),
    ),
  )("learns nothing of another account by the API: %s (%s) about %s", async (_, path, domain) => {
    const asked: Record<string, string> = { ...askedWith(domain, UIDS.aggregate), code: "bad_request" };
    const filled = path.replaceAll(/:(\w+)/g, (_name, name: string) => encodeURIComponent(asked[name] ?? ""));
    const answers: number[] = [];
    for (const more of ["", "account=other"]) {
      const link = `/api/v1${filled}${more === "" ? "" : `${filled.includes("?") ? "&" : "?"}${more}`}`;
      const answer = await dashboard.ask(link, {}, null);
      answers.push(answer.status);
      const text = shown(await answer.text(), link);
      for (const secret of SECRETS) expect(text, link).not.toContain(secret);
    }
    // Without the account, most are answered about the person's own.
    expect(answers[1], path).not.toBe(500);
    expect([200, 400, 403, 404], path).toContain(answers[0]);
  });

  it.each(
    Object.values(UIDS).flatMap((uid) => ["", "/raw", "?export=json&table=records"].map((suffix) => [uid, suffix])),
  )("cannot tell another account's report from a missing one: %s%s", async (uid, suffix) => {
    const { day } = askedWith("secret.example", "");
    const [there, missing] = await Promise.all(
      ["other", "nowhere"].map((account) =>
        dashboard.ask(`/reports/${account}/secret.example/${day}/${uid}${suffix}`, {}, null),
      ),
    );
    expect([there?.status, missing?.status]).toEqual([404, 404]);
    expect(await there?.text()).toBe(await missing?.text());
  });

  it.each(Object.values(UIDS))("does not get it under the name of its own account: %s", async (uid) => {
    const { day } = askedWith("secret.example", "");
    for (const suffix of ["", "/raw"]) {
      const answer = await dashboard.ask(`/reports/acme/secret.example/${day}/${uid}${suffix}`, HTML, null);
      expect(answer.status).toBe(404);
      const text = shown(await answer.text(), "secret.example");
      for (const secret of SECRETS) expect(text).not.toContain(secret);
    }
  });

  it.each(
    changeRoutes()
      .filter(([, { role }]) => mayOpen(own, role))
      .flatMap(([path]) => [
        [path, "account=other&decision=mine", "secret.example"],
        [path, "account=other&decision=mine", "acme.example"],
        [path, "decision=mine", "acme.example"],
      ]),
  )("changes nothing by %s with %s about %s", async (path, body = "", domain = "") => {
    const link = formPath(path ?? "", domain);
    const form = `${body}&domains=secret.example`;
    const answer = await dashboard.ask(link, { method: "POST", headers: FORM, body: form }, null);
    // Tags are given to domains wherever they are: it says that this is none of one's own.
    expect(answer.status).toBe(path === "/tags" ? 422 : 404);
  });

  it.each([
    ...pageRoutes()
      .filter(([, { role }]) => !mayOpen(own, role))
      .flatMap(([path, route]) => linksTo(path, route, "secret.example").map((link) => ["GET", link])),
    ...changeRoutes()
      .filter(([, { role }]) => !mayOpen(own, role))
      .map(([path]) => ["POST", formPath(path, "acme.example")]),
  ])("is refused %s %s", async (method, path) => {
    const answer = await dashboard.ask(
      path ?? "",
      { method: method ?? "GET", headers: FORM, ...(method === "GET" ? {} : { body: "action=requeue" }) },
      null,
    );
    expect(answer.status).toBe(403);
    expect(await answer.text()).toMatch(/for (operators|administrators)/);
  });
});

/** Forms of the own account that only its administrators may send. */
const OWN_FORMS: [path: string, body: string][] = [
  ["/alerts", "rule=newSender&domain=acme.example"],
  ["/add", "domains=new.example"],
  ["/channels", "kind=email&digest=weekly&target=a%40b.example&timeZone=UTC&action=add"],
  ["/domains/acme.example/setup", "action=remove"],
  ["/domains/acme.example/setup", "action=remove&confirmed=yes"],
  ["/domains/acme.example/inbound", "action=set&mode=testing&mx=mx.acme.example&max_age=86400"],
  ["/domains/acme.example/senders", "decision=mine&subject=192.0.2.1"],
  ["/domains/acme.example/sources/helpdesk.example", "decision=mine"],
  ["/domains/acme.example/addresses/192.0.2.1", "action=undo"],
];

describe("a different role in each account", () => {
  it.each([
    ["viewer@acme.example", "acme"],
    ["both@acme.example", "other"],
  ])("shows no button for %s in %s to a viewer, and answers its form with 403", async (email, account) => {
    const dashboard = await start(email);
    try {
      for (const [path, body] of OWN_FORMS) {
        const form = { method: "POST", headers: { ...FORM, accept: "text/html" }, body: `${body}&account=${account}` };
        const answer = await dashboard.ask(path, form, null);
        expect(answer.status, path).toBe(403);
        expect(await answer.text()).toMatch(/for administrators/);
      }
      if (account !== "acme") return;
      const paths = ["/", "/alerts", "/channels", ...OWN_FORMS.map(([path]) => path).filter((path) => path !== "/add")];
      for (const path of paths) {
        const page = await (await dashboard.ask(path, HTML, null)).text();
        // Checking what DNS says is a viewer's as well.
        const forms = page.match(/<form[^>]*method="post"[^>]*>.*?<\/form>/gs) ?? [];
        expect(
          forms.filter((form) => !/Check (now|again)/.test(form)),
          path,
        ).toEqual([]);
        expect(page, path).not.toContain('href="/add"');
      }
    } finally {
      await dashboard.close();
    }
  });

  it("shows the buttons to an administrator", async () => {
    const dashboard = await start("both@acme.example");
    try {
      const alerts = await (await dashboard.ask("/alerts", HTML, null)).text();
      expect(alerts).toContain('value="acme"');
      expect(alerts).not.toContain('name="account" value="other"');
      const channels = await (await dashboard.ask("/channels", HTML, null)).text();
      expect(channels).toContain('<option value="acme">');
      expect(channels).not.toContain('<option value="other">');
      expect((await dashboard.ask("/add", HTML, null)).status).toBe(200);
    } finally {
      await dashboard.close();
    }
  });
});

describe.each(["nothing@acme.example", "stranger@acme.example"])("%s", (email) => {
  it("sees no figures", async () => {
    const dashboard = await start(email);
    try {
      const links = pageRoutes()
        .filter(([path, { role }]) => role === "viewer" && path !== "/glossary")
        .flatMap(([path, route]) => linksTo(path, route, "acme.example"));
      for (const path of links) {
        const answer = await dashboard.ask(path, HTML, null);
        const text = await answer.text();
        expect(email.startsWith("stranger") ? [403] : [200, 404], path).toContain(answer.status);
        if (answer.status === 403) expect(text).toContain(`dmarc identity add ${email}`);
        for (const word of [...SECRETS, ">41<"]) expect(shown(text, path), path).not.toContain(word);
      }
    } finally {
      await dashboard.close();
    }
  });
});

describe.each([1, 3])("an operator, the ledger in %i databases,", (databases) => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = await start("operator@acme.example", databases);
  });
  afterAll(() => dashboard.close());

  it("sees all accounts", async () => {
    const text = await (await dashboard.ask("/", HTML, null)).text();
    expect(text).toContain("acme.example");
    expect(text).toContain("secret.example");
    expect(text).toContain("987,654");
  });

  it("gets every page of every account, each with its tables", async () => {
    for (const [path, { tables }] of pageRoutes()) {
      if (path.startsWith("/reports/") || /:id|\/logo$/.test(path)) continue;
      const page = fillPath(path, askedWith("secret.example", ""));
      const answer = await dashboard.ask(page, HTML, null);
      expect(answer.status, page).toBe(200);
      await answer.text();
      for (const table of tables) {
        const file = await dashboard.ask(`${page}?export=json&table=${table}`, {}, null);
        expect(file.status, `${page} ${table}`).toBe(200);
        expect(Array.isArray(JSON.parse(await file.text()))).toBe(true);
      }
      const none = await dashboard.ask(`${page}?export=json&table=not-a-table`, {}, null);
      expect(none.status, page).toBe(404);
    }
  });

  it("gets a report of each kind", async () => {
    for (const uid of Object.values(UIDS)) {
      const answer = await dashboard.ask(
        fillPath("/reports/:account/:domain/:day/:uid", askedWith("secret.example", uid)),
        HTML,
        null,
      );
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain("secret-reporter");
    }
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
      expect((await dashboard.ask(path, {}, null)).headers.get("content-type")).toContain("application/problem+json");
    },
  );
});

describe("on one machine", () => {
  it("only requests through the front of npm start are answered, for any Access identity", async () => {
    const secret = "the-secret-of-the-workers";
    const dashboard = await startDashboard({
      vars: { WORKERS_SECRET: secret, API_TOKEN },
      accessEmail: "operator@acme.example",
    });
    const statusOf = async (path: string, given?: string): Promise<number> => {
      const headers = { accept: "text/html", ...(given === undefined ? {} : { "x-dmarc-workers-secret": given }) };
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
