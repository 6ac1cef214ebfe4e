/** The verdict on the overview: what is, the one thing to do next, the record to publish, and what each step would hit. */
import type { Child } from "hono/jsx";
import { STAGES, stageNumber } from "../../../shared/guidance/next-record.ts";
import type { JudgedSource, Role } from "../../../shared/guidance/roles.ts";
import { needsStrings, STRINGS_HINT } from "../../../shared/guidance/txt-strings.ts";
import type { Reason, Verdict } from "../../../shared/guidance/verdict.ts";
import {
  basisText,
  listedReasons,
  reasonText,
  roleReasonText,
  verdictWords,
} from "../../../shared/guidance/verdict-words.ts";
import type { PolicyStep } from "../../../shared/guidance/what-if.ts";
import { formatCount } from "../data/numbers.ts";
import { ForeignText } from "../parts/foreign-text.tsx";
import { linkTo } from "../parts/links.ts";
import type { PageRequest } from "../parts/page-request.ts";
import { addressPath, domainPath, sourcePath } from "../paths.ts";

/** Ours: reasons that are listed; the page of sources has all. */
const SHOWN = 4;

interface VerdictProps {
  request: PageRequest;
  verdict: Verdict;
}

export function VerdictCard({ request, verdict }: VerdictProps) {
  const { state, domain, messages, nextRecord } = verdict;
  const { headline, nextStep } = verdictWords(verdict);
  const basis = basisText(verdict);
  const shown = listedReasons(verdict);
  return (
    <section class={`card verdict ${state}`} aria-labelledby="verdict">
      <h2 id="verdict">
        <ForeignText text={headline} />
      </h2>
      <p class="next-step">
        <ForeignText text={nextStep} />
      </p>
      <Undecided request={request} verdict={verdict} />
      {basis !== undefined && <p class="small muted">{basis}</p>}
      {nextRecord !== undefined && <NextRecord request={request} verdict={verdict} text={nextRecord} />}
      {messages > 0 && state !== "notInUse" && <Path verdict={verdict} />}
      {state === "silent" && (
        <p>
          <a href={linkTo(request, `${domainPath(domain)}/records`)}>Check what is published</a>
        </p>
      )}
      {shown.length > 0 && <Reasons request={request} domain={domain} reasons={shown} />}
      {messages > 0 && <WhatIf request={request} verdict={verdict} />}
    </section>
  );
}

function NextRecord({ request, verdict, text }: VerdictProps & { text: string }) {
  const { domain, state, keepsPublished, isPublished } = verdict;
  return (
    <div class="stack">
      {isPublished === true ? (
        <span class="small muted">
          Published at <ForeignText text={`_dmarc.${domain}`} />, as last checked:
        </span>
      ) : (
        <span class="small muted">
          {state === "beingRejected" ? "To publish until then" : "To publish"}: a TXT record at{" "}
          <ForeignText text={`_dmarc.${domain}`} />.{" "}
          {keepsPublished === true
            ? "Only the policy differs from the current record, as last checked."
            : "Keep other rua and ruf addresses of the current record: reports don't name them."}
          {needsStrings(text) ? ` ${STRINGS_HINT}` : ""}
        </span>
      )}
      <pre class="record" data-copy={text}>
        <ForeignText text={text} />
      </pre>
      {state === "notInUse" && (
        <>
          <span class="small muted">
            And a TXT record at <ForeignText text={domain} />
          </span>
          <pre class="record" data-copy="v=spf1 -all">
            v=spf1 -all
          </pre>
        </>
      )}
      <a class="small screen-only" href={linkTo(request, `${domainPath(domain)}/records`)}>
        {isPublished === true ? "Published records" : "Once it is published, check it"}
      </a>
    </div>
  );
}

/** How far the domain is on the way to p=reject. */
function Path({ verdict: { stage } }: { verdict: Verdict }) {
  const at = stageNumber(stage);
  return (
    <p class="small muted">
      Stage {at + 1} of {STAGES.length}:{" "}
      {STAGES.map(({ p, isTest }, number) => (
        <>
          {number > 0 && " → "}
          <span class={number === at ? "result" : "nowrap"} aria-current={number === at ? "step" : undefined}>
            p={p}
            {isTest && "; t=y"}
          </span>
        </>
      ))}
    </p>
  );
}

