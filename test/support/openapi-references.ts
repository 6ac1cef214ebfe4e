/** Support: a document of the API with every reference replaced by what it refers to. */
import type { OpenApiDocument } from "../../scripts/openapi.ts";

/** The same document without references. @throws Error when one leads nowhere */
export function withoutReferences(document: OpenApiDocument): OpenApiDocument {
  const resolve = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(resolve);
    if (typeof part !== "object" || part === null) return part;
    if ("$ref" in part && typeof part.$ref === "string") return resolve(referred(document, part.$ref));
    return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, resolve(value)]));
  };
  return { ...document, paths: resolve(document.paths) as OpenApiDocument["paths"] };
}

function referred(document: object, reference: string): unknown {
  let found: unknown = document;
  for (const name of reference.replace("#/", "").split("/")) {
    const entries = new Map<string, unknown>(Object.entries(found ?? {}));
    if (!entries.has(name)) throw new Error(`${reference} leads nowhere.`);
    found = entries.get(name);
  }
  return found;
}
