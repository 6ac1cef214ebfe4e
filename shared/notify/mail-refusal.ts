/** Why Cloudflare's Email Service did not take a mail, what to do about it, and when it may take it. Pure. */

/** What came of a mail that it did not take. */
export interface MailRefusal {
  /** A sentence. */
  result: string;
  /** For how many seconds that does not change: Infinity = for good; absent = it may change at any time. */
  retrySeconds?: number;
}

/** What a code means, and whether the same mail is taken later. */
interface Meaning {
  means: string;
  retrySeconds?: number;
}

const NOT_ONBOARDED: Meaning = {
  means:
    "the domain of NOTICES_FROM is not onboarded (Email Service → Email Sending → Onboard Domain); until it is, " +
    "mail goes to verified addresses of the account alone",
};

/** What its codes mean for notices (developers.cloudflare.com/email-service/api/send-emails/workers-api/#error-codes). */
const CODES: Record<string, Meaning> = {
  E_SENDER_NOT_VERIFIED: NOT_ONBOARDED,
  E_SENDER_DOMAIN_NOT_AVAILABLE: NOT_ONBOARDED,
  E_RECIPIENT_NOT_ALLOWED: {
    means: "this Worker may not write to the address: verify it in Email Service, or onboard the sender's domain",
  },
  // That of a temporary failure ends after a day; of a bounce after a week, of a complaint never (…/email-service/concepts/suppressions/).
  E_RECIPIENT_SUPPRESSED: {
    means:
      "mail to this address bounced or was reported as spam. If the address is right, delete it in Email Service → Email " +
      "Sending → Suppressions; it is tried once a day",
    retrySeconds: 25 * 3600,
  },
  E_RATE_LIMIT_EXCEEDED: { means: "too many mails at once" },
  E_DAILY_LIMIT_EXCEEDED: { means: "the account has sent as many mails as it may in a day" },
};

/** Codes about the mail itself, which is the same each time. */
const OF_THE_MAIL = /^E_(?:VALIDATION_ERROR|FIELD_MISSING|TOO_MANY_|CONTENT_TOO_LARGE|HEADER)/;

/** A sentence about it, and when to try again. @param error what `send` threw */
export function mailRefusal(error: unknown): MailRefusal {
  const said = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const known = CODES[code];
  if (known !== undefined) {
    const { means, ...others } = known;
    return { result: `The mail was not accepted: ${means} (${code}).`, ...others };
  }
  const result = `The mail was not accepted: ${said}${code === "" ? "" : ` (${code})`}`;
  return OF_THE_MAIL.test(code) ? { result, retrySeconds: Number.POSITIVE_INFINITY } : { result };
}
