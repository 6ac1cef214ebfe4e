/** The elements that the RFCs know, by where they stand: what stands elsewhere, or is called otherwise, is told of. Pure. */
import { storedText } from "./values.ts";
import { isNamed, type XmlElement } from "./xml/element.ts";

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

/** Paths of the elements of a record that no RFC knows at their place. */
export function unknownPaths(record: XmlElement): string[] {
  return findUnknown(record, RECORD);
}

/** The same of a report without its records. */
export function unknownFramePaths(root: XmlElement): string[] {
  return findUnknown(root, FRAME);
}

function findUnknown(root: XmlElement, known: Record<string, readonly string[]>): string[] {
  const found: string[] = [];
  const walk = (element: XmlElement, path: string): void => {
    const names = known[path];
    if (names === undefined) return;
    for (const one of element.children) {
      if (found.length >= MAX_PATHS) return;
      const name = names.find((candidate) => isNamed(one, candidate));
      const own = name ?? storedText(one.name, MAX_NAME_CHARS);
      const at = path === "" ? own : `${path}/${own}`;
      if (name === undefined) found.push(at);
      else walk(one, at);
    }
  };
  walk(root, "");
  return found;
}
