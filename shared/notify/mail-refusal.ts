/** Why Cloudflare's Email Service did not take a mail, and what to do about it. Pure. */

const NOT_ONBOARDED =
  "the domain of NOTICES_FROM is not onboarded (Email Service → Email Sending → Onboard Domain); until it is, " +
  "mail goes to verified addresses of the account alone";

/** What its codes mean for notices (developers.cloudflare.com/email-service/api/send-emails/workers-api/#error-codes). */
const CODES: Record<string, string> = {
  E_SENDER_NOT_VERIFIED: NOT_ONBOARDED,
  E_SENDER_DOMAIN_NOT_AVAILABLE: NOT_ONBOARDED,
  E_RECIPIENT_NOT_ALLOWED:
    "this Worker may not write to the address: verify it in Email Service, or onboard the sender's domain",
  E_RECIPIENT_SUPPRESSED:
    "mail to this address bounced, or was reported as spam: Email Service writes to it again when it is off the suppression list",
  E_RATE_LIMIT_EXCEEDED: "too many mails at once",
  E_DAILY_LIMIT_EXCEEDED: "the account has sent as many mails as it may in a day",
};

/** A sentence about it. @param error what `send` threw */
export function mailRefusal(error: unknown): string {
  const said = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const meaning = CODES[code];
  if (meaning !== undefined) return `The mail was not accepted: ${meaning} (${code}).`;
  return `The mail was not accepted: ${said}${code === "" ? "" : ` (${code})`}`;
}
