/**
 * The OpenAPI 3.1 document of the API, made of the contract: the schemas in it are those that requests are checked by and
 * answers are typed by. Builds data; scripts/docs.ts writes it, and the dashboard serves what was written.
 */
import type { GenericSchema } from "valibot";
import * as accountShapes from "../shared/contract/account-shapes.ts";
import * as deliveryShapes from "../shared/contract/delivery-shapes.ts";
import * as domainShapes from "../shared/contract/domain-shapes.ts";
import * as fields from "../shared/contract/fields.ts";
import * as incomingShapes from "../shared/contract/incoming-shapes.ts";
import { type JsonSchema, type SchemaObject, schemaDefinitions } from "../shared/contract/json-schema.ts";
import { API_ROOT, type HttpRoute } from "../shared/contract/operation.ts";
import { OPERATION_NAMES, OPERATIONS, type OperationName } from "../shared/contract/operations.ts";
import * as pipelineShapes from "../shared/contract/pipeline-shapes.ts";
import { PROBLEM_CODES, PROBLEM_STATUS, PROBLEM_TITLES } from "../shared/contract/problems.ts";
import * as reportShapes from "../shared/contract/report-shapes.ts";
import * as senderShapes from "../shared/contract/sender-shapes.ts";
import * as setupShapes from "../shared/contract/setup-shapes.ts";
import * as sourceShapes from "../shared/contract/source-shapes.ts";
import * as watchShapes from "../shared/contract/watch-shapes.ts";
import { storedCheck } from "../shared/guidance/stored-check.ts";
import { API_LIMITS, DASHBOARD_LIMITS } from "../shared/limits.ts";
import { personEntry } from "../shared/people.ts";
import { registryEntry } from "../shared/registry.ts";

export type { SchemaObject };

/** A parameter of a path or query. */
export interface ParameterObject {
  name: string;
  in: "path" | "query";
  required: boolean;
  schema: SchemaObject;
  example?: unknown;
}

interface Content {
  content: Record<string, { schema: SchemaObject }>;
}

/** One operation of the document. */
export interface OperationObject {
  operationId: string;
  summary: string;
  tags: string[];
  "x-role": string;
  "x-scope": "read" | "operate";
  parameters?: ParameterObject[];
  requestBody?: Content & { required: boolean };
  responses: Record<string, (Partial<Content> & { description: string }) | { $ref: string }>;
}

/** The document. */
export interface OpenApiDocument {
  openapi: "3.1.1";
  info: Record<string, unknown>;
  servers: { url: string }[];
  security: Record<string, string[]>[];
  paths: Record<string, Record<string, OperationObject>>;
  components: Record<string, unknown>;
}

const PROBLEM = "application/problem+json";

/** Where schemas with a name stand. */
const COMPONENTS = "#/components/schemas/";

/** Schemas that occur once in the document, by name, and are referred to wherever they are part of another. */
const NAMED = {
  input: schemasOf(
    { ...fields, registryEntry, personEntry },
    (name) => `${name}${name.endsWith("Entry") ? "Input" : "Field"}`,
  ),
  output: schemasOf(
    {
      ...accountShapes,
      ...deliveryShapes,
      ...domainShapes,
      ...incomingShapes,
      ...pipelineShapes,
      ...reportShapes,
      ...senderShapes,
      ...setupShapes,
      ...sourceShapes,
      ...watchShapes,
      storedCheck,
      registryEntry,
      personEntry,
    },
    (name) => name,
  ),
};

/** The schemas among the exports of a module, by what they are called in the document. */
function schemasOf(module: Record<string, unknown>, nameOf: (name: string) => string): Record<string, GenericSchema> {
  return Object.fromEntries(
    Object.entries(module)
      .filter((entry): entry is [string, GenericSchema] => isSchema(entry[1]))
      .map(([name, schema]) => [upperFirst(nameOf(name)), schema]),
  );
}

