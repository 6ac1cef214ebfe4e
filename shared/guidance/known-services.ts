/**
 * Organizational domains that sending services authenticate as (DKIM d=, or the domain SPF passed for), and the name
 * people know them by. Data only: a service that is not here is shown by its domain, which is never wrong.
 */
const SERVICES: Record<string, readonly string[]> = {
  ActiveCampaign: ["activecampaign.com", "emsd1.com"],
  "Adobe Campaign": ["adobe-campaign.com"],
  "Adobe Marketo": ["marketo.com", "mktomail.com"],
  Amazon: ["amazon.com"],
  "Amazon SES": ["amazonses.com"],
  "Apple iCloud": ["icloud.com"],
  Atlassian: ["atlassian.com", "atlassian.net"],
  AWeber: ["aweber.com"],
  Brevo: ["brevo.com", "brevosend.com", "mailin.fr", "sender-sib.com", "sendinblue.com"],
  "Campaign Monitor": ["cmail19.com", "cmail20.com", "createsend.com"],
  "Cloudflare Email": ["cloudflare-email.com", "cloudflare-email.net"],
  "Constant Contact": ["ccsend.com", "constantcontact.com"],
  "Customer.io": ["customer.io", "customeriomail.com"],
  DocuSign: ["docusign.net"],
  "Elastic Email": ["elasticemail.com", "elasticemail.net"],
  Facebook: ["facebookmail.com"],
  Fastmail: ["fastmail.com", "messagingengine.com"],
  Freshworks: ["freshdesk.com", "freshemail.io"],
  Gandi: ["gandi.net"],
  GetResponse: ["getresponse-mail.com", "getresponse.com"],
  GitHub: ["github.com"],
  Gmail: ["gmail.com", "googlemail.com"],
  GoDaddy: ["secureserver.net"],
  Google: ["google.com"],
  "Google Groups": ["googlegroups.com"],
  "Google Workspace": ["gappssmtp.com"],
  Hetzner: ["your-server.de"],
  HubSpot: ["hubspot.com", "hubspotemail.net", "hubspotstarter.net"],
  Infomaniak: ["infomaniak.ch", "infomaniak.com"],
  Intercom: ["intercom-mail.com", "intercom.io"],
  Intuit: ["intuit.com"],
  IONOS: ["1and1.com", "ionos.com", "ionos.de", "kundenserver.de", "perfora.net"],
  Iterable: ["iterable.com"],
  "Kit (ConvertKit)": ["convertkit-mail.com", "convertkit-mail2.com", "convertkit.com"],
  Klaviyo: ["klaviyo.com", "klaviyomail.com"],
  LinkedIn: ["linkedin.com"],
  "Mailbox.org": ["mailbox.org"],
  Mailchimp: ["mailchimp.com", "mailchimpapp.net", "mcdlv.net", "mcsv.net", "rsgsv.net"],
  "Mailchimp Transactional (Mandrill)": ["mandrillapp.com"],
  MailerLite: ["mailerlite.com", "mlsend.com"],
  MailerSend: ["mailersend.net"],
  Mailgun: ["mailgun.net", "mailgun.org"],
  Mailjet: ["mailjet.com"],
  Microsoft: ["microsoft.com"],
  "Microsoft 365": ["onmicrosoft.com", "outlook.com"],
  Mimecast: ["mimecast.com"],
  NetSuite: ["netsuite.com"],
  Oracle: ["eloqua.com", "oracleemaildelivery.com", "responsys.net"],
  "Outlook.com": ["hotmail.com", "live.com"],
  OVHcloud: ["ovh.com", "ovh.net"],
  PayPal: ["paypal.com"],
  Postmark: ["mtasv.net", "postmarkapp.com"],
  Proofpoint: ["ppe-hosted.com", "pphosted.com"],
  "Proton Mail": ["proton.me", "protonmail.ch", "protonmail.com"],
  "Rackspace Email": ["emailsrvr.com"],
  Sailthru: ["sailthru.com"],
  Salesforce: ["salesforce.com"],
  "Salesforce Account Engagement (Pardot)": ["pardot.com"],
  "Salesforce Marketing Cloud": ["exacttarget.com"],
  ServiceNow: ["service-now.com"],
  Shopify: ["shopify.com", "shopifyemail.com"],
  SMTP2GO: ["smtp2go.com", "smtpcorp.com"],
  SocketLabs: ["email-od.com", "socketlabs.com"],
  SparkPost: ["sparkpost.com", "sparkpostmail.com"],
  Squarespace: ["squarespace.com"],
  STRATO: ["rzone.de", "strato.de"],
  Stripe: ["stripe.com"],
  "Twilio SendGrid": ["sendgrid.com", "sendgrid.net"],
  Wix: ["wix.com"],
  "WordPress.com": ["wordpress.com"],
  Yahoo: ["aol.com", "yahoo.com"],
  Zendesk: ["zendesk.com"],
  Zoho: ["zcsend.net", "zeptomail.com", "zoho.com", "zoho.eu", "zoho.in", "zohomail.com"],
  Zoom: ["zoom.us"],
};

/** Every domain that is known, and the service it belongs to. */
export const KNOWN_SERVICES: ReadonlyMap<string, string> = new Map(
  Object.entries(SERVICES).flatMap(([name, domains]) => domains.map((domain): [string, string] => [domain, name])),
);

/** The service that authenticates as a domain; undefined when it is not known. Subdomains count. */
export function knownService(domain: string): string | undefined {
  const labels = domain.toLowerCase().split(".");
  for (let i = 0; i < labels.length - 1; i++) {
    const name = KNOWN_SERVICES.get(labels.slice(i).join("."));
    if (name !== undefined) return name;
  }
  return undefined;
}
