import { expect, it } from "vitest";
import { NOTIFY_LIMITS } from "../../shared/limits.ts";
import { mailRefusal } from "../../shared/notify/mail-refusal.ts";

/** As the binding throws it: an Error with a code (developers.cloudflare.com/email-service/api/send-emails/workers-api). */
function coded(code: string): Error {
  return Object.assign(new Error("upstream said no"), { code });
}

it.each([
  ["E_SENDER_DOMAIN_NOT_AVAILABLE", /domain of NOTICES_FROM is not onboarded.*verified addresses/],
  ["E_SENDER_NOT_VERIFIED", /domain of NOTICES_FROM is not onboarded/],
  ["E_RECIPIENT_NOT_ALLOWED", /verify it in Email Service/],
  ["E_RECIPIENT_SUPPRESSED", /Email Sending → Suppressions/],
  ["E_RATE_LIMIT_EXCEEDED", /too many mails at once/],
  ["E_DAILY_LIMIT_EXCEEDED", /as many mails as it may in a day/],
])("%s is explained with what to do, and kept in full", (code, meaning) => {
  const { result: refusal, retrySeconds } = mailRefusal(coded(code));
  expect(refusal).toMatch(meaning);
  expect(refusal).toContain(code);
  expect(refusal.length).toBeLessThanOrEqual(NOTIFY_LIMITS.resultChars);
  // A suppression after a temporary failure lasts a day; what else may pass is tried as after any failure.
  expect(retrySeconds).toBe(code === "E_RECIPIENT_SUPPRESSED" ? 90_000 : undefined);
});

it("an unknown refusal is shown as received", () => {
  expect(mailRefusal(coded("E_NEW")).result).toBe("The mail was not accepted: upstream said no (E_NEW)");
  expect(mailRefusal(new Error("destination address is not a verified address")).result).toBe(
    "The mail was not accepted: destination address is not a verified address",
  );
  expect(mailRefusal("closed").result).toBe("The mail was not accepted: closed");
});

it.each(["E_VALIDATION_ERROR", "E_CONTENT_TOO_LARGE", "E_HEADER_NOT_ALLOWED", "E_TOO_MANY_ATTACHMENTS"])(
  "%s is about the mail, which is the same each time",
  (code) => {
    expect(mailRefusal(coded(code)).retrySeconds).toBe(Number.POSITIVE_INFINITY);
  },
);

it.each(["E_DELIVERY_FAILED", "E_INTERNAL_SERVER_ERROR", "E_NEW"])("%s may pass", (code) => {
  expect(mailRefusal(coded(code)).retrySeconds).toBeUndefined();
});
