/** One failure report whole: facts about domains only, and what they mean. */
import type { Child } from "hono/jsx";
import { isoMinute } from "../data/days.ts";
import { describeAuthFailure, describeDelivery } from "../data/failure-words.ts";
import { formatCount } from "../data/numbers.ts";
import { unless } from "../errors.ts";
import { AddressLink } from "../parts/address-link.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import { Explained, Note, Pairs } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import type { PageRequest } from "../parts/page-request.ts";
import { ReportHead, reportCrumbs, type Stored, storedPairs, Warnings } from "../parts/report-frame.tsx";
import { Term } from "../parts/term.tsx";

export async function failureReportPage(
  request: PageRequest,
  { report, details, imported }: Stored<"failure">,
): Promise<PageResult> {
  const hasRaw = await isStored(request, report.rawKey);
  const { domain, total: incidents } = report;
  const about = domain || "an unnamed domain";
  return {
    tables: [],
    content: {
      title: `Failure report about ${about}`,
      section: "domains",
      crumbs: reportCrumbs(request, { domain, path: "/failures", label: "Failure reports" }),
      body: (
        <>
          <ReportHead
            request={request}
            hasRaw={hasRaw}
            title={
              <>
                Failure report about <ForeignText text={about} />
              </>
            }
            lead={
              `${incidents === 1 ? "One message" : `${formatCount(incidents)} messages`} in this domain's name ` +
              "failed. Only domain-level facts are stored."
            }
          />
          <RawNote hasRaw={hasRaw} />
          <div class="columns">
            <section class="card">
              <h2>What failed</h2>
              <Pairs pairs={failurePairs(request, { report, details })} />
            </section>
            <section class="card">
              <h2>
                Report <Term name="Failure report">{""}</Term>
              </h2>
              <Pairs
                pairs={[
                  [<Term name="Reporter" />, report.reporter || "–"],
                  ["Messages", formatCount(incidents)],
                  ...storedPairs({ report, imported }),
                ]}
              />
            </section>
          </div>
          <Warnings details={details} />
        </>
      ),
    },
  };
}

function RawNote({ hasRaw }: { hasRaw: boolean }) {
  if (!hasRaw) {
    return <p class="muted">The mail itself is not stored, because it may contain personal data.</p>;
  }
  return (
    <Note>
      The raw file is the receiver's whole mail. It may contain people's addresses, a subject and text: download it only
      if you are allowed to.
    </Note>
  );
}

// An address keeps the mails of failure reports only where its registration says so.
async function isStored(request: PageRequest, rawKey: string): Promise<boolean> {
  const raw = await unless(["not_found"], request.operate("readRawObject", { key: rawKey }));
  if (raw.ok) await raw.value.body?.cancel();
  return raw.ok;
}

function failurePairs(
  request: PageRequest,
  { report, details }: Pick<Stored<"failure">, "report" | "details">,
): [Child, Child][] {
  const { sourceIp, authFailure, deliveryResult, identityAlignment } = details;
  return [
    ["Check that failed", <Explained word={authFailure} meaning={describeAuthFailure(authFailure)} />],
    ["Sent from", <AddressLink request={request} domain={report.domain} address={sourceIp} />],
    ["Message arrived", isoMinute(details.arrivalSeconds ?? 0) || details.arrivalDate || "–"],
    ["Outcome", <Explained word={deliveryResult} meaning={describeDelivery(deliveryResult)} />],
    [<Term name="From header">From domain</Term>, report.domain || "–"],
    [<Term name="Envelope from" />, details.mailFromDomain || "–"],
    [<Term name="DKIM">DKIM domain</Term>, details.dkimDomain || "–"],
    [<Term name="DKIM selector" />, details.dkimSelector || "–"],
    [<Term name="SPF">SPF domain</Term>, details.spfDomain || "–"],
    [
      "Identity-Alignment",
      <Explained
        word={identityAlignment}
        meaning="As reported: RFC 7489 lists here what aligned, RFC 9991 what did not, and a report does not say which it follows."
      />,
    ],
  ];
}
