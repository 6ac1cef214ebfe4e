/** The table of operations: what derives from it agrees with itself. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inputOf, requestOf, validate } from "../../shared/contract/operation.ts";
import { OPERATION_NAMES, OPERATIONS, type OperationName } from "../../shared/contract/operations.ts";

const routes = OPERATION_NAMES.flatMap((name) => {
  const { http } = OPERATIONS[name];
  return http === undefined ? [] : [{ name, http }];
});

/** What viewers may have done, which changes nothing that was decided or set. */
const OF_VIEWERS = new Set<string>(["checkDomain", "nameAddresses", "confirmChannelByLink"]);

/** What administrators may change of their accounts. */
const OF_ADMINISTRATORS = new Set<string>([
  "addDomain",
  "addDomains",
  "removeDomain",
  "decideSender",
  "undoSenderDecision",
  "mute",
  "unmute",
  "addChannel",
  "removeChannel",
  "testChannel",
  "setMtaSts",
  "removeMtaSts",
]);

describe("every operation", () => {
  it("has a route of its own", () => {
    const seen = routes.map(({ http: { method, path } }) => `${method} ${path.replaceAll(/:\w+/g, ":")}`);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it.each(OPERATION_NAMES)("%s: what changes something is not asked by GET, and takes a role", (name) => {
    const { changes, http, role, summary } = OPERATIONS[name];
    const isQuestionWithBody = name === "query" || name === "knownImports";
    expect(http?.method === "GET").toBe(!changes && http !== undefined && !isQuestionWithBody);
    const expected = OF_VIEWERS.has(name) ? "viewer" : OF_ADMINISTRATORS.has(name) ? "administrator" : "operator";
    if (changes) expect(role).toBe(expected);
    // What it takes a role in an account for names the account.
    if (role === "administrator") expect(Object.keys(INPUTS[name] ?? {})).toContain("account");
    expect(summary).toMatch(/^[A-Zk].+[^.]$/);
  });

  it.each(OPERATION_NAMES)("%s refuses a field it does not know", (name) => {
    const answer = validate<unknown>(OPERATIONS[name].input, { unheardOf: 1 });
    expect(answer).toMatchObject({ ok: false, error: { code: "bad_request" } });
  });
});

/** An input for each operation that has one. */
const UID = "0123456789abcdef0123456789abcdef";
const SHA256 = "0123456789abcdef".repeat(4);
const REPORT = { account: "a/b", domain: "", day: "2026-11-20", uid: UID };
const INPUTS: Partial<Record<OperationName, object>> = {
  stats: { domain: "it's.example" },
  domainDays: { kind: "tls", from: "2026-11-01", to: "2026-11-30", domain: "a.example", account: "a&b" },
  verdict: { domain: "it's.example", from: "2026-11-01", to: "2026-11-30" },
  senders: { domain: "it's.example", from: "2026-11-01", to: "2026-11-30", undecided: true },
  query: { sql: "SELECT 1", format: "tsv" },
  getRegistration: { rua: "a+b@c.example" },
  addRegistration: { rua: "a+b@c.example", entry: { account: "acme" } },
  putRegistration: { rua: "äb@c.example", entry: { account: "acme", domains: ["c.example"] } },
  removeRegistration: { rua: "a/b@c.example" },
  getIdentity: { email: "a?b@c.example" },
  putIdentity: { email: "a#b@c.example", entry: { role: "administrator", accounts: ["acme"], alsoViews: ["beta"] } },
  removeIdentity: { email: "a%b@c.example" },
  importFiles: {
    rua: "a+b@c.example",
    files: [{ sha256: SHA256, name: "a b.xml", origin: "x/a b.xml", isMail: true, subject: "ü", content: "QQ==" }],
  },
  importFile: {
    rua: "a+b@c.example",
    sha256: SHA256,
    name: "a&b.gz",
    origin: "x/a&b",
    size: 1,
    content: new Blob(["A"]),
  },
  knownImports: { sha256s: [SHA256] },
  listDeadLetters: { code: "empty", cursor: "a/b c" },
  getDeadLetter: { id: "20261120-a" },
  requeueDeadLetters: { ids: ["a", "b"], dryRun: true },
  discardDeadLetters: { filter: { code: "empty" }, cursor: "x" },
  describeRawObject: { key: "raw/2026/11/20/a&b=c" },
  readRawObject: { key: "raw/2026/11/20/a&b=c" },
  getConflict: { id: "x" },
  compareConflict: { id: "x" },
  cancelJob: { id: "x" },
  restoreDeadLetters: { ids: ["a"] },
  refusedMail: { from: "2026-11-01", to: "2026-11-30" },
  deadLetterReasons: { domain: "a.example", isDiscarded: true },
  keepVerified: { account: "a/b", domain: "a.example", kind: "aggregate", reporter: "R & D", reason: "forged" },
  acceptConflict: { id: "x" },
  discardConflict: { id: "x" },
  decideConflict: { id: "x", decision: "count_both", reason: "because" },
  readRecords: { ...REPORT, text: "a&b", isPass: false, order: "messages", descending: true, limit: 10, offset: 0 },
  addForward: {
    account: "acme",
    kind: "s3",
    name: "Lake",
    url: "https://lake.example/bucket",
    secret: "secret",
    region: "auto",
    accessKeyId: "key",
    withRecords: true,
  },
  removeForward: { id: "x" },
  testForward: { id: "x" },
  retryForward: { id: "x" },
  exportRecords: { since: "2026-11-01", until: "2026-11-30", domain: "acme.example", account: "acme", cursor: "[]" },
  readReportFile: REPORT,
  takeBackReport: { ...REPORT, reason: "forged" },
  undoTakeBack: REPORT,
  addDomain: { account: "acme", domain: "https://a.example/" },
  addDomains: { account: "acme", domains: ["a.example", "b.example"], rua: "dmarc@a.example" },
  domainSetup: { account: "acme", domain: "a.example" },
  removeDomain: { account: "acme", domain: "a.example" },
  checkDomain: { account: "acme", domain: "a.example" },
  nameAddresses: { account: "acme", addresses: ["192.0.2.1"] },
  decideSender: { account: "acme", domain: "a.example", source: "helpdesk.example", decision: "mine", note: "ours" },
  undoSenderDecision: { account: "acme", domain: "a.example", source: "2001:db8::1" },
  mtaSts: { account: "acme", domain: "a.example" },
  setMtaSts: {
    account: "a/b",
    domain: "a.example",
    mode: "testing",
    mx: ["*.a.example"],
    maxAgeSeconds: 86_400,
    force: true,
  },
  removeMtaSts: { account: "acme", domain: "a.example" },
  spfAdvice: {
    account: "acme",
    domain: "a.example",
    sender: { name: "x.example", networks: ["192.0.2.1"], service: "", isForwarder: false },
  },
  startReprocess: { filter: { domain: "a.example" }, dryRun: true },
  startReconcile: { filter: { since: "2026-11-20" } },
  exportAccount: { account: "a/b", cursor: "x" },
  forgetAccount: { account: "a/b", confirm: "a/b" },
  getJob: { id: "x" },
  listIncidents: { account: "a&b", domain: "a.example", state: "resolved" },
  worklist: { account: "a&b" },
  worklistDomains: { account: "a&b", code: "service", subject: "Twilio SendGrid", offset: 10 },
  listNotices: { account: "acme" },
  listMutes: { account: "acme" },
  addChannel: {
    account: "a/b",
    kind: "webhook",
    name: "Ops",
    target: "https://alerts.example/x?y=1",
    sendsNotices: true,
    digest: "weekly",
    timeZone: "Europe/Berlin",
  },
  removeChannel: { account: "a/b", id: "0123456789abcdef" },
  testChannel: { account: "a/b", id: "0123456789abcdef" },
  confirmChannel: { account: "a/b", id: "0123456789abcdef" },
  confirmChannelByLink: { account: "a/b", id: "0123456789abcdef", untilSeconds: 1, signature: "0" },
  runSchedule: { cron: "* * * * *" },
  mute: { account: "a/b", domain: "a.example", rule: "newSender", subject: "x y", days: 7, note: "known" },
  unmute: { account: "a/b", domain: "a.example", rule: "newSender", subject: "x y" },
};

/** What a server makes of a request: path parameters by the route, decoded. */
function received(route: string, url: string, body: string | Blob | undefined) {
  const { pathname, searchParams } = new URL(url, "http://x.example");
  const names = route.split("/").slice(1);
  const parts = pathname.replace("/api/v1", "").split("/").slice(1);
  expect(parts).toHaveLength(names.length);
  const parameters = Object.fromEntries(
    names.flatMap((name, i) => (name.startsWith(":") ? [[name.slice(1), decodeURIComponent(parts[i] ?? "")]] : [])),
  );
  return {
    parameters,
    query: Object.fromEntries(searchParams),
    body: body instanceof Blob ? body.stream() : (body ?? ""),
  };
}

describe("an input", () => {
  it.each(routes)("of $name comes through HTTP as it was", ({ name, http }) => {
    const input = INPUTS[name] ?? {};
    const { method, path, body } = requestOf(http, input);
    expect(method).toBe(http.method);
    const carried = inputOf(http.place, received(http.path, path, body));
    if (!carried.ok) throw new Error(carried.error.message);
    // Bytes arrive as a stream.
    const value = "content" in input ? { ...input, content: expect.any(ReadableStream) } : input;
    expect(validate<unknown>(OPERATIONS[name].input, carried.value)).toEqual({ ok: true, value });
  });

  it("is given for each operation with one", () => {
    const without = OPERATION_NAMES.filter((name) => INPUTS[name] === undefined);
    for (const name of without)
      expect(validate<unknown>(OPERATIONS[name].input, {}), name).toEqual({ ok: true, value: {} });
  });

  it("of any text comes through a query", () => {
    const { http } = OPERATIONS.readRawObject;
    if (http === undefined) throw new Error("no route");
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (text) => {
        const { path } = requestOf(http, { key: text.toWellFormed() });
        expect(inputOf("query", received(http.path, path, undefined))).toEqual({
          ok: true,
          value: { key: text.toWellFormed() },
        });
      }),
    );
  });

  it.each([
    ["no JSON", "{", "The body is not JSON."],
    ["nothing", "", "The body is not JSON."],
    ["a list", "[]", "The body is not a JSON object."],
    ["null", "null", "The body is not a JSON object."],
  ])("is refused when the body is %s", (_, body, message) => {
    expect(inputOf({ json: "fields" }, { parameters: {}, query: {}, body })).toEqual({
      ok: false,
      error: { code: "bad_request", message },
    });
  });

  it("cannot change in its body what its path names", () => {
    const parts = { parameters: { id: "a" }, query: {}, body: '{"id":"b","decision":"keep"}' };
    expect(inputOf({ json: "fields" }, parts)).toEqual({ ok: true, value: { id: "a", decision: "keep" } });
  });
});
