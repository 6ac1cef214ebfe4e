/** The words of SMTP TLS reports in plain sentences. Data only; the registry of result types is open. */
import { ownValue } from "../../../shared/own-value.ts";

/** What the result types of RFC 8460 section 4.3 mean. */
const RESULTS: Record<string, string> = {
  "starttls-not-supported": "The receiving server did not offer encryption.",
  "certificate-host-mismatch": "The server's certificate is for another name.",
  "certificate-expired": "The server's certificate has expired.",
  "certificate-not-trusted": "No authority the sender trusts signed the certificate.",
  "validation-failure": "Encryption failed for another reason; the code may say which.",
  "tlsa-invalid": "The TLSA record (DANE) does not match the certificate.",
  "dnssec-invalid": "The DNS answer couldn't be validated (DNSSEC).",
  "dane-required": "The sender requires DANE and found no TLSA record.",
  "sts-policy-fetch-error": "The MTA-STS policy couldn't be fetched.",
  "sts-policy-invalid": "The MTA-STS policy couldn't be read.",
  "sts-webpki-invalid": "The certificate of the MTA-STS web server is not valid.",
};

/** What to do about them. */
const REMEDIES: Record<string, string> = {
  "starttls-not-supported": "Turn on STARTTLS on the receiving server.",
  "certificate-host-mismatch": "Give the server a certificate for the name its MX record has.",
  "certificate-expired": "Renew the server's certificate.",
  "certificate-not-trusted": "Use a certificate of a public authority, and send the whole chain.",
  "tlsa-invalid": "Publish a TLSA record for the new certificate before it is used.",
  "dnssec-invalid": "Fix the signatures of the DNS zone.",
  "dane-required": "Publish a TLSA record, or ask the sender not to require one.",
  "sts-policy-fetch-error": "Make sure that https://mta-sts.DOMAIN/.well-known/mta-sts.txt answers.",
  "sts-policy-invalid": "Fix the text of the MTA-STS policy.",
  "sts-webpki-invalid": "Renew the certificate of the host mta-sts.DOMAIN.",
};

const POLICIES: Record<string, string> = {
  sts: "MTA-STS: the domain publishes on a web server that mail to it must be encrypted.",
  tlsa: "DANE: a TLSA record in signed DNS names the receiving server's certificate.",
  "no-policy-found": "No policy: the sender encrypted if it could.",
};

/** What a result type means, and what to do about it where that is known. */
export function describeTlsResult(resultType: string): string {
  const meaning = ownValue(RESULTS, resultType);
  if (meaning === undefined) return "A result that no standard defines.";
  return REMEDIES[resultType] === undefined ? meaning : `${meaning} ${REMEDIES[resultType]}`;
}

/** What a policy type means. */
export function describeTlsPolicy(policyType: string): string {
  return ownValue(POLICIES, policyType) ?? "A policy that no standard defines.";
}
