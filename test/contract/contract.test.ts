/** The table of operations: what derives from it agrees with itself. */

import { describe, expect, it } from "vitest";
import { inputOf, requestOf, validate } from "../../shared/contract/operation.ts";
import { OPERATION_NAMES, OPERATIONS } from "../../shared/contract/operations.ts";
import fc from "../support/properties.ts";
import { INPUTS } from "./inputs.ts";

const routes = OPERATION_NAMES.flatMap((name) => {
  const { http } = OPERATIONS[name];
  return http === undefined ? [] : [{ name, http }];
});

/** What viewers may have done, which changes nothing that was decided or set. */
const OF_VIEWERS = new Set<string>([
  "checkDomain",
  "nameAddresses",
  "confirmChannelByLink",
  "noteSeen",
  "noteTokenUse",
]);

/** What administrators may change of their accounts. */
const OF_ADMINISTRATORS = new Set<string>([
  "setAccountName",
  "setAccountLogo",
  "removeAccountLogo",
  "putAccountPerson",
  "removeAccountPerson",
  "addDomain",
  "addDomains",
  "removeDomain",
  "decideSender",
  "undoSenderDecision",
  "tagDomains",
  "mute",
  "unmute",
  "addChannel",
  "removeChannel",
  "testChannel",
  "createToken",
  "revokeToken",
  "setMtaSts",
  "removeMtaSts",
]);

describe("every operation", () => {
  it("has a route that no other operation has", () => {
    const seen = routes.map(({ http: { method, path } }) => `${method} ${path.replaceAll(/:\w+/g, ":")}`);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it.each(OPERATION_NAMES)("%s: does not use GET and requires a role if it changes something", (name) => {
    const { changes, http, role, summary } = OPERATIONS[name];
    const isQuestionWithBody = name === "query" || name === "spfAdvice" || name === "knownImports";
    expect(http?.method === "GET").toBe(!changes && http !== undefined && !isQuestionWithBody);
    const expected = OF_VIEWERS.has(name) ? "viewer" : OF_ADMINISTRATORS.has(name) ? "administrator" : "operator";
    if (changes) expect(role).toBe(expected);
    // What it takes a role in an account for names the account.
    if (changes && role === "administrator") expect(Object.keys(INPUTS[name] ?? {})).toContain("account");
    expect(summary).toMatch(/^[A-Zk].+[^.]$/);
  });

  it.each(OPERATION_NAMES)("%s refuses a field it does not know", (name) => {
    const answer = validate<unknown>(OPERATIONS[name].input, { unheardOf: 1 });
    expect(answer).toMatchObject({ ok: false, error: { code: "bad_request" } });
  });
});

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
  it.each(routes)("of $name arrives over HTTP unchanged", ({ name, http }) => {
    const input = INPUTS[name] ?? {};
    const { method, path, body } = requestOf(http, input);
    expect(method).toBe(http.method);
    const carried = inputOf(http.place, received(http.path, path, body));
    if (!carried.ok) throw new Error(carried.error.message);
    // Bytes arrive as a stream.
    const value = "content" in input ? { ...input, content: expect.any(ReadableStream) } : input;
    expect(validate<unknown>(OPERATIONS[name].input, carried.value)).toEqual({ ok: true, value });
  });

  it("is tested for every operation that takes one", () => {
    const without = OPERATION_NAMES.filter((name) => INPUTS[name] === undefined);
    for (const name of without)
      expect(validate<unknown>(OPERATIONS[name].input, {}), name).toEqual({ ok: true, value: {} });
  });

  it("with any text arrives through a query", () => {
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

  it("with half of a character in its path is asked with a replacement of it, as in a query", () => {
    const { http } = OPERATIONS.getSource;
    if (http === undefined) throw new Error("no route");
    const { path } = requestOf(http, { domain: "acme.example", source: "a\ud800", account: "\ud800" });
    const replaced = encodeURIComponent("\ufffd");
    expect(path).toBe(`/api/v1/sources/acme.example/a${replaced}?account=${replaced}`);
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

  it("cannot override in its body what its path names", () => {
    const parts = { parameters: { id: "a" }, query: {}, body: '{"id":"b","decision":"keep"}' };
    expect(inputOf({ json: "fields" }, parts)).toEqual({ ok: true, value: { id: "a", decision: "keep" } });
  });
});
