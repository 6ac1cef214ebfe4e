/**
 * Requests of attackers to every route of the dashboard, with all Workers behind it: wrong methods, bodies, content types,
 * encodings, headers and cookies. None is a failure of ours, tells of another account, leads elsewhere, or leaves markup in
 * a page. More and other ones as of any property (support/properties.ts).
 */
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { API_ROOT } from "../../shared/contract/operation.ts";
import { OPERATION_NAMES, OPERATIONS } from "../../shared/contract/operations.ts";
import { changeRoutes, pageRoutes } from "../../workers/dashboard/routes.ts";
import fc from "../support/properties.ts";
import { sampleReport } from "../support/sample-report.ts";
import { API_TOKEN } from "./harness.ts";
import { type Pipeline, startPipeline } from "./pipeline.ts";

/** A route and whoever asks. */
const REQUESTS = fc.TIMES;
const AT_ONCE = 6;
/** Each route gets other ones. */
const SEED = 1000 * (fc.readConfigureGlobal().seed ?? 0);
/** No page's own words hold it. */
const MARKUP = "'\"><q-evil onclick=1>";
/** Words only the reports of another account hold. */
const SECRETS = ["secret-reporter", "secret.example", "198.51.100.99", "987654", "987,654"];

interface Asked {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

let pipeline: Pipeline;
/** An administrator's of an account without reports. */
let administrator: string;

beforeAll(async () => {
  pipeline = await startPipeline();
  await pipeline.ask("/registry/rua@secret.example", "PUT", { account: "acme", domains: ["secret.example"] });
  await pipeline.ask("/registry/rua@other.example", "PUT", { account: "other" });
  const records = [{ sourceIp: "198.51.100.99", count: 987_654, pass: true }];
  const report = sampleReport({ orgName: "secret-reporter", domain: "secret.example", records });
  await pipeline.deliver("rua@secret.example", { "a.xml": report, "b.xml": "<feedback>" });
  await pipeline.settled({ accepted: 1, dead_letter: 1 });
  const token = { account: "other", name: "hostile", scope: "operate" };
  ({ secret: administrator } = await pipeline.ask<{ secret: string }>("/tokens", "POST", token));
}, 120_000);

afterAll(() => pipeline.close());

const METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "PROPFIND"];
/** As they stand in a path or a query. */
const PIECES = [
  ...[
    "",
    "%",
    "%zz",
    "%00",
    "%ff",
    "%C0%AF",
    "%ED%A0%80",
    "%2e%2e%2f",
    "..%5c",
    "%0d%0ax-evil:1",
    "%252f",
    "+",
    "-",
    "*",
  ],
  ...["__proto__", "constructor", "toString", "1e999", "-1", "0", "9".repeat(400), "a".repeat(4000), "2026-11-20"],
  ...["2026-02-30", "//evil.example", "https://evil.example/", "javascript:alert(1)", "acme", "other", "acme.example"],
  ...[
    "xn--a",
    "b%C3%BCcher.example",
    "%E2%80%AE",
    "192.0.2.1",
    "::1",
    "192.0.2.0%2f24",
    "csv",
    "json",
    "records",
    "2026-11",
  ],
  encodeURIComponent(MARKUP),
];
const PARAMETERS = [
  ...[
    "days",
    "from",
    "to",
    "export",
    "table",
    "account",
    "tag",
    "group",
    "month",
    "source",
    "reporter",
    "code",
    "step",
  ],
  ...["domain", "done", "role", "sender", "status", "subject", "undo", "kind", "by", "q", "cursor", "limit", "order"],
  ...[
    "changed",
    "removed",
    "discarded",
    "sources.sort",
    "reports.page",
    "reports.q",
    "letters.page",
    "entries.q",
    "since",
  ],
  ...["days.size", "constructor.page", "__proto__", "id", "until", "signature", "text", "at", "sql"],
];
const FIELDS = [
  ...[
    "action",
    "account",
    "name",
    "id",
    "kind",
    "domains",
    "decision",
    "confirmed",
    "tags",
    "rua",
    "reason",
    "note",
    "mx",
  ],
  ...["mode", "group", "dryRun", "days", "subject", "undo", "timeZone", "text", "target", "scope", "role", "records"],
  ...["notices", "logo", "force", "file", "email", "digest", "cursor", "cancel", "accept", "max_age", "rule", "domain"],
];
const WORDS = [
  ...["add", "remove", "set", "mine", "undo", "yes", "requeue", "discard", "create", "revoke", "leave", "test", "keep"],
  ...["reject", "enforce", "weekly", "email", "slack", "other", "acme", "http://169.254.169.254/", "a@b.example"],
  ...["\u0000", "\ud83d\ude00", "\r\nx-evil: 1", "9".repeat(400), "%", "__proto__", "UTC", "Mars/Olympus", MARKUP],
];
const TYPES = [
  ...["application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=b", "text/plain"],
  ...[
    "multipart/form-data; boundary=",
    'multipart/form-data; boundary="',
    "application/json",
    "application/json; charset=utf-16",
  ],
  ...["MULTIPART/FORM-DATA; boundary=b", "nonsense", "text/xml;;;=", "application/octet-stream"],
];

