/** What to do when there is no data yet. */
import { explain } from "../data/glossary.ts";

/** The way from nothing to the first report. */
export function FirstRun({ isOperator }: { isOperator: boolean }) {
  if (!isOperator) {
    return (
      <section class="card">
        <h2>No reports yet</h2>
        <p class="lead">
          No reports for your accounts yet. Receivers send reports once a day, so the first ones take a day or two after
          the address is in the DMARC record. If it takes longer, ask your operator.
        </p>
      </section>
    );
  }
  return (
    <section class="card">
      <h2>No reports yet: three steps to the first one</h2>
      <p class="lead">{explain("Aggregate report")}</p>
      <ol class="steps">
        <li>
          Register the address that reports are sent to:
          <pre>npm run -s dmarc -- rua add dmarc@example.com --account acme</pre>
        </li>
        <li>
          Add it to the DMARC record of your domain. <code>p=none</code> changes nothing about your mail and asks for
          reports:
          <pre>{`_dmarc.example.com  TXT  "v=DMARC1; p=none; rua=mailto:dmarc@example.com"`}</pre>
        </li>
        <li>
          Wait a day: most receivers report once a day. To see it work now, send a report you have:
          <pre>npm run -s dmarc -- send --rua dmarc@example.com report.xml.gz</pre>
        </li>
      </ol>
      <p>
        About a domain other than the address's own, receivers report only if the address's domain allows it in DNS:
      </p>
      <pre>{`other.example._report._dmarc.example.com  TXT  "v=DMARC1;"`}</pre>
      <p>
        Mail has come in but nothing is shown? <a href="/operations">Operations</a> shows why.
      </p>
    </section>
  );
}
