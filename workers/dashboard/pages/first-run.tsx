/** What to do when there is no data yet. */
import { explain } from "../data/glossary.ts";
import type { PageRequest } from "../parts/page-request.ts";
import { AddOneForm } from "./add-domain.tsx";

interface FirstRunProps {
  request: PageRequest;
  /** Accounts in which the person may change domains. */
  accounts: readonly string[];
}

/** The steps to the first report. */
export function FirstRun({ request, accounts }: FirstRunProps) {
  if (request.access.role === "viewer") {
    return (
      <section class="card">
        <h2>No reports yet</h2>
        <p class="lead">
          Your accounts have no reports yet. An administrator of the account adds domains; receivers send reports once a
          day, so the first ones take a day or two.
        </p>
      </section>
    );
  }
  if (request.access.role !== "operator") {
    return (
      <section class="card">
        <h2>No reports yet</h2>
        <p class="lead">
          Your accounts have no reports yet. Add a domain to get an address for its reports and the DNS records to
          publish. Receivers send reports once a day, so the first ones take a day or two.
        </p>
        <AddOneForm request={request} accounts={accounts} />
      </section>
    );
  }
  return (
    <section class="card">
      <h2>No reports yet: three steps to the first one</h2>
      <p class="lead">{explain("Aggregate report")}</p>
      <ol class="steps">
        <li>
          Add your domain. It gets an address for its reports:
          <div>
            <AddOneForm request={request} accounts={accounts} />
          </div>
        </li>
        <li>
          Publish the DNS records on the page that follows. <code>p=none</code> changes nothing about your mail and asks
          for reports.
        </li>
        <li>
          Wait a day: most receivers report once a day. To see it work now, send a report you have:
          <pre>npm run -s dmarc -- send --rua dmarc@example.com report.xml.gz</pre>
        </li>
      </ol>
      <p>At the command line, with an address of your own:</p>
      <pre>npm run -s dmarc -- rua add dmarc@example.com --account acme</pre>
      <p>
        Mail has come in but nothing is shown? <a href="/operations">Operations</a> shows why.
      </p>
    </section>
  );
}
