/** Sentences for what Cloudflare refuses: what it means, and where to click. Pure. */
import { API_CODES } from "./cloudflare-api.ts";

/** A refusal of the API or of wrangler. */
export interface Refusal {
  code: number;
  message: string;
}

/** What is switched on by hand, once an account, and where. */
export const BY_HAND = {
  r2: (accountId: string) =>
    `R2 is not switched on in this account. Do it once: https://dash.cloudflare.com/${accountId}/r2/overview (Storage & databases → R2 → Overview; it asks for a payment method, also where nothing is to pay).`,
  analytics: (accountId: string) =>
    `Analytics Engine is not switched on in this account. Do it once: https://dash.cloudflare.com/${accountId}/workers/analytics-engine (Storage & databases → Analytics Engine → Enable).`,
  subdomain: (accountId: string) =>
    `The account has no workers.dev name yet, so the dashboard would have no address. Choose one: https://dash.cloudflare.com/${accountId}/workers/onboarding (Workers & Pages).`,
  routing: (accountId: string, zone: string) =>
    `Email Routing is not switched on for ${zone}. It takes over the zone's MX records: https://dash.cloudflare.com/${accountId}/${zone}/email/routing/overview (Email → Email Routing → Get started), or run again with --enable-routing.`,
  routingSubdomain: (accountId: string, zone: string, host: string) =>
    `Mail for ${host} needs MX records of its own: https://dash.cloudflare.com/${accountId}/${zone}/email/routing/settings (Email → Email Routing → Settings → Subdomains).`,
  paidPlan: (accountId: string) =>
    `The account has not the Workers Paid plan: run with --plan free, or change it: https://dash.cloudflare.com/${accountId}/workers/plans.`,
} as const;

/** What a token needs, by what it is for; names as the dashboard has them. */
export const PERMISSIONS = [
  "Account: Workers Scripts Edit, D1 Edit, Workers KV Storage Edit, Workers R2 Storage Edit, Queues Edit",
  "Account, to be told more before: Account Settings Read, Billing Read, Access: Organizations Read",
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
      return `${message} The token lacks the permission ${needs}, or is none of this account: https://dash.cloudflare.com/profile/api-tokens.`;
    default:
      return message;
  }
}
