/**
 * Which elements belong to the report (Namespaces in XML 1.0): those in the root's namespace, and those in none, since
 * the schema of RFC 7489 leaves elements below the root unqualified. An element in any other namespace is an extension,
 * whatever its name. Pure.
 */

/** Namespaces of reports, which may be used below a root without a namespace. */
const DMARC = /^(?:urn:ietf:params:xml:ns:dmarc-2\.0|http:\/\/dmarc\.org\/dmarc-xml\/)/;
const DECLARATION = /\sxmlns(?::([A-Za-z_][\w.-]{0,100}))?\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)')/g;
/** The most prefixes in scope; real reports have up to four. */
const MAX_DECLARED = 64;

/** The namespace declarations in scope at a position. */
export class Namespaces {
  readonly #declared: ReadonlyMap<string, string>;
  readonly #own: string;
  /** Whether an element without a prefix belongs to the report; nearly all have none. */
  readonly #isDefaultOwn: boolean;

  private constructor(declared: ReadonlyMap<string, string>, own: string) {
    this.#declared = declared;
    this.#own = own;
    this.#isDefaultOwn = this.#isOwnPrefix("");
  }

  /** A scope in which everything belongs to the report, for text without foreign elements. */
  static readonly none = new Namespaces(new Map(), "");

  /** The scope of a root element, from its qualified name and tag. */
  static ofRoot(rawName: string, tag: string): Namespaces {
    const declared = declaredIn(tag, new Map());
    return new Namespaces(declared, resolve(declared, prefixOf(rawName)));
  }

  /** The scope inside an element; the same object if its tag declares nothing. */
  within(tag: string): Namespaces {
    if (!tag.includes("xmlns")) return this;
    return new Namespaces(declaredIn(tag, this.#declared), this.#own);
  }

  /** Whether an element with this qualified name belongs to the report. */
  isOwn(rawName: string): boolean {
    const colon = rawName.indexOf(":");
    return colon < 0 ? this.#isDefaultOwn : this.#isOwnPrefix(rawName.slice(0, colon));
  }

  #isOwnPrefix(prefix: string): boolean {
    const uri = resolve(this.#declared, prefix);
    return uri === this.#own || uri === "" || (this.#own === "" && DMARC.test(uri));
  }
}

function prefixOf(rawName: string): string {
  const colon = rawName.indexOf(":");
  return colon < 0 ? "" : rawName.slice(0, colon);
}

// An undeclared prefix stands for itself.
function resolve(declared: ReadonlyMap<string, string>, prefix: string): string {
  return declared.get(prefix) ?? (prefix === "" ? "" : `${prefix}:`);
}

function declaredIn(tag: string, around: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  // Hardly any tag declares anything.
  if (!tag.includes("xmlns")) return around;
  const declared = new Map(around);
  for (const [, prefix = "", quoted, single] of tag.matchAll(DECLARATION)) {
    if (declared.size < MAX_DECLARED) declared.set(prefix, (quoted ?? single ?? "").trim());
  }
  return declared;
}
