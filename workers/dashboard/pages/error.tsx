/** An error page: what happened, and what to do. It never shows a stack or a token. */

import { logCommand } from "../../../shared/operator-steps.ts";
import type { Access } from "../access.ts";
import { ForeignText } from "../parts/foreign-text.tsx";
import { renderPage } from "../parts/layout.tsx";

/** Text above and below the error's own sentence, if that is not enough. */
const ADVICE: Record<string, { title: string; advice?: string }> = {
  bad_request: {
    title: "Invalid link",
    advice: "Change it, or go back.",
  },
  forbidden: { title: "No access" },
  not_found: { title: "Page not found", advice: "The link may be incomplete, or the page was removed." },
  not_configured: {
    title: "Analytics Engine is not configured",
    advice:
      "Your own SQL statements need an API token for Analytics Engine. Set the secrets ANALYTICS_ACCOUNT_ID and " +
      "ANALYTICS_API_TOKEN (permission: Account Analytics, Read) with `npx wrangler secret put`. The pages need " +
      "neither.",
  },
  ledger_unavailable: {
    title: "The ledger does not answer",
    advice: "Nothing is lost: reports are received and kept. Load the page again in a moment.",
  },
  analytics_unavailable: {
    title: "Analytics Engine does not answer",
    advice: "Nothing is lost: reports are received and kept. Load the page again in a moment.",
  },
  analytics_busy: {
    title: "Analytics Engine is busy",
    advice: "Nothing is lost: reports are received and kept. Load the page again in a few seconds.",
  },
  busy: { title: "The dashboard is busy", advice: "Load the page again in a few seconds." },
  process_unavailable: { title: "The process Worker does not answer", advice: "Load the page again in a moment." },
  internal: { title: "The dashboard failed" },
};

/** Problem code → the Worker that logs it: where an operator looks. */
const LOGS: Record<string, "process" | "dashboard"> = {
  ledger_unavailable: "dashboard",
  internal: "dashboard",
  process_unavailable: "process",
};

interface ShownError {
  code: string;
  message: string;
  /** Whether a form was sent, not a link opened. */
  isForm: boolean;
  /** First part of the Workers' names. */
  prefix: string;
}

/** The page of an error. */
export function renderError({ code, message, isForm, prefix }: ShownError, access: Access | undefined): string {
  const general = { title: "That didn't work", advice: "Go back and try again." };
  const { title, advice } = isForm && code === "bad_request" ? general : (ADVICE[code] ?? general);
  const worker = LOGS[code];
  return renderPage(
    {
      title,
      body: (
        <section class="card">
          <h1>{title}</h1>
          <p>
            <ForeignText text={message} />
          </p>
          {advice !== undefined && <p class="lead">{advice}</p>}
          {access?.role === "operator" && worker !== undefined && (
            <p>
              Its log: <code data-copy="">{logCommand(worker, prefix)}</code>
            </p>
          )}
          {access !== undefined && (
            <p>
              <a href="/">All domains</a>
            </p>
          )}
        </section>
      ),
    },
    access,
  );
}