function isSchema(value: unknown): value is GenericSchema {
  if (typeof value !== "object" || value === null || !("kind" in value) || !("type" in value)) return false;
  // Whether a field may be left out depends on the object that it is in.
  return value.kind === "schema" && value.type !== "optional";
}

function upperFirst(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** Every schema of a side of the contract as JSON Schema: those with a name, and each operation's own by its name. */
function convert(side: "input" | "output"): Record<string, SchemaObject> {
  const own = Object.fromEntries(
    OPERATION_NAMES.filter((name) => hasSchema(name, side)).map((name) => [name, OPERATIONS[name][side]]),
  );
  const converted = schemaDefinitions({ ...own, ...NAMED[side] }, { side, root: COMPONENTS });
  const names = new Map(Object.entries(NAMED[side]).map(([name, schema]) => [schema, name]));
  // An answer that has a name is referred to, too.
  const referred = Object.entries(own).flatMap(([name, schema]) => {
    const known = side === "output" ? names.get(schema) : undefined;
    return known === undefined ? [] : [[name, { $ref: COMPONENTS + known }]];
  });
  return { ...converted, ...Object.fromEntries(referred) };
}

/** Whether it has one over HTTP: bytes, text and nothing at all have none as answers. */
function hasSchema(name: OperationName, side: "input" | "output"): boolean {
  const { http } = OPERATIONS[name];
  return http !== undefined && (side === "input" || http.answer === "json");
}

/** Of the schemas with a name those that something refers to, directly or through another. */
function referredTo(paths: object, schemas: Record<string, SchemaObject>): Record<string, SchemaObject> {
  const found = new Set<string>();
  const collect = (part: unknown): void => {
    for (const [, name = ""] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (found.has(name)) continue;
      found.add(name);
      collect(schemas[name] ?? {});
    }
  };
  collect(paths);
  // In order of their names: the exports of a module have no order that every runtime keeps.
  const names = Object.keys(schemas).filter((name) => found.has(name));
  return Object.fromEntries(names.sort().map((name) => [name, schemas[name] ?? {}]));
}

/** The document of this version. @throws Error when a schema of the contract has no JSON Schema */
export function buildOpenApi(): OpenApiDocument {
  const paths: OpenApiDocument["paths"] = {};
  const schemas = { input: convert("input"), output: convert("output") };
  for (const name of OPERATION_NAMES) {
    const { http, summary, role, changes, example = {} } = OPERATIONS[name];
    if (http === undefined) continue;
    const path = API_ROOT + http.path.replaceAll(/:(\w+)/g, "{$1}");
    const methods = paths[path] ?? {};
    paths[path] = methods;
    methods[http.method.toLowerCase()] = {
      operationId: name,
      summary,
      tags: [http.path.split("/")[1] ?? ""],
      "x-role": role,
      "x-scope": changes ? "operate" : "read",
      ...requestOf(http, { schema: schemas.input[name] ?? {}, example }),
      responses: {
        [http.status]: answerOf(http, schemas.output[name] ?? {}),
        default: { $ref: "#/components/responses/Problem" },
      },
    };
  }
  return {
    openapi: "3.1.1",
    info: { title: "DMARC reports", version: "1", description: DESCRIPTION },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer", description: "A token, or the secret API_TOKEN" } },
      responses: {
        Problem: { description: "Why it was not done", content: { [PROBLEM]: { schema: PROBLEM_REF } } },
      },
      schemas: { ...referredTo(paths, { ...schemas.input, ...schemas.output }), Problem: PROBLEM_SCHEMA },
    },
  };
}

/** The document as it is written to a file. */
export function openApiText(): string {
  return `${JSON.stringify(buildOpenApi(), null, 1)}\n`;
}

const DESCRIPTION =
  `A body has at most ${API_LIMITS.maxBodyBytes} bytes (else 413). At most ${DASHBOARD_LIMITS.maxRequests} ` +
  "requests are answered at once in one place; more are refused with 503 and Retry-After. A list with `cursor` " +
  "in its answer goes on when it is asked again with that cursor; without one it has ended. `x-role`: the role " +
  "it takes, in the account it names; `x-scope`: the scope a token needs.";

