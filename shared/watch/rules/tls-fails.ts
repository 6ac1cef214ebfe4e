/**
 * Sessions of mail servers fail more often than usual, by TLS reports. Why: with MTA-STS or DANE enforced, mail that is sent to
 * the domain is lost; the reason that reports give is the cause.
 */

import { ownValue } from "../../own-value.ts";
import type { Figures, Rule, TlsSessions } from "../figures.ts";
import type { Cause } from "../finding.ts";
import { WATCH_RULES } from "../thresholds.ts";
import { countText, domainLink, shareText } from "../words.ts";

export const tlsFails: Rule = {
  code: "tlsFails",
  find(figures) {
    const rule = WATCH_RULES.tlsFails;
    const { domain, today, tlsDays } = figures;
    const isOpen = figures.openedSeconds("tlsFails", "sessions") !== undefined;
    const last = tlsDays.findLast(({ day }) => day >= today - rule.newDays - 1)?.day;
    if (last === undefined) return [];
    const now = sum(tlsDays.filter(({ day }) => day > last - rule.newDays));
    const usual = sum(tlsDays.filter(({ day }) => day <= last - rule.newDays));
    const least = isOpen ? rule.minShareOpen : Math.max(rule.minShare, rule.minTimes * usual.share);
    if (now.failed < rule.minFailed || now.share < least) return [];
    return [
      {
        rule: "tlsFails",
        subject: "sessions",
        severity: isEnforced(figures) ? "urgent" : "attention",
        title: `Mail servers fail to reach ${domain} over TLS`,
        evidence: [
          `${countText(now.failed, "session")} of ${now.all.toLocaleString("en-US")} failed, ${shareText(now.share)}; usually ${shareText(usual.share)} do.`,
        ],
        causes: causesOfReasons(figures),
        link: domainLink(domain, "tls"),
        isEvent: false,
      },
    ];
  },
};

function sum(days: readonly TlsSessions[]): { failed: number; all: number; share: number } {
  const failed = days.reduce((total, day) => total + day.failed, 0);
  const all = days.reduce((total, day) => total + day.failed + day.successful, 0);
  return { failed, all, share: all === 0 ? 0 : failed / all };
}

function isEnforced({ check }: Figures): boolean {
  return check?.mtaStsPolicy?.mode === "enforce";
}

/** Result types of RFC 8460 section 4.3, with what to do. */
const ADVICE: Record<string, string> = {
  "starttls-not-supported": "A mail server does not offer STARTTLS. Switch it on.",
  "certificate-host-mismatch": "The certificate of a mail server is for another name. Get one for its own.",
  "certificate-expired": "The certificate of a mail server has expired. Renew it.",
  "certificate-not-trusted":
    "Senders do not trust the issuer of a mail server's certificate. Get a certificate from one that they trust.",
  "validation-failure": "The certificate of a mail server can't be verified. Look at its chain.",
  "tlsa-invalid": "A TLSA record does not match the certificate. Publish the one of the present certificate.",
  "dnssec-invalid": "DNSSEC of the mail servers does not verify. Look at the signatures of the zone.",
  "dane-required": "A sender requires DANE, but there are no TLSA records it can use.",
  "sts-policy-fetch-error": "The MTA-STS policy file can't be fetched. Look at its web server.",
  "sts-policy-invalid": "The MTA-STS policy file is invalid. Correct it.",
  "sts-webpki-invalid": "The certificate of the MTA-STS web server can't be verified. Renew it.",
};

/** The reasons of failed sessions, the most frequent first. */
function causesOfReasons({ tlsReasons }: Figures): Cause[] {
  return [...tlsReasons]
    .sort((a, b) => b.sessions - a.sessions)
    .slice(0, 3)
    .map(({ resultType, sessions }) => ({
      code: resultType,
      sentence: `${ownValue(ADVICE, resultType) ?? `Senders say ${resultType}.`} (${countText(sessions, "session")})`,
    }));
}
