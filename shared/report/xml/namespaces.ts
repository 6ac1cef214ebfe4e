/**
 * Which elements are a report's own (Namespaces in XML 1.0): those of the root's namespace, and those of none, since the
 * schema of RFC 7489 leaves the elements within the root unqualified. An element of any other namespace is an extension,
 * whatever its name. Pure.
 */

/** Namespaces of reports, which a root without one may have around it. */
const DMARC = /^(?:urn:ietf:params:xml:ns:dmarc-2\.0|http:\/\/dmarc\.org\/dmarc-xml\/)/;
const DECLARATION = /\sxmlns(?::([A-Za-z_][\w.-]{0,100}))?\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)')/g;
/** Of prefixes declared around a place; a real report has up to four. */
const MAX_DECLARED = 64;

/** The declarations in force at a place. */
export class Namespaces {
  readonly #declared: ReadonlyMap<string, string>;
  readonly #own: string;
  /** Whether an element without a prefix is the report's own: nearly all are without one. */
  readonly #isDefaultOwn: boolean;

  private constructor(declared: ReadonlyMap<string, string>, own: string) {
    this.#declared = declared;
    this.#own = own;
    this.#isDefaultOwn = this.#isOwnPrefix("");
  }

  /** Everything is ours: of a text whose foreign elements are gone. */
  static readonly none = new Namespaces(new Map(), "");

  /** Those of a root element: its name with its prefix, and its tag. */
  static ofRoot(rawName: string, tag: string): Namespaces {
    const declared = declaredIn(tag, new Map());
    return new Namespaces(declared, resolve(declared, prefixOf(rawName)));
  }

  /** Those within an element; the same object where its tag declares none. */
  within(tag: string): Namespaces {
    if (!tag.includes("xmlns")) return this;
    return new Namespaces(declaredIn(tag, this.#declared), this.#own);
  }

  /** Whether an element with this name, prefix and all, is the report's own. */
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

// A prefix that nobody declares stands for itself.
function resolve(declared: ReadonlyMap<string, string>, prefix: string): string {
  return declared.get(prefix) ?? (prefix === "" ? "" : `${prefix}:`);
}

function declaredIn(tag: string, around: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  // Nearly no tag declares anything.
  if (!tag.includes("xmlns")) return around;
  const declared = new Map(around);
  for (const [, prefix = "", quoted, single] of tag.matchAll(DECLARATION)) {
    if (declared.size < MAX_DECLARED) declared.set(prefix, (quoted ?? single ?? "").trim());
  }
  return declared;
}
