/** The head of the pages about accounts: title and tabs. */
import type { Child } from "hono/jsx";
import { PageHead } from "./page-head.tsx";
import type { PageRequest } from "./page-request.ts";
import { Tabs } from "./tabs.tsx";

export type AccountsTab = "accounts" | "import" | "audit";

interface HeadProps {
  request: PageRequest;
  tab: AccountsTab;
  title: Child;
  lead?: Child;
}

/** The head of pages about accounts, with tabs to the others. */
export function AccountsHead({ request, tab, title, lead }: HeadProps) {
  const isOperator = request.access.role === "operator";
  const tabs = [
    { key: "accounts", label: "Accounts", href: "/accounts" },
    ...(isOperator ? [{ key: "import", label: "Import", href: "/import" }] : []),
    { key: "audit", label: "Audit log", href: "/audit" },
  ];
  return (
    <>
      <PageHead title={title} lead={lead} />
      <Tabs label="Accounts" tabs={tabs} current={tab} />
    </>
  );
}

/** Path of an account's page. */
export function accountPath(account: string): string {
  return `/accounts/${encodeURIComponent(account)}`;
}
