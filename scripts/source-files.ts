/**
 * Reads TypeScript sources for checks about them: what a file imports, and which globals it reaches for. It parses with
 * the parser that vitest ships (oxc), so comments, strings and types are distinguished; it judges nothing and writes nothing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { parseAst } from "vitest/node";

/** One import of a file. */
export interface Import {
  /** As written: `./x.ts`, `valibot`, `node:fs`. */
  specifier: string;
  /** Path from the root for a relative import, else the specifier. */
  target: string;
  /** Erased when types are stripped. */
  typeOnly: boolean;
  /** Names of the other file that are used; undefined = it may be all. */
  names: string[] | undefined;
}

export interface SourceFile {
  /** From the root, with `/`. */
  path: string;
  imports: Import[];
  /** Functions, classes and constants that it exports by name. */
  exports: string[];
  /** Globals used as values, such as `crypto`, `Date.now`, `new Date()`. */
  globals: string[];
  /** Texts in quotes and the fixed parts of templates, types left out. */
  strings: string[];
}

interface Node {
  type: string;
  [field: string]: unknown;
}

/** Every .ts, .tsx and .js file under the folders, sorted; folders that are not there are skipped. `.d.ts` has no imports. */
export function readSourceFiles(root: string, folders: string[]): SourceFile[] {
  return folders
    .flatMap((folder) => listFiles(root, folder))
    .sort()
    .map((path) => parseSourceFile(path, readFileSync(join(root, path), "utf8")));
}

/** Parses one file. @throws SyntaxError with the file's name when it is not TypeScript */
export function parseSourceFile(path: string, text: string): SourceFile {
  let program: Node;
  try {
    program = parseAst(text, { lang: path.endsWith(".tsx") ? "tsx" : "ts" }) as unknown as Node;
  } catch (error) {
    throw new SyntaxError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const found: Found = { imports: [], exports: [], globals: new Set(), strings: [], bound: new Set() };
  visit(program, found, { inType: false, isName: false });
  const globals = [...found.globals].filter((name) => !found.bound.has(name.split(".")[0] ?? ""));
  const imports = found.imports.map(({ specifier, ...rest }) => ({
    specifier,
    ...rest,
    target: specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : specifier,
  }));
  return {
    path,
    imports,
    exports: found.exports,
    globals: globals.map((name) => name.replace(/^globalThis\./, "")).sort(),
    strings: found.strings,
  };
}

function listFiles(root: string, folder: string): string[] {
  try {
    return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(tsx?|js)$/.test(name) && !name.endsWith(".d.ts"))
      .map((name) => posix.join(folder, name.replaceAll("\\", "/")));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

interface Found {
  imports: Omit<Import, "target">[];
  exports: string[];
  globals: Set<string>;
  strings: string[];
  /** Names the file declares itself, anywhere: not globals. */
  bound: Set<string>;
}

interface Place {
  inType: boolean;
  /** A property name or key, not a reference. */
  isName: boolean;
}

/** Expressions whose TypeScript wrapper has a value inside. */
const VALUE_WRAPPERS = new Set(["TSAsExpression", "TSSatisfiesExpression", "TSNonNullExpression"]);

/** Fields that declare the names in them. */
const DECLARING: Record<string, string[]> = {
  VariableDeclarator: ["id"],
  FunctionDeclaration: ["id", "params"],
  FunctionExpression: ["params"],
  ArrowFunctionExpression: ["params"],
  ClassDeclaration: ["id"],
  CatchClause: ["param"],
  ImportSpecifier: ["local"],
  ImportDefaultSpecifier: ["local"],
  ImportNamespaceSpecifier: ["local"],
};

function visit(node: Node, found: Found, place: Place): void {
  const inType = place.inType || (node.type.startsWith("TS") && !VALUE_WRAPPERS.has(node.type));
  noteImport(node, found);
  noteExports(node, found);
  if (!inType && !place.isName) noteGlobal(node, found);
  if (!inType) noteString(node, found);
  for (const field of DECLARING[node.type] ?? []) {
    for (const pattern of nodesIn(node[field])) bindNames(pattern, found.bound);
  }
  for (const [field, value] of Object.entries(node)) {
    const isName = (field === "property" || field === "key") && node.computed !== true;
    for (const child of nodesIn(value)) visit(child, found, { inType, isName });
  }
}

function noteImport(node: Node, found: Found): void {
  const source = node.source as { value?: unknown } | null | undefined;
  const specifier = source?.value;
  if (typeof specifier !== "string") return;
  // `import { type A } from "./x.ts"` still loads x.ts when types are stripped, so only the statement's kind counts.
  const typeOnly = node.importKind === "type" || node.exportKind === "type" || node.type === "TSImportType";
  const named = nodesIn(node.specifiers).map(({ imported, local }) => (imported ?? local) as Node);
  const isNamed = node.type === "ImportDeclaration" || node.type === "ExportNamedDeclaration";
  const isWhole = !isNamed || nodesIn(node.specifiers).some(({ type }) => type === "ImportNamespaceSpecifier");
  found.imports.push({ specifier, typeOnly, names: isWhole ? undefined : named.map(({ name }) => String(name)) });
}

function noteExports(node: Node, found: Found): void {
  if (node.type !== "ExportNamedDeclaration") return;
  for (const declared of nodesIn(node.declaration)) {
    if (declared.type.startsWith("TS")) continue;
    const names = new Set<string>();
    for (const one of [declared, ...nodesIn(declared.declarations)]) {
      for (const pattern of nodesIn(one.id)) bindNames(pattern, names);
    }
    found.exports.push(...names);
  }
}

function noteString(node: Node, found: Found): void {
  if (node.type === "Literal" && typeof node.value === "string") found.strings.push(node.value);
  if (node.type !== "TemplateElement") return;
  const { raw } = node.value as { raw: string };
  found.strings.push(raw);
}

function noteGlobal(node: Node, found: Found): void {
  if (node.type === "Identifier") found.globals.add(String(node.name));
  if (node.type === "MemberExpression") {
    const name = memberName(node);
    if (name !== undefined) found.globals.add(name);
  }
  const callee = node.callee as Node | undefined;
  const bare = Array.isArray(node.arguments) && node.arguments.length === 0;
  if (node.type === "NewExpression" && bare && callee?.name === "Date") found.globals.add("new Date()");
}

// `a.b` and `globalThis.a.b`; what hangs on anything else is no global.
function memberName(node: Node): string | undefined {
  const object = node.object as Node;
  const property = node.property as Node;
  const name = node.computed === true ? property.value : property.name;
  if (typeof name !== "string") return undefined;
  if (object.type === "Identifier") return `${object.name}.${name}`;
  const outer = object.type === "MemberExpression" ? memberName(object) : undefined;
  return outer?.startsWith("globalThis.") ? `${outer}.${name}` : undefined;
}

function bindNames(pattern: Node, bound: Set<string>): void {
  if (pattern.type === "Identifier") bound.add(String(pattern.name));
  const fields =
    pattern.type === "AssignmentPattern" ? ["left"] : ["properties", "elements", "value", "argument", "parameter"];
  for (const field of fields) {
    for (const child of nodesIn(pattern[field])) bindNames(child, bound);
  }
}

function nodesIn(value: unknown): Node[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((item): item is Node => typeof item === "object" && item !== null && "type" in item);
}
