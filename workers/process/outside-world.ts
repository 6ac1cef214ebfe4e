/** What checks of domains use to look things up, as the settings allow. */
import { type Fetch, httpsResolver } from "../../shared/dns/over-https.ts";
import { NO_RESOLVER, type Resolver } from "../../shared/dns/resolver.ts";
import { policyFetcher } from "../../shared/guidance/fetch-policy.ts";
import type { FetchPolicyFile } from "../../shared/guidance/mta-sts-check.ts";
import type { ProcessEnv } from "./env.ts";

/** What the checks use to look things up; neither function throws. */
export interface OutsideWorld {
  resolver: Resolver;
  fetchPolicy: FetchPolicyFile;
}

/** The lookups that the settings allow: a bounded number of questions, enough for a whole round. */
export function outsideWorld({ DNS_OVER_HTTPS_URL: url }: ProcessEnv): OutsideWorld {
  const request: Fetch = (address, init) => fetch(address, init);
  return { resolver: url === "" ? NO_RESOLVER : httpsResolver(url, request), fetchPolicy: policyFetcher(request) };
}
