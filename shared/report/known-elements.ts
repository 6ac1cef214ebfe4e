/** The elements that the RFCs know, by where they stand: what stands elsewhere, or is called otherwise, is told of. Pure. */
import { storedText } from "./values.ts";
import type { XmlElement } from "./xml/element.ts";

/** Path → names of its children; a path that is not here holds a value. */
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

/** Told of one record, or of one report beside its records; they are no longer than this together. */
const MAX_PATHS = 20;
const MAX_NAME_CHARS = 100;

/** Where an element may stand: what its children lead to, by their names; undefined where it holds a value. */
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

/** Paths of the elements of a record that no RFC knows at their place. */
export function unknownPaths(record: XmlElement): string[] {
  const found: string[] = [];
  findUnknown(record, RECORD_PLACE, found);
  return found;
}

/** The same of a report without its records. */
export function unknownFramePaths(root: XmlElement): string[] {
  const found: string[] = [];
  findUnknown(root, FRAME_PLACE, found);
  return found;
}

function findUnknown(element: XmlElement, { path, children }: KnownPlace, found: string[]): void {
  if (children === undefined) return;
  for (const one of element.children) {
    const place = children.get(one.name) ?? children.get(one.name.toLowerCase());
    if (place !== undefined) findUnknown(one, place, found);
    else if (found.length < MAX_PATHS) {
      const name = storedText(one.name, MAX_NAME_CHARS);
      found.push(path === "" ? name : `${path}/${name}`);
    }
  }
}
