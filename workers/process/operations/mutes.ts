/** Mutes alerts of an account, and unmutes them. */
import type { Inputs } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import { change } from "../../../shared/ledger/database.ts";
import { putMute, removeEndedMutes, removeMute } from "../../../shared/ledger/notices.ts";
import { WATCH_LIMITS } from "../../../shared/limits.ts";
import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { fail, ok } from "../../../shared/result.ts";
import type { Mute } from "../../../shared/watch/finding.ts";
import { noAccount } from "../answers.ts";
import { type Invocation, inShardIfKnown, inShardOf } from "../env.ts";

/** Mutes. @param by the person who asks @returns the mute as it is stored; a problem if there is no such account, or it is full */
export async function mute(
  { days, note, ...name }: Inputs["mute"],
  by: string,
  invocation: Invocation,
): Promise<Answer<Mute>> {
  const place = await inShardIfKnown(name.account, invocation);
  if (place === undefined) return noAccount(name.account);
  const { ledger, nowSeconds } = place;
  const kept: Mute = {
    ...wholeName(name),
    untilSeconds: days === undefined ? 0 : nowSeconds + days * SECONDS_PER_DAY,
    note: note ?? "",
    mutedSeconds: nowSeconds,
    mutedBy: by,
  };
  const [, put] = await change(ledger, [removeEndedMutes(kept.account, nowSeconds), putMute(kept)]);
  if (put?.results.length === 1) return ok(kept);
  const message = `The account has ${WATCH_LIMITS.mutesPerAccount} mutes, as many as it may have: one of a domain or a rule covers many.`;
  return fail({ code: "too_large", message });
}

/** Removes a mute. */
export async function unmute(name: Inputs["unmute"], invocation: Invocation): Promise<void> {
  const { ledger } = await inShardOf(name.account, invocation);
  await change(ledger, [removeMute(wholeName(name))]);
}

function wholeName({
  account,
  domain = "",
  rule,
  subject = "",
}: Inputs["unmute"]): Pick<Mute, "account" | "domain" | "rule" | "subject"> {
  return { account, domain, rule: rule ?? "", subject };
}
