/** What adding a source does to an SPF record, within the time that a page may wait. */
import { boundedResolver } from "../../../shared/dns/resolver.ts";
import { adviseSpf, type SpfAdvice, type SpfSender } from "../../../shared/guidance/spf-advice.ts";
import { GUIDANCE_LIMITS } from "../../../shared/limits.ts";
import type { Lookups } from "../domains/lookups.ts";

/** The advice; "unknown" where DNS takes longer than a page may wait. Never throws for what DNS does. */
export async function adviseSpfInTime(
  domain: string,
  sender: SpfSender,
  { resolver }: Pick<Lookups, "resolver">,
): Promise<SpfAdvice> {
  const bounded = boundedResolver(resolver, GUIDANCE_LIMITS.maxQuestionsPerCheck);
  const late = Promise.withResolvers<SpfAdvice>();
  const timer = setTimeout(() => late.resolve(noAnswerInTime(domain, sender)), GUIDANCE_LIMITS.pageDnsMilliseconds);
  try {
    return await Promise.race([adviseSpf(domain, sender, bounded), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function noAnswerInTime(domain: string, { name }: SpfSender): SpfAdvice {
  const sentence = "Unknown: DNS did not answer in time. Try again later.";
  return { domain, source: name, code: "unknown", state: "unknown", sentence, choices: [] };
}
