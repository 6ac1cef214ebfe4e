/** Support: reports as strangers send them. */
import { feedback, record } from "../support/plain-report.ts";

/** Where they are sent. */
export const RUA = "reports@acme.example";
const DAY_SECONDS = 86_400;
const yesterday = Math.floor(Date.now() / 1000 / DAY_SECONDS) * DAY_SECONDS - DAY_SECONDS;
/** What a stranger may write into a report. */
export const HOSTILE = {
  org: "=HYPERLINK(1)'; DROP TABLE dmarc_records; --<script>alert(1)</script>",
  comment: `"><img src=x onerror=alert(2)><svg onload=alert(3)>`,
  selector: "@SUM(A1:A9)",
};

/** An aggregate report of three records, 108 messages, 80 passed. */
export function report(given: { reportId: string; domain?: string }): string {
  const { reportId, domain = "acme.example" } = given;
  const own = `<dkim><domain>${domain}</domain><selector>s1</selector><result>pass</result></dkim>`;
  const other = "<dkim><domain>sender.test</domain><selector>k1</selector><result>pass</result></dkim>";
  return feedback({
    org: "Good Reporter",
    reportId,
    domain,
    beginSeconds: yesterday,
    records: [
      record({ ip: "192.0.2.1", count: 80, isPass: true, domain, auth: own }),
      record({ ip: "192.0.2.7", count: 20, isPass: false, domain, auth: other }),
      record({ ip: "192.0.2.66", count: 8, isPass: false, domain, auth: "" }),
    ],
  });
}

/** A report as a usual domain gets them: a dozen sources, some forwarded or let through by a receiver's own rules. */
export function usualReport(domain: string): string {
  const reasons = ["forwarded", "mailing_list", "local_policy"];
  const records = Array.from({ length: 12 }, (_, i) => {
    const auth = `<dkim><domain>sender${i}.test</domain><selector>k1</selector><result>pass</result></dkim>`;
    const text = record({ ip: `192.0.2.${i + 1}`, count: 500 - i, isPass: i % 2 === 0, domain, auth });
    const reason = `<reason><type>${reasons[i % reasons.length]}</type></reason></policy_evaluated>`;
    return i % 2 === 0 ? text : text.replace("</policy_evaluated>", reason);
  });
  return feedback({ org: "Good Reporter", reportId: `usual-${domain}`, domain, records, beginSeconds: yesterday });
}

/** A report with script, SQL and formulas wherever its writer may put text. */
export function hostileReport(): string {
  const selector = escapeXml(HOSTILE.selector);
  const auth = `<dkim><domain>=cmd.test</domain><selector>${selector}</selector><result>pass</result></dkim>`;
  const text = record({ ip: "192.0.2.7", count: 1, isPass: false, domain: "acme.example", auth });
  const reason = `<reason><type>other</type><comment>${escapeXml(HOSTILE.comment)}</comment></reason></policy_evaluated>`;
  return feedback({
    org: escapeXml(HOSTILE.org),
    reportId: escapeXml("+1<script>alert(4)</script>"),
    domain: "acme.example",
    beginSeconds: yesterday,
    records: [text.replace("</policy_evaluated>", reason)],
  });
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** An SMTP TLS report about acme.example. */
export function tlsReport(): string {
  const day = new Date(yesterday * 1000).toISOString().slice(0, 10);
  return JSON.stringify({
    "organization-name": "TLS Reporter <script>alert(5)</script>",
    "date-range": { "start-datetime": `${day}T00:00:00Z`, "end-datetime": `${day}T23:59:59Z` },
    "contact-info": "tls@reporter.example",
    "report-id": "tls-1",
    policies: [
      {
        policy: { "policy-type": "sts", "policy-domain": "acme.example", "mx-host": ["mx.acme.example"] },
        summary: { "total-successful-session-count": 40, "total-failure-session-count": 2 },
        "failure-details": [{ "result-type": "certificate-expired", "failed-session-count": 2 }],
      },
    ],
  });
}

/** A failure report about acme.example, a whole mail. */
export function failureMail(): string {
  const feedback = `Feedback-Type: auth-failure
User-Agent: Test/1
Version: 1
Auth-Failure: dmarc
Delivery-Result: reject
Source-IP: 192.0.2.66
Reported-Domain: acme.example
Original-Mail-From: <someone@bounce.acme.example>
Arrival-Date: ${new Date(yesterday * 1000).toUTCString()}
Reporting-MTA: dns; mx.reporter.example
`;
  return `From: reports@reporter.example
To: ${RUA}
Subject: FW: Invoice
Message-ID: <failure@reporter.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: text/plain

A message failed.
--b
Content-Type: message/feedback-report

${feedback}
--b
Content-Type: text/rfc822-headers

From: someone@acme.example
Subject: Invoice
--b--
`.replaceAll("\n", "\r\n");
}
