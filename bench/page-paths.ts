/** The pages a benchmark asks for: those of the site's one list that have data, about one domain and a period. */
import { fillPath, type PagePath, pageRoutes } from "../workers/dashboard/routes.ts";
import type { PagesBench } from "./pages.ts";

/** A period in a link. */
export function periodOfDays(lastDay: number, days: number): string {
  const iso = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);
  return `from=${iso(lastDay - days + 1)}&to=${iso(lastDay)}`;
}

/** Every page about a domain over a period. @param period as `periodOfDays` writes it */
export async function pathsAbout(bench: PagesBench, domain: string, period: string): Promise<Record<string, string>> {
  const named = { domain, source: "service7.example", address: "192.0.0.35" };
  const paths: Record<string, string> = {};
  for (const [path] of pageRoutes()) {
    // Pages of an account need one, and only domains and reports are stored here; what /add shows is process's.
    if (path.startsWith("/reports/") || /:(id|account)\b/.test(path) || path === "/glossary" || path === "/add")
      continue;
    paths[path] = `${fillPath(path, named)}?${period}`;
  }
  for (const list of ["reports", "tls", "failures"] as const) {
    const from = paths[`/domains/:domain/${list}` satisfies PagePath];
    const link = /href="(\/reports\/[^"]+)"/.exec((await bench.get(from ?? "/")).text)?.[1];
    if (link !== undefined) paths[`one of ${list}`] = link.replaceAll("&amp;", "&");
  }
  paths["/domains/:domain/sources as CSV"] = `${paths["/domains/:domain/sources"]}&export=csv&table=sources`;
  paths["/domains/:domain/reports of an address"] = `${paths["/domains/:domain/reports"]}&source=192.0.0.35`;
  return paths;
}