const PROBLEM_REF: SchemaObject = { $ref: "#/components/schemas/Problem" };

const PROBLEM_SCHEMA: SchemaObject = {
  type: "object",
  description: "Problem details (RFC 9457)",
  properties: {
    type: { type: "string", format: "uri" },
    title: { type: "string", enum: [...new Set(Object.values(PROBLEM_TITLES))] },
    status: { type: "integer", enum: [...new Set(Object.values(PROBLEM_STATUS))].sort() },
    detail: { type: "string" },
    code: { type: "string", enum: PROBLEM_CODES },
    error: {
      type: "object",
      description: "As it was answered before there was `detail`",
      properties: { code: { type: "string" }, message: { type: "string" } },
      required: ["code", "message"],
    },
  },
  required: ["type", "title", "status", "detail", "code", "error"],
};

const BYTES: SchemaObject = { type: "string", format: "binary" };

type Request = Pick<OperationObject, "parameters" | "requestBody">;

function requestOf(
  { path, place }: HttpRoute,
  { schema: input, example }: { schema: SchemaObject; example: object },
): Request {
  const { properties, required } = objectOf(input);
  const examples = new Map<string, unknown>(Object.entries(example));
  const inPath = [...path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? "");
  const inBody = (name: string): boolean => {
    if (place === "query" || inPath.includes(name)) return false;
    if ("text" in place) return name === place.text;
    if ("bytes" in place) return name === place.bytes;
    return place.json === "fields" || name === place.field;
  };
  const parameters = Object.entries(properties)
    .filter(([name]) => !inBody(name))
    .map(([name, schema]): ParameterObject => {
      const where = inPath.includes(name) ? "path" : "query";
      const isRequired = where === "path" || required.includes(name);
      return {
        name,
        in: where,
        required: isRequired,
        schema,
        ...(examples.has(name) && { example: examples.get(name) }),
      };
    });
  const body = Object.entries(properties).filter(([name]) => inBody(name));
  return {
    ...(parameters.length > 0 && { parameters }),
    ...(place !== "query" && { requestBody: bodyOf(place, Object.fromEntries(body), required) }),
  };
}

function bodyOf(
  place: Exclude<HttpRoute["place"], "query">,
  fields: Record<string, SchemaObject>,
  required: readonly string[],
): NonNullable<Request["requestBody"]> {
  if ("text" in place) return { required: true, content: { "text/plain": { schema: fields[place.text] ?? {} } } };
  if ("bytes" in place) return { required: true, content: { "application/octet-stream": { schema: BYTES } } };
  if (place.json === "field") {
    return { required: true, content: { "application/json": { schema: fields[place.field] ?? {} } } };
  }
  const needed = required.filter((name) => Object.hasOwn(fields, name));
  const schema: SchemaObject = {
    type: "object",
    properties: fields,
    additionalProperties: false,
    ...(needed.length > 0 && { required: needed }),
  };
  return { required: place.optional !== true, content: { "application/json": { schema } } };
}

function answerOf({ answer }: HttpRoute, schema: SchemaObject): Partial<Content> & { description: string } {
  switch (answer) {
    case "none":
      return { description: "Done" };
    case "bytes":
      return {
        description: "The bytes",
        content: { "application/octet-stream": { schema: BYTES } },
      };
    case "text":
      return { description: "The engine's answer", content: { "*/*": { schema: { type: "string" } } } };
    case "json":
      return { description: "The answer", content: { "application/json": { schema } } };
  }
}

/** Fields of an object's schema. @throws Error for any other schema: an input is always an object */
function objectOf(schema: JsonSchema): { properties: Record<string, SchemaObject>; required: readonly string[] } {
  if (schema.type !== "object") throw new Error("An input is no object.");
  const properties = Object.entries(schema.properties ?? {}).map(([name, field]): [string, SchemaObject] => [
    name,
    typeof field === "boolean" ? {} : { ...field },
  ]);
  return { properties: Object.fromEntries(properties), required: schema.required ?? [] };
}
