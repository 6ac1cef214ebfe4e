/** The lookups that checks of domains use, as the settings allow. */
import { type Fetch, httpsResolver } from "../../../shared/dns/over-https.ts";
import { boundedResolver, NO_RESOLVER, type Resolver } from "../../../shared/dns/resolver.ts";
import { policyFetcher } from "../../../shared/guidance/fetch-policy.ts";
import type { FetchPolicyFile } from "../../../shared/guidance/mta-sts-check.ts";
import { GUIDANCE_LIMITS } from "../../../shared/limits.ts";
import type { ProcessEnv } from "../env.ts";

/** What the checks use to look things up; neither function throws. */
export interface Lookups {
  resolver: Resolver;
  /**
   * The same for names of addresses: they must not use up what checks may ask. `NO_RESOLVER` where there are too few
   * for one domain.
   */
  nameResolver: Resolver;
  fetchPolicy: FetchPolicyFile;
}

/** The lookups that the settings allow: a bounded number of questions, enough for a whole round. */
export function lookupsOf({ DNS_OVER_HTTPS_URL: url, DNS_QUESTIONS_PER_RUN: questions }: ProcessEnv): Lookups {
  const request: Fetch = (address, init) => fetch(address, init);
  const most = Number(questions);
  const forNames = most * GUIDANCE_LIMITS.nameQuestionsPart;
  const bounded = (limit: number): Resolver => {
    const whole = Math.floor(limit);
    return url === "" ? NO_RESOLVER : boundedResolver(httpsResolver(url, request, whole), whole);
  };
  return {
    resolver: bounded(most),
    nameResolver: forNames < GUIDANCE_LIMITS.questionsForNames ? NO_RESOLVER : bounded(forNames),
    fetchPolicy: policyFetcher(request),
  };
}

/** Whether the questions of one invocation may not be enough for one domain. */
export function hasFewQuestions({ DNS_QUESTIONS_PER_RUN: questions }: ProcessEnv): boolean {
  return Number(questions) < GUIDANCE_LIMITS.maxQuestionsPerDomain;
}

/** How many domains the questions of one invocation are enough for: one at least, and no more than `most`. */
export function domainsPerRun({ DNS_QUESTIONS_PER_RUN: questions }: ProcessEnv, most: number): number {
  return Math.min(most, Math.max(1, Math.floor(Number(questions) / GUIDANCE_LIMITS.questionsOfDomain)));
}
