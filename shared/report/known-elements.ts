/**
 * The elements defined by the RFCs, by position, so that elements with other names or positions can be warned of. Pure.
 */
import { storedText } from "./values.ts";
import type { XmlElement } from "./xml/element.ts";

/** Path → names of its children; a path not listed holds a value. */
const RECORD: Record<string, readonly string[]> = {
  "": ["row", "identifiers", "identities", "auth_results", "extension", "extensions"],
  row: ["source_ip", "count", "policy_evaluated"],
  "row/policy_evaluated": ["disposition", "dkim", "spf", "reason"],
  "row/policy_evaluated/reason": ["type", "comment"],
  identifiers: ["header_from", "envelope_from", "envelope_to"],
  identities: ["header_from", "envelope_from", "envelope_to"],
  auth_results: ["dkim", "spf"],
  "auth_results/dkim": ["domain", "selector", "result", "human_result"],
  "auth_results/spf": ["domain", "scope", "result", "human_result"],
};

const FRAME: Record<string, readonly string[]> = {
  "": ["version", "report_metadata", "policy_published", "record", "extension", "extensions"],
  report_metadata: ["org_name", "email", "extra_contact_info", "report_id", "date_range", "error", "generator"],
  "report_metadata/date_range": ["begin", "end"],
  policy_published: [
    "domain",
    "adkim",
    "aspf",
    "p",
    "sp",
    "np",
    "pct",
    "fo",
    "testing",
    "discovery_method",
    "version_published",
    "extension",
    "extensions",
  ],
};

/** The most unknown elements reported for one record, or for one report without its records. */
const MAX_PATHS = 20;
const MAX_NAME_CHARS = 100;

/** A position in the schema: the children by name; undefined if it holds a value. */
interface KnownPlace {
  path: string;
  children: ReadonlyMap<string, KnownPlace> | undefined;
}

const RECORD_PLACE = placeOf(RECORD, "");
const FRAME_PLACE = placeOf(FRAME, "");

function placeOf(known: Record<string, readonly string[]>, path: string): KnownPlace {
  const names = known[path];
  const below = (name: string): string => (path === "" ? name : `${path}/${name}`);
  return { path, children: names && new Map(names.map((name) => [name, placeOf(known, below(name))])) };
}

/** Paths of a record's elements that no RFC defines at that position. */
export function unknownPaths(record: XmlElement): string[] {
  const found: string[] = [];
  findUnknown(record, RECORD_PLACE, found);
  return found;
}

/** The same for a report without its records. */
export function unknownFramePaths(root: XmlElement): string[] {
  const found: string[] = [];
  findUnknown(root, FRAME_PLACE, found);
  return found;
}

function findUnknown(element: XmlElement, { path, children }: KnownPlace, found: string[]): void {
  // Extensions may contain anything.
  if (path.endsWith("extension") || path.endsWith("extensions")) return;
  for (const one of element.children) {
    if (children === undefined && one.isAttribute) continue;
    const place = children?.get(one.name) ?? children?.get(one.name.toLowerCase());
    if (place !== undefined) findUnknown(one, place, found);
    else if (found.length < MAX_PATHS) {
      const name = storedText(one.name, MAX_NAME_CHARS);
      found.push(path === "" ? name : `${path}/${name}`);
    }
  }
}
