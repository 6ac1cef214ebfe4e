/** Sentences for what Cloudflare refuses: what it means, and where to click. Pure. */
import { API_CODES } from "./cloudflare-api.ts";

/** A refusal of the API or of wrangler. */
export interface Refusal {
  code: number;
  message: string;
}

/** What has to be turned on by hand, once per account, and where. */
export const BY_HAND = {
  r2: (accountId: string) =>
    `R2 is not turned on in this account. Turn it on once: https://dash.cloudflare.com/${accountId}/r2/overview ` +
    "(Storage & databases → R2 → Overview; it requires a payment method, even if nothing has to be paid).",
  analytics: (accountId: string) =>
    "Analytics Engine is not turned on in this account. Turn it on once: " +
    `https://dash.cloudflare.com/${accountId}/workers/analytics-engine (Storage & databases → Analytics Engine → ` +
    "Enable).",
  subdomain: (accountId: string) =>
    "The account has no workers.dev name yet, so the dashboard would have no address. Choose one: " +
    `https://dash.cloudflare.com/${accountId}/workers/onboarding (Workers & Pages).`,
  routing: (accountId: string, zone: string) =>
    `Email Routing is not turned on for ${zone}. It takes over the zone's MX records: if mail of ${zone} is with another ` +
    `service, use a host below it, such as --rua dmarc@reports.${zone} --domain ${zone}. Else turn it on: ` +
    `https://dash.cloudflare.com/${accountId}/${zone}/email/routing/overview (Email → Email Routing → Get ` +
    "started), or run again with --enable-routing.",
  routingSubdomain: (accountId: string, zone: string, host: string) =>
    `${host} has no MX records of Email Routing, so no mail for it arrives. Add it: ` +
    `https://dash.cloudflare.com/${accountId}/${zone}/email/routing/settings (Compute → Email Service → Email Routing ` +
    `→ ${zone} → Settings → Subdomains), or run again with --enable-routing. The MX records of ${zone} stay as they are.`,
  paidPlan: (accountId: string) =>
    "The account is not on the Workers Paid plan: run with --plan free, or change the plan: " +
    `https://dash.cloudflare.com/${accountId}/workers/plans.`,
} as const;

/** What a token needs, by what it is for; names as the dashboard has them. */
export const PERMISSIONS = [
  "Account: Workers Scripts Edit, D1 Edit, Workers KV Storage Edit, Workers R2 Storage Edit, Queues Edit",
  "Account, for more checks in advance: Account Settings Read, Billing Read, Access: Organizations Read",
  "Zone: Zone Read, Email Routing Rules Edit (and Zone Settings Edit for --enable-routing and sub-addresses)",
];

/** A sentence for a refusal. @param needs the permission that what was asked for needs */
export function explain({ code, message }: Refusal, accountId: string, needs: string): string {
  switch (code) {
    case API_CODES.r2NotEnabled:
      return BY_HAND.r2(accountId);
    case API_CODES.analyticsNotEnabled:
      return BY_HAND.analytics(accountId);
    case API_CODES.cpuLimitOnFreePlan:
      return BY_HAND.paidPlan(accountId);
    case API_CODES.authentication:
    case API_CODES.unauthorized:
      return (
        `${message} The token lacks the permission ${needs}, or belongs to another account: ` +
        "https://dash.cloudflare.com/profile/api-tokens."
      );
    default:
      return message;
  }
}