const pairs = (names: string[], values: string[]): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...values)), { maxLength: 5 })
    .map((all) => all.map(([name, value]) => `${name}=${value}`).join("&"));

const body = fc.oneof(
  pairs(FIELDS, WORDS.map(encodeURIComponent)),
  pairs(FIELDS, PIECES),
  fc.constantFrom("", "{", "null", "[]", "{}", '{"__proto__":{"x":1}}', "[".repeat(50_000), "a=b&".repeat(20_000)),
  fc.constantFrom("--b\r\n\r\n", "--b\r\nContent-Disposition: form-data; name=x\r\n\r\ny\r\n--b--\r\n", "\u0000\uffff"),
  fc
    .dictionary(fc.constantFrom(...FIELDS, ...PARAMETERS), fc.constantFrom(...WORDS), { maxKeys: 6 })
    .map((fields) => JSON.stringify(fields)),
);

const headers: fc.Arbitrary<Record<string, string>> = fc
  .record(
    {
      "content-type": fc.constantFrom(...TYPES),
      accept: fc.constantFrom("text/html", "application/json", "*/*", "text/html;q=nonsense"),
      cookie: fc.constantFrom(
        "view_as=other",
        "view_as=__proto__",
        "view_as=%zz",
        "view_as=%0d%0ax",
        ";;;=",
        "view_as",
      ),
      origin: fc.constantFrom("null", "https://evil.example", "nonsense"),
      "x-forwarded-host": fc.constant("evil.example"),
      host: fc.constantFrom(
        "dashboard.example",
        "mta-sts.secret.example",
        "mta-sts.",
        "evil.example:99",
        "a".repeat(300),
      ),
      "if-none-match": fc.constant("*"),
      range: fc.constant("bytes=5-1"),
      "accept-encoding": fc.constantFrom("identity", "nonsense"),
      "content-encoding": fc.constantFrom("gzip", "nonsense"),
    },
    { requiredKeys: [] },
  )
  .map((given) => ({ accept: "text/html", ...given }));

/** Requests to a route, mostly with its method. */
function requestsTo([own, route]: [string, string]): fc.Arbitrary<Asked> {
  const places = route.match(/:\w+/g) ?? [];
  return fc
    .record({
      method: fc.oneof({ weight: 5, arbitrary: fc.constant(own) }, fc.constantFrom(...METHODS)),
      parts: fc.array(fc.constantFrom(...PIECES), { minLength: places.length, maxLength: places.length }),
      query: pairs(PARAMETERS, PIECES),
      headers,
      body,
    })
    .map(({ method, parts, query, headers, body }) => {
      const left = [...parts];
      const path = route.replaceAll(/:\w+/g, () => left.shift() ?? "");
      return { method, path: query === "" ? path : `${path}?${query}`, headers, body };
    });
}

function ask({ method, path, headers, body }: Asked, bearer: string | undefined): Promise<Answered> {
  const { hostname, port } = new URL(pipeline.origin);
  const hasBody = method !== "GET" && method !== "HEAD";
  return new Promise((resolve, reject) => {
    const sent = request({
      ...{ hostname, port, method, path, timeout: 30_000 },
      headers: {
        ...headers,
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(hasBody ? { "content-length": String(Buffer.byteLength(body)) } : {}),
      },
    });
    sent.on("response", (answer) => {
      text(answer).then(
        (said) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: said }),
        reject,
      );
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer within 30 seconds")));
    sent.on("error", reject);
    sent.end(hasBody ? body : undefined);
  });
}

