/** The verdict on the overview: is it safe to ask receivers to reject the rest, and what to do before. */
import type { Child } from "hono/jsx";
import { formatCount, formatShare } from "../data/numbers.ts";
import type { Source } from "../../../shared/guidance/sources.ts";
import { type Assessment, failed, VERDICT_LIMITS } from "../data/verdict.ts";
import { Name } from "../parts/foreign-text.tsx";
import { addressPath, sourcePath } from "../parts/links.ts";
import { linkTo, type PageRequest } from "../parts/request.ts";

const SHOWN = 4;

interface VerdictProps {
  request: PageRequest;
  domain: string;
  assessment: Assessment;
}

export function VerdictCard({ request, domain, assessment }: VerdictProps) {
  const { verdict, messages, doubtful, unauthenticated } = assessment;
  return (
    <section class={`card verdict ${verdict}`} aria-labelledby="verdict">
      <h2 id="verdict">{heading(assessment)}</h2>
      <p>{explanation(assessment)}</p>
      {messages > 0 && doubtful.length > 0 && (
        <Group
          title="Look at these first: the sender proves who it is, but not as your domain"
          advice="If it works for you, have it sign with your domain (DKIM) or bounce to it (SPF). A mailing list or forwarder you cannot mend: that mail would be refused by receivers that make no exception."
          sources={doubtful}
          link={(source) => linkTo(request, sourcePath(domain, source.name))}
        />
      )}
      {messages > 0 && unauthenticated.length > 0 && (
        <Group
          title="Nothing vouches for these addresses"
          advice="Mostly somebody using your name, which p=reject is there to stop. If one of them is yours, add it to your SPF record and let it sign before you go on."
          sources={unauthenticated}
          link={(source) => linkTo(request, addressPath(domain, source.name))}
        />
      )}
    </section>
  );
}

interface GroupProps {
  title: string;
  advice: string;
  sources: readonly Source[];
  link: (source: Source) => string;
}

function Group({ title, advice, sources, link }: GroupProps) {
  return (
    <div class="stack">
      <h3>{title}</h3>
      <p class="muted">{advice}</p>
      <ul>
        {sources.slice(0, SHOWN).map((source) => (
          <li>
            <a href={link(source)}>
              <Name text={source.name} />
            </a>
            {source.service !== "" && <span class="muted"> ({source.service})</span>}: {formatCount(failed(source))} of{" "}
            {formatCount(source.messages)} messages fail
            {source.spared > 0 && <>, {formatCount(source.spared)} of them spared by receivers (forwarding, lists)</>}
          </li>
        ))}
        {sources.length > SHOWN && <li class="muted">and {formatCount(sources.length - SHOWN)} more</li>}
      </ul>
    </div>
  );
}

function heading({ verdict, messages, failed: failing }: Assessment): Child {
  switch (verdict) {
    case "no_data":
      return "Nothing can be said: no report is about this period";
    case "too_early":
      return "Too early to say whether p=reject is safe";
    case "not_yet":
      return `Not yet: p=reject would refuse ${formatShare(failing, messages)} of the mail, some of it perhaps yours`;
    case "ready":
      return `Looks safe: p=reject would refuse ${formatShare(failing, messages)} of the mail, and none of it looks like yours`;
    case "enforced":
      return `p=reject is published: ${formatShare(failing, messages)} of the mail fails and may be refused`;
  }
}

function explanation(assessment: Assessment): Child {
  const { verdict, messages, failed: failing, daysWithReports, doubtfulMessages, unauthenticatedMessages } = assessment;
  const { minDaysWithReports, minMessages, maxDoubtfulShare } = VERDICT_LIMITS;
  if (verdict === "no_data") return "Choose a longer period, or wait for the first reports.";
  const figures = `${formatCount(failing)} of ${formatCount(messages)} messages fail DMARC: ${formatCount(doubtfulMessages)} from senders that authenticate as somebody, ${formatCount(unauthenticatedMessages)} from addresses nothing vouches for.`;
  const basis =
    verdict === "too_early"
      ? ` There are reports about ${daysWithReports} days and ${formatCount(messages)} messages; a judgement takes at least ${minDaysWithReports} days and ${minMessages} messages, so that monthly and weekly mail is seen too.`
      : ` The judgement rests on ${daysWithReports} days with reports, and calls p=reject safe while at most ${formatShare(maxDoubtfulShare * 1000, 1000)} of all mail fails from senders that authenticate. Mail that is sent less often than the period is long is not in it.`;
  return figures + basis;
}
