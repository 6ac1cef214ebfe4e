/**
 * Reads what ClickHouse prints for `EXPLAIN AST`: one node a line, one space of indentation a level. It never runs a
 * statement.
 */

/** One node: its kind (`Function`, `TableIdentifier`, …), what stands behind the kind, and its children. */
export interface SyntaxNode {
  kind: string;
  /** Text after the kind, without the count of children: a name, a literal, `name (alias x)`. */
  detail: string;
  children: SyntaxNode[];
}

/**
 * Reads a printed tree.
 *
 * @throws Error when the text is not a tree with a single root
 */
export function parseSyntaxTree(text: string): SyntaxNode {
  const open: SyntaxNode[] = [];
  let root: SyntaxNode | undefined;
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const depth = line.length - line.trimStart().length;
    const node = readNode(line.trimStart());
    if (depth === 0 && root === undefined) root = node;
    else if (depth === 0 || depth > open.length) throw new Error(`Not a syntax tree: ${line}`);
    else open[depth - 1]?.children.push(node);
    open.length = depth;
    open.push(node);
  }
  if (root === undefined) throw new Error("Not a syntax tree: it is empty");
  return root;
}

/** A node and everything below it, with each node's parent. */
export function* walk(node: SyntaxNode, parent?: SyntaxNode): Generator<{ node: SyntaxNode; parent?: SyntaxNode }> {
  yield parent === undefined ? { node } : { node, parent };
  for (const child of node.children) yield* walk(child, node);
}

/** First word of a node's detail: the name of a function, table or column without its alias. */
export function nodeName(node: SyntaxNode): string {
  return node.detail.split(" ", 1)[0] ?? "";
}

function readNode(line: string): SyntaxNode {
  const withoutCount = line.replace(/ \(children \d+\)$/, "");
  const space = withoutCount.indexOf(" ");
  if (space === -1) return { kind: withoutCount, detail: "", children: [] };
  return { kind: withoutCount.slice(0, space), detail: withoutCount.slice(space + 1), children: [] };
}