/** What is wrong with an answer, whoever asked; undefined = nothing. */
function faultOf(method: string, { status, headers, text }: Answered): string | undefined {
  // Without a resolver, DNS has no answer.
  if (status >= 500 && !text.includes("dns_unavailable") && !text.includes("DNS")) return "a failure of ours";
  if (status >= 400 && method !== "HEAD" && text === "") return "no reason";
  if (headers["x-evil"] !== undefined) return "a header of the request's";
  const { location } = headers;
  if (typeof location === "string" && !/^\/(?![/\\])/.test(location)) return `leads to ${location}`;
  const isPage = String(headers["content-type"]).startsWith("text/html");
  if (isPage && text.includes("<q-evil")) return "markup of the request's";
  if (isPage && /(?:href|src|action)="(?:javascript:|\/\/|https?:\/\/evil)/i.test(text)) return "a link to elsewhere";
  return text.includes(API_TOKEN) ? "a secret" : undefined;
}

const routes: [string, string][] = [
  ...pageRoutes().map(([path]): [string, string] => ["GET", path]),
  ...changeRoutes().map(([path]): [string, string] => ["POST", path]),
  ...OPERATION_NAMES.flatMap((name): [string, string][] => {
    const { http } = OPERATIONS[name];
    return http === undefined ? [] : [[http.method, API_ROOT + http.path]];
  }),
  ["POST", "/view-as"],
  ["GET", "/confirm"],
  ["POST", "/confirm"],
  ["GET", "/health"],
  ["GET", "/assets/:name"],
  ["GET", "/api/v1/openapi.json"],
  ["GET", "/.well-known/mta-sts.txt"],
  ["GET", "/:nothing"],
  ["GET", "//evil.example/:nothing"],
];

const ASKERS: Record<string, () => string | undefined> = {
  nobody: () => undefined,
  "another account's administrator": () => administrator,
  "an operator": () => API_TOKEN,
};

it.each(Object.entries(ASKERS))(
  "%s gets a clear answer to any request",
  { timeout: 3_600_000 },
  async (name, bearer) => {
    const requests = routes.flatMap((route, i) => fc.sample(requestsTo(route), { seed: SEED + i, numRuns: REQUESTS }));
    const faults: string[] = [];
    const check = async (asked: Asked): Promise<void> => {
      const answer = await ask(asked, bearer()).catch((error: unknown) => String(error));
      const told = typeof answer === "string" ? undefined : SECRETS.find((secret) => answer.text.includes(secret));
      const fault = typeof answer === "string" ? answer : faultOf(asked.method, answer);
      const found = name === "an operator" || told === undefined ? fault : `tells ${told}`;
      const status = typeof answer === "string" ? "" : `${answer.status} ${answer.text.slice(0, 300)}`;
      if (found !== undefined) faults.push(`${JSON.stringify(asked).slice(0, 1000)}\n→ ${found}: ${status}`);
    };
    for (let i = 0; i < requests.length; i += AT_ONCE) await Promise.all(requests.slice(i, i + AT_ONCE).map(check));
    expect(requests.length).toBeGreaterThan(150);
    expect(faults).toEqual([]);
  },
);

it.each([
  ["multipart/form-data", "a=b"],
  ["multipart/form-data; boundary=", "a=b"],
  ["multipart/form-data; boundary=b", "a=b"],
  ["multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=action\r\n\r\n"],
])("a form of %s that is none is refused by every page that takes forms: %j", async (type, body) => {
  for (const path of [...changeRoutes().map(([path]) => path), "/view-as"]) {
    const headers = { accept: "text/html", "content-type": type };
    const { status, text } = await ask({ method: "POST", path, headers, body }, API_TOKEN);
    expect([path, status]).toEqual([path, 400]);
    expect(text).toContain("The form is no valid multipart/form-data.");
  }
});
