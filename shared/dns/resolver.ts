/** DNS questions and answers. Callers take a resolver as an argument; without one every answer is "unknown". */

/** The record types in use. */
export type RecordType = "TXT" | "MX" | "CNAME" | "A" | "AAAA" | "NS" | "PTR" | "TLSA";

/**
 * answers: the records, as text (TXT: its strings joined; MX: `preference exchange`; TLSA: `usage selector type data`);
 * nxdomain: there is no such name; nodata: the name has no record of this type; servfail: the resolver failed; timeout:
 * it did not answer in time; unknown: no resolver was asked, or its answer is unreadable.
 *
 * isBogus: it would answer, but for signatures that do not validate. isAuthenticated: the resolver validated the answer by
 * DNSSEC (the AD bit, RFC 4035 section 3.2.3). ttlSeconds: for how long the records may be kept.
 */
export type Answer =
  | { status: "answers"; records: string[]; isAuthenticated?: boolean; ttlSeconds?: number }
  | { status: "nxdomain" | "nodata" | "timeout" | "unknown" }
  | { status: "servfail"; isBogus?: boolean };

/** Answers questions; never throws. */
export interface Resolver {
  /** @param name a domain name as A-labels */
  lookup(name: string, type: RecordType): Promise<Answer>;
}

/** The resolver to use when none is configured. */
export const NO_RESOLVER: Resolver = {
  lookup: async () => ({ status: "unknown" }),
};

/** A resolver that asks each question once, up to a limit; beyond it the answer is "unknown". */
export function boundedResolver(resolver: Resolver, maxLookups: number): Resolver {
  const asked = new Map<string, Promise<Answer>>();
  return {
    lookup(name, type) {
      const key = `${type} ${name.toLowerCase()}`;
      const known = asked.get(key);
      if (known !== undefined) return known;
      if (asked.size >= maxLookups) return NO_RESOLVER.lookup(name, type);
      const answer = resolver.lookup(name, type);
      asked.set(key, answer);
      return answer;
    },
  };
}

/** Whether a question remained unanswered: an error never means "absent". */
export function isUnanswered({ status }: Answer): boolean {
  return status === "servfail" || status === "timeout" || status === "unknown";
}

/** The records of an answer; empty if there are none or there is no answer. */
export function recordsOf(answer: Answer): string[] {
  return answer.status === "answers" ? answer.records : [];
}
