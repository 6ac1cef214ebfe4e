/** The head of a page: its title, what it is about in a sentence, and at the end what chooses or takes away. */
import type { Child } from "hono/jsx";

interface HeadProps {
  title: Child;
  lead?: Child;
  /** A period's control, or a download. */
  children?: Child;
}

/** The title of a page, a sentence below it, and what can be done there. */
export function PageHead({ title, lead, children }: HeadProps) {
  return (
    <div class="page-head">
      <div>
        <h1>{title}</h1>
        {lead !== undefined && <p class="lead">{lead}</p>}
      </div>
      {children}
    </div>
  );
}
