/**
 * Domains that sending services authenticate as, and the name people know them by. Data only: a service that is not here
 * is shown by its domain, which is never wrong.
 */
const SERVICES: Record<string, string> = {
  "amazonses.com": "Amazon SES",
  "atlassian.net": "Atlassian",
  "brevo.com": "Brevo",
  "cloudflare-email.net": "Cloudflare Email Routing",
  "constantcontact.com": "Constant Contact",
  "createsend.com": "Campaign Monitor",
  "exacttarget.com": "Salesforce Marketing Cloud",
  "facebookmail.com": "Facebook",
  "fastmail.com": "Fastmail",
  "freshdesk.com": "Freshdesk",
  "gappssmtp.com": "Google Workspace",
  "google.com": "Google",
  "googlegroups.com": "Google Groups",
  "hubspotemail.net": "HubSpot",
  "icloud.com": "Apple iCloud",
  "intercom.io": "Intercom",
  "klaviyomail.com": "Klaviyo",
  "mailchimpapp.net": "Mailchimp",
  "mailgun.org": "Mailgun",
  "mailjet.com": "Mailjet",
  "mandrillapp.com": "Mailchimp Transactional",
  "mcsv.net": "Mailchimp",
  "messagingengine.com": "Fastmail",
  "mktomail.com": "Adobe Marketo",
  "mtasv.net": "Postmark",
  "onmicrosoft.com": "Microsoft 365",
  "outlook.com": "Microsoft Outlook",
  "pphosted.com": "Proofpoint",
  "protonmail.ch": "Proton Mail",
  "rsgsv.net": "Mailchimp",
  "salesforce.com": "Salesforce",
  "sendgrid.net": "Twilio SendGrid",
  "sendinblue.com": "Brevo",
  "shopifyemail.com": "Shopify",
  "sparkpostmail.com": "SparkPost",
  "stripe.com": "Stripe",
  "zendesk.com": "Zendesk",
  "zoho.com": "Zoho",
};

/** The service that authenticates as a domain; undefined when it is not known. Subdomains count. */
export function knownService(domain: string): string | undefined {
  const labels = domain.split(".");
  for (let i = 0; i < labels.length - 1; i++) {
    const name = labels.slice(i).join(".");
    if (Object.hasOwn(SERVICES, name)) return SERVICES[name];
  }
  return undefined;
}
