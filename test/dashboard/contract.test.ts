/** The API keeps its contract: who may ask what by one rule, and every answer is as the OpenAPI document says. */
import { Ajv2020 } from "ajv/dist/2020.js";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildOpenApi, type OperationObject, type SchemaObject } from "../../scripts/openapi.ts";
import { allowed, requestOf } from "../../shared/contract/operation.ts";
import { OPERATION_NAMES, OPERATIONS, type OperationName } from "../../shared/contract/operations.ts";
import { API_LIMITS } from "../../shared/limits.ts";
import { withoutReferences } from "../support/openapi-references.ts";
import { asSchema, someValue } from "../support/schema-values.ts";
import { type Asker, type ContractSetup, contractInputs, NOTHING_THERE, startContractSetup } from "./contract-setup.ts";

const written = buildOpenApi();
const document = withoutReferences(written);
const ajv = new Ajv2020({ strict: false, validateFormats: false });

let simulation: ContractSetup;

beforeAll(async () => {
  simulation = await startContractSetup();
}, 240_000);

afterAll(() => simulation.pipeline.close());

async function send(asker: Asker, name: OperationName): Promise<Response> {
  const { http } = OPERATIONS[name];
  const input = inputFor(name);
  if (http === undefined) throw new Error(`${name} has no route.`);
  const { method, path, body } = requestOf(http, input);
  return fetch(simulation.pipeline.origin + path, {
    method,
    headers: asker.bearer === undefined ? {} : { authorization: `Bearer ${asker.bearer}` },
    ...(body !== undefined && { body }),
  });
}

/** What contract-setup.ts says, or what the document asks for at least: some text in every field that has to be there. */
function inputFor(name: OperationName): object {
  const input = contractInputs(simulation)[name];
  if (input !== undefined) return input;
  const { parameters = [], requestBody } = operationObject(name);
  const body = requestBody?.content["application/json"]?.schema;
  const needed = [
    ...parameters.filter(({ required }) => required).map((one) => [one.name, one.schema] as const),
    ...(body?.required ?? []).map((field) => [field, asSchema(body?.properties?.[field])] as const),
  ];
  const about: Record<string, string> = { account: "acme", domain: "acme.example" };
  return Object.fromEntries(needed.map(([field, schema]) => [field, about[field] ?? someValue(schema)]));
}

function operationObject(name: OperationName): OperationObject {
  const { http } = OPERATIONS[name];
  const path = `/api/v1${http?.path.replaceAll(/:(\w+)/g, "{$1}")}`;
  const found = document.paths[path]?.[http?.method.toLowerCase() ?? ""];
  if (found === undefined) throw new Error(`${name} is not in the document.`);
  return found;
}

/** The one rule: what the credentials are for, the role the operation takes in the account, and the scope. */
function isLetIn({ authority, isReadOnly }: Asker, name: OperationName): boolean {
  if (authority === undefined || !allowed(authority, OPERATIONS[name], inputFor(name)).ok) return false;
  return !(OPERATIONS[name].changes && isReadOnly);
}

/** What is wrong with an answer by its schema; "" = nothing. */
function schemaErrors(schema: SchemaObject, value: unknown): string {
  const check = ajv.compile(JSON.parse(JSON.stringify(schema)));
  return check(value) ? "" : ajv.errorsText(check.errors);
}

/** The schema of an answer with this status. */
function schemaOf(name: OperationName, status: number): SchemaObject | undefined {
  const { responses } = operationObject(name);
  const response = responses[status] ?? responses.default;
  if (response === undefined || !("content" in response)) return undefined;
  return response.content?.["application/json"]?.schema ?? response.content?.["application/problem+json"]?.schema;
}

/** Whether it is an answer of Analytics Engine, handed on as it is: of the format that the statement asks for. */
function isOfEngine(name: OperationName, answer: Response): boolean {
  return name === "query" && answer.ok;
}

/** For the names of operations alone. */
const NO_WORLD = { report: { day: "", uid: "" }, deadLetterId: "" };

const routed = OPERATION_NAMES.filter((name) => OPERATIONS[name].http !== undefined);

