/**
 * The OpenAPI 3.1 document of the API, made of the contract: the schemas in it are those that requests are checked by and
 * answers are typed by. Builds data; scripts/docs.ts writes it, and the dashboard serves what was written.
 */
import { type ConversionConfig, type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import { API_ROOT, type HttpRoute } from "../shared/contract/operation.ts";
import { OPERATION_NAMES, OPERATIONS } from "../shared/contract/operations.ts";
import { PROBLEM_CODES, PROBLEM_STATUS, PROBLEM_TITLES } from "../shared/contract/problems.ts";
import { API_LIMITS, DASHBOARD_LIMITS } from "../shared/limits.ts";

/** A JSON Schema object as it stands in the document. */
export type SchemaObject = JsonSchema & Record<string, unknown>;

/** A parameter of a path or query. */
export interface ParameterObject {
  name: string;
  in: "path" | "query";
  required: boolean;
  schema: SchemaObject;
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
  responses: Record<string, Partial<Content> & { description: string }>;
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

/** How texts are brought into a normal form before they are checked, and what the code says in words, JSON Schema cannot. */
const DIALECT: ConversionConfig = {
  target: "draft-2020-12",
  errorMode: "throw",
  ignoreActions: ["trim", "to_lower_case", "check", "transform"],
  // Bytes, which are a body of their own.
  overrideSchema: ({ valibotSchema: { type } }) =>
    type === "custom" ? { type: "string", format: "binary" } : undefined,
};
const PROBLEM = "application/problem+json";

/** The document of this version. @throws Error when a schema of the contract has no JSON Schema */
export function buildOpenApi(): OpenApiDocument {
  const paths: OpenApiDocument["paths"] = {};
  for (const name of OPERATION_NAMES) {
    const { http, input, output, summary, role, changes } = OPERATIONS[name];
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
      ...requestOf(http, input),
      responses: {
        [http.status]: answerOf(http, output),
        default: { description: "Why it was not done", content: { [PROBLEM]: { schema: PROBLEM_REF } } },
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
      schemas: { Problem: PROBLEM_SCHEMA },
    },
  };
}

/** The document as it is written to a file. */
export function openApiText(): string {
  return `${JSON.stringify(buildOpenApi(), null, 1)}\n`;
}

const DESCRIPTION = `A body has at most ${API_LIMITS.maxBodyBytes} bytes (else 413). At most ${DASHBOARD_LIMITS.maxRequests} requests are answered at once in one place; more are refused with 503 and Retry-After. A list with \`cursor\` in its answer goes on when it is asked again with that cursor; without one it has ended. \`x-role\`: the role it takes, in the account it names; \`x-scope\`: the scope a token needs.`;

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

function requestOf({ path, place }: HttpRoute, input: GenericSchema): Request {
  const { properties, required } = objectOf(toJsonSchema(input, { ...DIALECT, typeMode: "input" }));
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
      return { name, in: where, required: where === "path" || required.includes(name), schema };
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

function answerOf({ answer }: HttpRoute, output: GenericSchema): Partial<Content> & { description: string } {
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
    case "json": {
      const { $schema: _, ...schema } = toJsonSchema(output, { ...DIALECT, typeMode: "output" });
      return { description: "The answer", content: { "application/json": { schema } } };
    }
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
