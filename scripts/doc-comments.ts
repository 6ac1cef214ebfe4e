/**
 * Takes names, types and doc comments out of TypeScript source for the tables in docs/. Reads the plain layout the
 * formatter produces: one member a line, its comment above it. It does not understand TypeScript beyond that.
 */

export interface DocumentedConstant {
  comment: string;
  /** Field → its comment. */
  fields: Map<string, string>;
}

export interface DocumentedField {
  name: string;
  type: string;
  comment: string;
}

/** Exported object constants by name, with the comments of their own and of their fields. */
export function readConstants(source: string): Map<string, DocumentedConstant> {
  const constants = new Map<string, DocumentedConstant>();
  for (const match of source.matchAll(/export const ([A-Z0-9_]+) = \{\n([\s\S]*?)\n\} as const/g)) {
    const [, name = "", body = ""] = match;
    const fields = new Map(readMembers(body).map((member) => [member.name, member.comment]));
    constants.set(name, { comment: commentBefore(source, match.index), fields });
  }
  return constants;
}

/** The fields of an exported interface in order. @throws Error when there is no such interface */
export function readInterface(source: string, name: string): DocumentedField[] {
  const body = new RegExp(`^export interface ${name} \\{\\n([\\s\\S]*?)\\n\\}`, "m").exec(source)?.[1];
  if (body === undefined) throw new Error(`There is no interface ${name}.`);
  return readMembers(body);
}

function readMembers(body: string): DocumentedField[] {
  const members: DocumentedField[] = [];
  let comment = "";
  for (const [text] of body.matchAll(/^ {2}\/\*\*[\s\S]*?\*\/|^ {2}\w+\??: .*$/gm)) {
    if (text.startsWith("  /**")) {
      comment = plain(text);
      continue;
    }
    const [, name = "", type = ""] = /^ {2}(\w+\??): (.*?)[;,]?$/.exec(text) ?? [];
    members.push({ name, type, comment });
    comment = "";
  }
  return members;
}

function commentBefore(source: string, index: number): string {
  const text = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*$/.exec(source.slice(0, index))?.[0];
  return text === undefined ? "" : plain(text);
}

function plain(comment: string): string {
  return comment
    .replace(/^\s*\/\*\*|\*\/\s*$/g, "")
    .replace(/^\s*\* ?/gm, "")
    .replace(/\s+/g, " ")
    .trim();
}
