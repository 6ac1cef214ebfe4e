/**
 * The contract's schemas as JSON Schema, for documents and for tools of assistants. No Worker imports it. The only importer of
 * @valibot/to-json-schema.
 */
import { type ConversionConfig, type JsonSchema, toJsonSchema, toJsonSchemaDefs } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";

/** A JSON Schema object. */
export type SchemaObject = JsonSchema & Record<string, unknown>;
export type { JsonSchema };

/** How texts are brought into a normal form before they are checked, and what the code says in words, JSON Schema cannot. */
const DIALECT: ConversionConfig = {
  target: "draft-2020-12",
  errorMode: "throw",
  ignoreActions: ["trim", "to_lower_case", "check", "transform"],
  // Bytes, which are the whole body.
  overrideSchema: ({ valibotSchema: { type } }) =>
    type === "custom" ? { type: "string", format: "binary" } : undefined,
};

/** What is asked: what comes in, before it is read, or what is answered. */
export type SchemaSide = "input" | "output";

/** Schemas by name, those with a name referred to by `root` and it. @throws Error when one has no JSON Schema */
export function schemaDefinitions(
  schemas: Record<string, GenericSchema>,
  { side, root }: { side: SchemaSide; root: string },
): Record<string, JsonSchema> {
  const overrideRef = ({ referenceId }: { referenceId: string }): string => root + referenceId;
  return toJsonSchemaDefs(schemas, { ...DIALECT, typeMode: side, overrideRef });
}

/** The whole schema of an answer by itself. @throws Error when it has no JSON Schema */
export function answerSchema(schema: GenericSchema): Record<string, unknown> {
  const { $schema: _, ...found } = toJsonSchema(schema, { ...DIALECT, typeMode: "output" });
  return found;
}
