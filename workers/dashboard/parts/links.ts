/** Links that keep what the address of the current page says. Pure. */
import type { PageRequest } from "./page-request.ts";

/** The page's own link with some parameters set; undefined removes one. */
export function linkWith(url: URL, changes: Record<string, string | undefined>): string {
  const parameters = new URLSearchParams(url.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) parameters.delete(name);
    else parameters.set(name, value);
  }
  const text = parameters.toString();
  return text === "" ? url.pathname : `${url.pathname}?${text}`;
}

/** A link to another page that keeps the period. */
export function linkTo(request: PageRequest, path: string): string {
  const kept = new URLSearchParams();
  for (const name of ["days", "from", "to"]) {
    const value = request.parameters.get(name);
    if (value !== null && value !== "") kept.set(name, value);
  }
  const text = kept.toString();
  return text === "" ? path : `${path}?${text}`;
}