describe("every operation", () => {
  it.each(routed)(
    "%s admits exactly the allowed roles, and its answer matches its schema",
    { timeout: 120_000 },
    async (name) => {
      // Who may do least comes first: what others change would be in the way.
      for (const asker of simulation.askers) {
        const answer = await send(asker, name);
        const text = await answer.text();
        const what = `${asker.name}: ${name}: ${answer.status} ${text.slice(0, 300)}`;
        expect(answer.status === 403, what).toBe(!isLetIn(asker, name));
        expect([500, 502], what).not.toContain(answer.status);
        const schema = schemaOf(name, answer.status);
        const isJson = /json/.test(answer.headers.get("content-type") ?? "");
        expect(schema !== undefined, what).toBe(isJson && !isOfEngine(name, answer));
        if (schema !== undefined) expect(schemaErrors(schema, JSON.parse(text)), what).toBe("");
        if (asker.name === "an expired token") expect(text).toContain("expired at");
        if (!answer.ok) expect(answer.headers.get("content-type")).toBe("application/problem+json");
      }
    },
  );

  const told = routed.filter((name) => Object.hasOwn(contractInputs(NO_WORLD), name));
  it.each(told)("%s does what it is for", { timeout: 60_000 }, async (name) => {
    const [operator] = simulation.askers.filter((asker) => asker.name === "API_TOKEN");
    if (operator === undefined) throw new Error("There is no operator.");
    const answer = await send(operator, name);
    const detail = await answer.text();
    // A second time, some of it is there or gone already; the first test saw the answer to the first.
    const expected = [NOTHING_THERE[name] ?? OPERATIONS[name].http?.status, ...(AGAIN[name] ?? [])];
    expect(expected, detail).toContain(answer.status);
  });
});

/** What is answered to who asks once more. */
const AGAIN: Partial<Record<OperationName, number[]>> = {
  addRegistration: [409],
  getIdentity: [404],
  createToken: [409],
  undoSenderDecision: [404],
  removeMtaSts: [404],
  domainSetup: [404],
  removeDomain: [404],
};

describe("refusals", () => {
  it("of an oversized body name the limit", async () => {
    const answer = await fetch(`${simulation.pipeline.origin}/api/v1/query`, {
      method: "POST",
      headers: { authorization: `Bearer ${simulation.askers.at(-1)?.bearer}` },
      body: "x".repeat(API_LIMITS.maxBodyBytes + 1),
    });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ code: "too_large", detail: expect.stringContaining("262144") });
  });

  it("link to an existing description", async () => {
    const bearer = { authorization: `Bearer ${simulation.askers.at(-1)?.bearer}` };
    const refused = await fetch(`${simulation.pipeline.origin}/api/v1/jobs/none`, { headers: bearer });
    const { type } = v.parse(v.object({ type: v.string() }), await refused.json());
    const described = await fetch(type, { headers: bearer });
    expect(await described.json()).toEqual({ code: "not_found", title: "It does not exist", status: 404 });
  });

  it("serve the OpenAPI document unchanged", async () => {
    const bearer = { authorization: `Bearer ${simulation.askers.at(-1)?.bearer}` };
    const served = await fetch(`${simulation.pipeline.origin}/api/v1/openapi.json`, { headers: bearer });
    expect(await served.json()).toEqual(JSON.parse(JSON.stringify(written)));
  });
});

describe("tokens", () => {
  it("are listed without their secrets, with when they were last used", async () => {
    const { items } = await simulation.pipeline.ask<{ items: Record<string, unknown>[] }>("/tokens");
    const text = JSON.stringify(items);
    for (const { bearer } of simulation.askers) if (bearer?.startsWith("dmarc_")) expect(text).not.toContain(bearer);
    const states = new Map(items.map(({ name, state, account }) => [`${account} ${name}`, state]));
    expect(states.get("acme expired")).toBe("expired");
    expect(states.get("other other operate")).toBe("active");
    const used = items.find(({ name }) => name === "acme read");
    expect(used?.lastUsedSeconds).toBeGreaterThan(Date.now() / 1000 - 600);
  });

  it("stop working when revoked, with a message that says so", async () => {
    const { secret, id } = await simulation.pipeline.ask<{ secret: string; id: string }>("/tokens", "POST", {
      account: "acme",
      name: "short-lived",
      scope: "read",
    });
    const ask = () =>
      fetch(`${simulation.pipeline.origin}/api/v1/channels`, { headers: { authorization: `Bearer ${secret}` } });
    expect((await ask()).status).toBe(200);
    await simulation.pipeline.ask(`/tokens/${id}?account=acme`, "DELETE");
    const refused = await ask();
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ detail: expect.stringMatching(/'short-lived' was revoked/) });
  });

  it("cannot be made for an unknown account, nor twice with the same name", async () => {
    const make = (body: object) =>
      fetch(`${simulation.pipeline.origin}/api/v1/tokens`, {
        method: "POST",
        headers: { authorization: `Bearer ${simulation.askers.at(-1)?.bearer}` },
        body: JSON.stringify(body),
      });
    expect((await make({ account: "nobody", name: "x", scope: "read" })).status).toBe(404);
    expect((await make({ account: "acme", name: "acme read", scope: "read" })).status).toBe(409);
    expect((await make({ account: "acme", name: "a@b.example", scope: "read" })).status).toBe(400);
  });
});
