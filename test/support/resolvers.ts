/** Support: resolvers with answers of their own. */
import type { Answer, Resolver } from "../../shared/dns/resolver.ts";

/** TXT records by name; any other name does not exist. `asked` lists what was looked up. */
export function txtResolver(records: Record<string, string>): Resolver & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async lookup(name) {
      asked.push(name);
      const record = records[name];
      return record === undefined ? { status: "nxdomain" } : { status: "answers", records: [record] };
    },
  };
}

/** Answers every question the same. */
export function constantResolver(answer: Answer): Resolver {
  return { lookup: async () => answer };
}
