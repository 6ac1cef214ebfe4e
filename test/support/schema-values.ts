/** Support: values by a JSON Schema of the API's description, right ones and hostile ones, as arbitraries of fast-check. */

import type { OperationObject, SchemaObject } from "../../scripts/openapi.ts";
import fc from "./properties.ts";

/** Values that a field of a name is often about, so that requests get beyond the check of their form. */
export type KnownValues = Record<string, readonly string[]>;

/** A request as it goes over HTTP. */
export interface FuzzedRequest {
  method: string;
  path: string;
  body: string | undefined;
}

/** What tends to break programs. */
const HOSTILE_TEXTS = [
  "",
  " ",
  "\u0000",
  "\ud800",
  "__proto__",
  "constructor",
  "' OR 1=1 --",
  "../../../etc/passwd",
  "%",
  "%00",
  "%2e%2e%2f",
  "\u202e\u0338\u{1f4a9}",
  "xn--",
  "-1",
  "9".repeat(400),
  "0x10",
  "1e999",
  "null",
  "\r\nx-evil: 1",
  "a".repeat(5000),
  "9999-99-99",
  "0000-00-00",
];

/** Requests for an operation of the description. */
export function requestsFor(
  { method, path, operation }: { method: string; path: string; operation: OperationObject },
  known: KnownValues,
): fc.Arbitrary<FuzzedRequest> {
  const parameters = (operation.parameters ?? []).map(({ name, in: place, required, schema }) => {
    const text = fieldValue(name, schema, known).map(asText);
    return { name, place, value: required ? text : fc.option(text, { nil: undefined }) };
  });
  const [[type, content] = ["", undefined]] = Object.entries(operation.requestBody?.content ?? {});
  const values = fc.tuple(...parameters.map(({ value }) => value));
  return fc.tuple(values, bodyText(type, content?.schema, known)).map(([given, body]) => {
    const query = new URLSearchParams();
    let filled = path;
    for (const [i, { name, place }] of parameters.entries()) {
      const value = given[i];
      if (value === undefined) continue;
      if (place === "query") query.append(name, value.toWellFormed());
      else filled = filled.replace(`{${name}}`, encodeURIComponent(value.toWellFormed()));
    }
    return { method: method.toUpperCase(), path: query.size > 0 ? `${filled}?${query}` : filled, body };
  });
}

function bodyText(
  type: string,
  schema: SchemaObject | undefined,
  known: KnownValues,
): fc.Arbitrary<string | undefined> {
  if (schema === undefined) return fc.constant(undefined);
  const right = fittingValue(schema, known).map((value) =>
    type === "text/plain" ? asText(value) : JSON.stringify(value),
  );
  const wrong = fc.oneof(fc.constantFrom("", "{", "[]", "null", '"x"', "{}", '{"__proto__":{"x":1}}'), fc.json());
  return fc.oneof({ weight: 8, arbitrary: right }, { weight: 1, arbitrary: wrong });
}

/** A value of a field: often one that is known, sometimes one that fits nothing. */
function fieldValue(name: string, schema: SchemaObject, known: KnownValues): fc.Arbitrary<unknown> {
  const right = fittingValue(schema, known);
  const values = known[name];
  return fc.oneof(
    { weight: 4, arbitrary: values === undefined ? right : fc.constantFrom(...values) },
    { weight: 2, arbitrary: right },
    { weight: 1, arbitrary: fc.constantFrom(...HOSTILE_TEXTS) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  );
}

/** The same value each time that fits a schema, or nearly. */
export function someValue(schema: SchemaObject): unknown {
  return fc.sample(fittingValue(schema, {}), { seed: 1, numRuns: 1 })[0];
}

/** A value that fits a schema, or nearly. */
function fittingValue(schema: SchemaObject, known: KnownValues): fc.Arbitrary<unknown> {
  const choices = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  if (choices.length > 0) return fc.oneof(...choices.map((choice) => fittingValue(asSchema(choice), known)));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if ("const" in schema) return fc.constant(schema.const);
  switch (schema.type) {
    case "boolean":
      return fc.boolean();
    case "integer":
    case "number":
      return fc.integer({ min: schema.minimum ?? -5, max: schema.maximum ?? 100_000 });
    case "array": {
      return fc.array(fittingValue(asSchema(schema.items), known), { minLength: schema.minItems ?? 0, maxLength: 5 });
    }
    case "object": {
      const required = schema.required ?? [];
      const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => {
        return [name, fieldValue(name, asSchema(field), known)] as const;
      });
      return fc.record(Object.fromEntries(fields), { requiredKeys: required });
    }
    case "string":
      return textOf(schema);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

/** The schema of a part; anything fits where it is none. */
export function asSchema(schema: unknown): SchemaObject {
  return typeof schema === "object" && schema !== null && !Array.isArray(schema) ? { ...schema } : {};
}

function textOf({ pattern, minLength = 0, maxLength = 300 }: SchemaObject): fc.Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { maxLength: Math.min(maxLength, 100) });
  return fc.string({ minLength, maxLength: Math.min(maxLength, 100), unit: "grapheme" });
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