function Undecided({ request, verdict: { domain, sources } }: VerdictProps) {
  const count = sources.filter(({ role, name }) => role === "undecided" && name !== "").length;
  if (count === 0) return null;
  return (
    <p>
      <a href={linkTo(request, `${domainPath(domain)}/senders`)}>
        {count === 1 ? "1 sender waits for your decision" : `${formatCount(count)} senders wait for your decision`}
      </a>
    </p>
  );
}

interface ReasonsProps {
  request: PageRequest;
  domain: string;
  reasons: readonly Reason[];
}

function Reasons({ request, domain, reasons }: ReasonsProps) {
  const rest = reasons.length - SHOWN;
  return (
    <ul>
      {reasons.slice(0, SHOWN).map((reason) => (
        <li>
          <ForeignText text={reasonText(reason)} />{" "}
          {reason.source !== undefined && reason.source.name !== "" && (
            <SourceLink request={request} domain={domain} source={reason.source} />
          )}
        </li>
      ))}
      {rest > 0 && (
        <li>
          <a href={linkTo(request, `${domainPath(domain)}/sources`)}>and {formatCount(rest)} more</a>
        </li>
      )}
    </ul>
  );
}

function SourceLink({ request, domain, source }: { request: PageRequest; domain: string; source: JudgedSource }) {
  const { kind, name, reason } = source;
  const path = kind === "none" ? addressPath(domain, name) : sourcePath(domain, name);
  return (
    <a class="small" href={linkTo(request, path)} title={name}>
      {reason === "decided" ? "What fails, and why" : capitalised(roleReasonText(reason))}
    </a>
  );
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Rows of the table, by the role of the sender. */
const ROLES: { role: Role; label: string }[] = [
  { role: "own", label: "Yours" },
  { role: "undecided", label: "Undecided" },
  { role: "forwarder", label: "Forwarded" },
  { role: "foreign", label: "Foreign" },
];

/** Columns: quarantine and reject hit the same messages. */
const STEP_COLUMNS: { step: PolicyStep; label: Child }[] = [
  { step: "reject", label: "p=quarantine or p=reject" },
  { step: "strict", label: "With strict alignment" },
  { step: "subdomains", label: "From subdomains (sp, np)" },
];

function WhatIf({ request, verdict: { domain, wouldHit, letThrough } }: VerdictProps) {
  return (
    <div class="stack">
      <h3 id="what-if">Messages a policy would have hit</h3>
      <section class="scroll" tabindex={0} aria-label="Messages a policy would have hit, table">
        <table class="what-if" aria-labelledby="what-if">
          <thead>
            <tr>
              <th scope="col">Mail</th>
              {STEP_COLUMNS.map(({ label }) => (
                <th scope="col" class="end">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {ROLES.map(({ role, label }) => (
              <tr>
                <th scope="row" class="text">
                  {label}
                </th>
                {STEP_COLUMNS.map(({ step }) => (
                  <td class="end nowrap">
                    {wouldHit[step][role] === 0 ? (
                      <span class="muted">0</span>
                    ) : (
                      <a href={hitLink(request, domain, { role, step })}>{formatCount(wouldHit[step][role])}</a>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p class="small muted">
        With t=y, receivers that follow RFC 9989 act one level below: quarantine as none, reject as quarantine. Older
        ones ignore it.{" "}
        {letThrough > 0 &&
          `${formatCount(letThrough)} failing messages that receivers let through as forwarded or from a list are not counted.`}
      </p>
    </div>
  );
}

/** The sources whose messages make up a number. */
function hitLink(request: PageRequest, domain: string, { role, step }: { role: Role; step: PolicyStep }): string {
  const link = linkTo(request, `${domainPath(domain)}/sources`);
  const filter = new URLSearchParams({ role, step, "sources.sort": "-hit" });
  return `${link}${link.includes("?") ? "&" : "?"}${filter}`;
}
