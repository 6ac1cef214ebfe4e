/** The frame of every page: head, navigation, breadcrumbs, the explanations its terms open. */
import type { Child } from "hono/jsx";
import type { Access } from "../access.ts";
import { glossary } from "../data/glossary.ts";
import { accountPath } from "./accounts-frame.tsx";
import { ForeignText, plainForeignText } from "./foreign-text.tsx";
import { Note } from "./marks.tsx";
import { termId } from "./term.tsx";

/** A page's content and what the frame says about it. */
export interface PageContent {
  title: string;
  /** Parent pages, from the root. */
  crumbs?: { label: string; href: string }[];
  /** Which entry of the navigation it belongs to. */
  section?: "accounts" | "domains" | "worklist" | "alerts" | "operations" | "tokens" | "glossary";
  body: Child;
  /** What a form did that led here. */
  done?: string | undefined;
  /** Seconds after which the page is loaded again where scripts run. */
  refreshSeconds?: number;
}

interface FrameProps {
  content: PageContent;
  access: Access | undefined;
}

/** The whole document as text. */
export function renderPage(content: PageContent, access: Access | undefined): string {
  const body = String(<Frame content={content} access={access} />);
  const used = glossary().filter(({ term }) => body.includes(`popovertarget="${termId(term)}"`));
  const popovers = used.map(({ term, sentence }) =>
    String(
      <div id={termId(term)} popover="auto">
        <strong>{term}</strong>
        <p>{sentence}</p>
      </div>,
    ),
  );
  return `<!doctype html>${body.replace("</main>", `</main>${popovers.join("").replaceAll("$", "$$$$")}`)}`;
}

function Frame({ content, access }: FrameProps) {
  const { title, crumbs = [], body, done, refreshSeconds } = content;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{plainForeignText(title)} · DMARC reports</title>
        <link rel="icon" href="/assets/favicon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/style.css" />
        <script src="/assets/comfort.js" defer />
      </head>
      <body data-refresh={refreshSeconds === undefined ? undefined : String(refreshSeconds)}>
        <a class="skip" href="#main">
          Skip to content
        </a>
        {access?.viewingAs !== undefined && <ViewingAs account={access.viewingAs} />}
        <Head content={content} access={access} />
        <main id="main">
          {crumbs.length > 0 && (
            <nav aria-label="Breadcrumb">
              <ol class="crumbs">
                {crumbs.map(({ label, href }) => (
                  <li>
                    <a href={href}>
                      <ForeignText text={label} />
                    </a>
                  </li>
                ))}
              </ol>
            </nav>
          )}
          {done !== undefined && (
            <Note kind="done" isOutcome>
              {done}
            </Note>
          )}
          {body}
        </main>
        <footer>Days and times are UTC. Figures are what receivers reported; not every receiver reports.</footer>
      </body>
    </html>
  );
}

/** Says that an operator sees what an account's viewers see, on every page, until they leave. */
function ViewingAs({ account }: { account: string }) {
  return (
    <div class="viewing-as" role="status">
      <span>
        You are viewing as the account{" "}
        <strong>
          <ForeignText text={account} />
        </strong>
        , read-only.
      </span>
      <form class="inline" method="post" action="/view-as">
        <button type="submit" name="action" value="leave">
          Leave
        </button>
      </form>
    </div>
  );
}

/** Path of an account's logo; it changes with the logo. */
export function logoPath(account: string, logoSeconds: number): string {
  return `${accountPath(account)}/logo?v=${logoSeconds}`;
}

/** To one of very many domains, from any page. */
function FindDomain() {
  return (
    <search>
      <form class="inline" method="get" action="/">
        <input type="search" name="domains.q" placeholder="Find a domain" aria-label="Find a domain" size={14} />
      </form>
    </search>
  );
}

function Head({ content, access }: FrameProps) {
  const entries = [
    { key: "domains", label: "Domains", href: "/" },
    { key: "worklist", label: "Worklist", href: "/worklist" },
    { key: "alerts", label: "Alerts", href: "/alerts" },
    ...(access === undefined || access.role === "viewer"
      ? []
      : [{ key: "accounts", label: "Accounts", href: "/accounts" }]),
    ...(access?.role === "operator" ? [{ key: "operations", label: "Operations", href: "/operations" }] : []),
    ...(access !== undefined && access.role !== "viewer" ? [{ key: "tokens", label: "Tokens", href: "/tokens" }] : []),
    { key: "glossary", label: "Glossary", href: "/glossary" },
  ];
  return (
    <header class="top">
      <div class="top-inner">
        <a class="brand" href="/">
          {access?.head !== undefined && access.head.logoSeconds > 0 ? (
            <img class="logo" src={logoPath(access.head.account, access.head.logoSeconds)} alt="" />
          ) : (
            <svg width="22" height="22" viewBox="0 0 24 24" aria-hidden="true">
              <rect x="1" y="4" width="22" height="16" rx="3" class="fill-plain" />
              <path d="M4 8l8 6 8-6" fill="none" stroke="var(--surface)" stroke-width="2" stroke-linecap="round" />
            </svg>
          )}
          {access?.head === undefined ? "DMARC reports" : <ForeignText text={access.head.name} />}
        </a>
        {access !== undefined && (
          <>
            <button class="menu" type="button" popovertarget="main-menu">
              Menu
            </button>
            <nav aria-label="Main" id="main-menu" popover="auto">
              {entries.map(({ key, label, href }) => (
                <a href={href} aria-current={content.section === key ? "page" : undefined}>
                  {label}
                </a>
              ))}
              {access.role === "operator" && <FindDomain />}
              <span class="who">
                <ForeignText text={access.name} /> · {access.role}
              </span>
            </nav>
          </>
        )}
      </div>
    </header>
  );
}
