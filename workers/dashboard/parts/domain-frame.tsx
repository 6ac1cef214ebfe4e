/** The head that all pages of one domain share: its name, the tabs, the period. */
import type { Child } from "hono/jsx";
import type { Period } from "../data/period.ts";
import { domainPath } from "../paths.ts";
import { ForeignText, Name } from "./foreign-text.tsx";
import { linkTo } from "./links.ts";
import type { PageResult } from "./page.ts";
import { PageHead } from "./page-head.tsx";
import type { PageRequest } from "./page-request.ts";
import { PeriodControl } from "./period-view.tsx";
import type { BoundTable } from "./table-view.tsx";
import { Tabs } from "./tabs.tsx";

export type DomainTab = "overview" | "sources" | "reports" | "records" | "inbound" | "tls" | "failures";

const TABS: { key: DomainTab; label: string; path: string }[] = [
  { key: "overview", label: "Overview", path: "" },
  { key: "sources", label: "Sources", path: "/sources" },
  { key: "reports", label: "Reports", path: "/reports" },
  { key: "records", label: "Records", path: "/records" },
  { key: "inbound", label: "Inbound", path: "/inbound" },
  { key: "tls", label: "TLS", path: "/tls" },
  { key: "failures", label: "Failures", path: "/failures" },
];

/** A page of a domain: what its head says, and what is below it. */
interface DomainPage {
  domain: string;
  tab: DomainTab;
  /** Absent where the page is about no period, but about today. */
  period?: Period;
  /** Of the document. */
  title: string;
  /** Of the page; absent = the domain. */
  heading?: Child;
  lead: Child;
  /** A page about some of the domain's sources: its breadcrumbs lead to all of them. */
  isBelowSources?: true;
  tables: BoundTable[];
  body: Child;
}

/** Title, lead, period and tabs of a domain's page, above its body. */
export function domainPage(request: PageRequest, page: DomainPage): PageResult {
  const { domain, tab, period, title, heading = <Name text={domain} />, lead, tables, body } = page;
  const pathOf = (path: string): string => linkTo(request, domainPath(domain) + path);
  const above = tab === "overview" ? domainCrumbs(request) : domainCrumbs(request, domain);
  return {
    tables,
    content: {
      title,
      section: "domains",
      crumbs: page.isBelowSources === true ? [...above, { label: "Sources", href: pathOf("/sources") }] : above,
      body: (
        <>
          <PageHead title={heading} lead={lead}>
            {period !== undefined && <PeriodControl url={request.url} period={period} />}
          </PageHead>
          <Tabs
            label={`Pages of ${domain}`}
            tabs={TABS.map(({ path, ...named }) => ({ ...named, href: pathOf(path) }))}
            current={tab}
          />
          {body}
        </>
      ),
    },
  };
}

/** What a page is called: words, then its domain. */
export function titleAndDomain(words: string, domain: string): Pick<DomainPage, "title" | "heading"> {
  return {
    title: `${words} ${domain}`,
    heading: (
      <>
        {words} <ForeignText text={domain} />
      </>
    ),
  };
}

/** Breadcrumbs of a page below a domain. */
export function domainCrumbs(request: PageRequest, domain?: string): { label: string; href: string }[] {
  const root = { label: "Domains", href: linkTo(request, "/") };
  return domain === undefined ? [root] : [root, { label: domain, href: linkTo(request, domainPath(domain)) }];
}

/** Instead of what is known of a domain: nothing is, or nothing that the person may see. */
export function NoReports({ domain }: { domain: string }) {
  return (
    <section class="card">
      <p>
        No reports for this domain, or no access. <a href={`${domainPath(domain)}/setup`}>Its set-up</a> says whether
        they are on their way.
      </p>
    </section>
  );
}
