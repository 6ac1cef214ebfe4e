/**
 * What is wrong with a source, in a sentence, and, once the owner claimed it, what authorizing it does to the SPF
 * record.
 */
import { type ServiceGuide, serviceGuide } from "../../../shared/guidance/known-services.ts";
import type { Diagnosis } from "../../../shared/guidance/source-diagnosis.ts";
import { GUIDANCE_LIMITS } from "../../../shared/limits.ts";
import type { SpfAdvice } from "../data/source-advice.ts";
import { ForeignText } from "../parts/foreign-text.tsx";
import { StateMark } from "../parts/marks.tsx";

/** The sentence, with the guide of the service. */
export function DiagnosisCard({ diagnosis: { code, sentence, guide } }: { diagnosis: Diagnosis }) {
  return (
    <section class="card" aria-labelledby="matter">
      <h2 id="matter">{code === "passes" ? "Nothing to do" : "What is wrong"}</h2>
      <p>
        <ForeignText text={sentence} />
      </p>
      {guide !== undefined && <Guide guide={guide} />}
    </section>
  );
}

function Guide({ guide: { setting, url } }: { guide: ServiceGuide }) {
  return (
    <p>
      The setting is called "{setting}":{" "}
      <a href={url} rel="noreferrer noopener">
        guide of the service
      </a>
    </p>
  );
}

/** The SPF record before and after. */
export function SpfCard({ advice }: { advice: SpfAdvice }) {
  const { domain, state, sentence, before, after, choices, source, code } = advice;
  const guide = code === "otherReturnPath" ? serviceGuide(source) : undefined;
  return (
    <section class="card" aria-labelledby="spf-advice">
      <h2 id="spf-advice">
        What it means for SPF <StateMark state={state} />
      </h2>
      <p class="lead">
        <ForeignText text={sentence} />
      </p>
      {guide !== undefined && <Guide guide={guide} />}
      {after !== undefined && before !== undefined && (
        <>
          <RecordText label="Published now" domain={domain} side={before} />
          <RecordText label="With it" domain={domain} side={after} />
        </>
      )}
      {choices.length > 1 && (
        <p class="small muted">
          Also possible:{" "}
          {choices
            .slice(1)
            .map(({ term, lookups }) => `${term} (${lookups} lookups)`)
            .join(", ")}
          .
        </p>
      )}
      {after !== undefined && <p class="small muted">Nothing is changed here: the record is yours to publish.</p>}
    </section>
  );
}

function RecordText({
  label,
  domain,
  side,
}: {
  label: string;
  domain: string;
  side: { text: string; lookups: number };
}) {
  return (
    <>
      <p class="small">
        {label}, {side.lookups} of {GUIDANCE_LIMITS.maxSpfLookups} lookups
      </p>
      <pre class="mono record">
        {side.text === "" ? (
          "no record"
        ) : (
          <>
            <ForeignText text={domain} /> TXT "<ForeignText text={side.text} />"
          </>
        )}
      </pre>
    </>
  );
}
