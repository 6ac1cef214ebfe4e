/** The head that all pages of one domain share: its name, the tabs, the period. */
import type { Child } from "hono/jsx";
import type { Period } from "../data/period.ts";
import { domainPath } from "./links.ts";
import { PageHead } from "./page-head.tsx";
import { PeriodControl } from "./period-view.tsx";
import { linkTo, type PageRequest } from "./request.ts";
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

interface FrameProps {
  request: PageRequest;
  domain: string;
  tab: DomainTab;
  period: Period;
  title: Child;
  lead: Child;
}

/** Title, lead, period and tabs. */
export function DomainHead({ request, domain, tab, period, title, lead }: FrameProps) {
  return (
    <>
      <PageHead title={title} lead={lead}>
        <PeriodControl url={request.url} period={period} />
      </PageHead>
      <Tabs
        label={`Pages of ${domain}`}
        tabs={TABS.map(({ path, ...named }) => ({ ...named, href: linkTo(request, domainPath(domain) + path) }))}
        current={tab}
      />
    </>
  );
}

/** Breadcrumbs of a page below a domain. */
export function domainCrumbs(request: PageRequest, domain?: string): { label: string; href: string }[] {
  const root = { label: "Domains", href: linkTo(request, "/") };
  return domain === undefined ? [root] : [root, { label: domain, href: linkTo(request, domainPath(domain)) }];
}
