/** The known services: who sends by a domain, and how to set one's own domain up there. Pure. */
import { SERVICES } from "./service-domains.ts";

type ServiceName = keyof typeof SERVICES;

/** How to authenticate mail of the owner's domain at a service. */
export interface ServiceGuide {
  /** The service's name for it. */
  setting: string;
  /** The vendor's page about it. */
  url: string;
  /** The domain to include in SPF, for services that send with a return path of the customer's domain. */
  spf?: string;
}

/** One line a service. The addresses were looked up in stored copies of the vendors' pages in November 2026. */
const GUIDES: Partial<Record<ServiceName, ServiceGuide>> = {
  ActiveCampaign: guide("DKIM for your sending domain", "https://help.activecampaign.com/hc/en-us/articles/206903370"),
  "Amazon SES": guide(
    "Easy DKIM",
    "https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim-easy.html",
  ),
  Brevo: guide(
    "Authenticate your domain",
    "https://help.brevo.com/hc/en-us/sections/12170672459666-Authenticate-your-domain",
  ),
  "Constant Contact": guide(
    "self-authentication",
    "https://knowledgebase.constantcontact.com/email-digital-marketing/articles/KnowledgeBase/5932-self-publishing-for-authentication",
  ),
  Fastmail: guide(
    "DKIM records of your domain",
    "https://www.fastmail.help/hc/en-us/articles/360060591153",
    "spf.messagingengine.com",
  ),
  Google: guide("Authenticate email (DKIM)", "https://support.google.com/a/answer/174124", "_spf.google.com"),
  "Google Workspace": guide(
    "Authenticate email (DKIM)",
    "https://support.google.com/a/answer/174124",
    "_spf.google.com",
  ),
  HubSpot: guide(
    "Connect an email sending domain",
    "https://knowledge.hubspot.com/domains-and-urls/connect-your-email-sending-domain",
  ),
  Intercom: guide(
    "Authenticate your domain",
    "https://www.intercom.com/help/en/articles/9744849-connect-your-email-support-channel",
  ),
  Klaviyo: guide("Branded sending domain", "https://help.klaviyo.com/hc/en-us/articles/115000357752"),
  Mailchimp: guide("Email domain authentication", "https://mailchimp.com/help/set-up-email-domain-authentication/"),
  Mailgun: guide(
    "Domain verification",
    "https://documentation.mailgun.com/docs/mailgun/user-manual/domains/domains-verify",
  ),
  Mailjet: guide(
    "SPF & DKIM authentication",
    "https://documentation.mailjet.com/hc/en-us/articles/360042412734-Authenticating-Domains-with-SPF-DKIM",
  ),
  "Microsoft 365": guide(
    "DKIM of your custom domain",
    "https://learn.microsoft.com/en-us/defender-office-365/email-authentication-dkim-configure",
    "spf.protection.outlook.com",
  ),
  Postmark: guide(
    "DKIM and a custom Return-Path",
    "https://postmarkapp.com/blog/introducing-full-dmarc-support-with-custom",
  ),
  "Proton Mail": guide(
    "DKIM of your custom domain",
    "https://proton.me/support/anti-spoofing-custom-domain",
    "_spf.protonmail.ch",
  ),
  Salesforce: guide(
    "DKIM Keys",
    "https://help.salesforce.com/s/articleView?id=sales.emailadmin_create_secure_dkim.htm&language=en_US&type=5",
  ),
  Shopify: guide(
    "Authenticate your sender domain",
    "https://help.shopify.com/en/manual/intro-to-shopify/initial-setup/email-rewrites",
  ),
  SparkPost: guide("Sending domain with DKIM", "https://developers.sparkpost.com/api/sending-domains/"),
  "Twilio SendGrid": guide(
    "Domain authentication",
    "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/how-to-set-up-domain-authentication",
  ),
  Zendesk: guide("Custom domain for DKIM", "https://support.zendesk.com/hc/en-us/articles/4408822303386"),
  Zoho: guide("DKIM configuration", "https://www.zoho.com/mail/help/adminconsole/dkim-configuration.html", "zoho.com"),
};

function guide(setting: string, url: string, spf?: string): ServiceGuide {
  return spf === undefined ? { setting, url } : { setting, url, spf };
}

const GUIDES_BY_NAME: ReadonlyMap<string, ServiceGuide> = new Map(Object.entries(GUIDES));

/** How to set up one's own domain at a known service; undefined if no page about it is known. */
export function serviceGuide(service: string): ServiceGuide | undefined {
  return GUIDES_BY_NAME.get(service);
}

/** A service by name, ignoring case; undefined if unknown. */
export function serviceNamed(text: string): string | undefined {
  return Object.keys(SERVICES).find((name) => name.toLowerCase() === text.trim().toLowerCase());
}

/** All known domains with their services. */
export const KNOWN_SERVICES: ReadonlyMap<string, string> = new Map(
  Object.entries(SERVICES).flatMap(([name, domains]) => domains.map((domain): [string, string] => [domain, name])),
);

/** The service that authenticates as a domain or a subdomain of it; undefined if unknown. */
export function knownService(domain: string): string | undefined {
  const labels = domain.toLowerCase().split(".");
  for (let i = 0; i < labels.length - 1; i++) {
    const name = KNOWN_SERVICES.get(labels.slice(i).join("."));
    if (name !== undefined) return name;
  }
  return undefined;
}
