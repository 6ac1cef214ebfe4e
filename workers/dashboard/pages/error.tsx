/** An error as a page: what happened, and what to do. It never shows a stack or a token. */

import type { Access } from "../access.ts";
import { ForeignText } from "../parts/foreign-text.tsx";
import { renderPage } from "../parts/layout.tsx";

/** What is said above and below the error's own sentence, where that does not say it all. */
const ADVICE: Record<string, { title: string; advice?: string }> = {
  bad_request: {
    title: "This link asks for something that cannot be",
    advice: "Change it, or go back to where you came from.",
  },
  forbidden: { title: "Not for you, or not yet" },
  not_found: { title: "Nothing is here", advice: "The link may be cut short, or what it led to was removed." },
  not_configured: {
    title: "Analytics Engine cannot be asked yet",
    advice:
      "Statements of your own are put to Analytics Engine with an API token. Set the secrets ANALYTICS_ACCOUNT_ID and ANALYTICS_API_TOKEN (permission: Account Analytics, Read) with `npx wrangler secret put`. The pages need neither.",
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
    title: "Too much is asked of Analytics Engine at once",
    advice: "Nothing is lost: reports are received and kept. Load the page again in a few seconds.",
  },
  busy: { title: "The dashboard has too much to do", advice: "Load the page again in a few seconds." },
  process_unavailable: { title: "The process Worker does not answer", advice: "Load the page again in a moment." },
  internal: { title: "The dashboard failed", advice: "The reason is in its log." },
};

/** The page of an error. */
export function renderError({ code, message }: { code: string; message: string }, access: Access | undefined): string {
  const { title, advice } = ADVICE[code] ?? { title: "This did not work", advice: "Go back and try again." };
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
