/** An error as a page: what happened, and what to do. It never shows a stack or a token. */

import type { Access } from "../access.ts";
import { renderPage } from "../parts/layout.tsx";

const ADVICE: Record<string, { title: string; advice: string }> = {
  bad_request: {
    title: "This link asks for something that cannot be",
    advice: "Change it, or go back to where you came from.",
  },
  forbidden: {
    title: "Not for you, or not yet",
    advice: "Who may see what is decided by an operator of this dashboard.",
  },
  not_found: {
    title: "There is no such page",
    advice: "It may have been moved or removed, or it is not yours to see.",
  },
  not_configured: {
    title: "Figures cannot be read yet",
    advice:
      "The dashboard asks Analytics Engine with an API token. Set the secrets ANALYTICS_ACCOUNT_ID and ANALYTICS_API_TOKEN (permission: Account Analytics, Read) with `npx wrangler secret put`. Reports are received all the same.",
  },
  analytics_unavailable: {
    title: "Analytics Engine does not answer",
    advice: "Nothing is lost: reports are received and kept. Load the page again in a moment.",
  },
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
          <p>{message}</p>
          <p class="lead">{advice}</p>
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
