/**
 * What the simulated domains are made of. Each number has its source; "invented" = nothing public says it. They were set
 * before the verdict was measured against them, and are not changed to please it (docs/verdict.md).
 */

/** Days that are simulated, and those of which the verdict has the reports. */
export const DAYS = { simulated: 60, seen: 30 } as const;

/** A receiver of mail: what it reports, and what it lets through when a policy would have it refuse. */
export interface Receiver {
  name: string;
  /** Share of all mail; invented but for the order, which is that of reporters in published corpora. */
  share: number;
  reports: boolean;
  /** Probability that it lets forwarded or list mail through though it fails. */
  exempts: number;
  /** Names the reason in its reports when it does, under p=none too (Google and Fastmail do in the public corpus). */
  namesReasons: boolean;
}

const SMALL_RECEIVERS = 40;

export const RECEIVERS: readonly Receiver[] = [
  { name: "google.com", share: 0.42, reports: true, exempts: 0.7, namesReasons: true },
  { name: "Outlook.com", share: 0.16, reports: true, exempts: 0.4, namesReasons: false },
  { name: "Enterprise Outlook", share: 0.12, reports: true, exempts: 0.4, namesReasons: false },
  { name: "Yahoo", share: 0.08, reports: true, exempts: 0.3, namesReasons: false },
  { name: "Fastmail", share: 0.02, reports: true, exempts: 0.8, namesReasons: true },
  ...Array.from(
    { length: SMALL_RECEIVERS },
    (_, i): Receiver => ({
      name: `small-${i}.example`,
      share: 0.2 / SMALL_RECEIVERS,
      // Invented: half of the small ones report.
      reports: i % 2 === 0,
      exempts: 0.1,
      namesReasons: false,
    }),
  ),
];

export const PARAMETERS = {
  /** Published policy of a domain; invented. The rest has p=none. */
  quarantineDomains: 0.1,
  rejectDomains: 0.1,
  /** Domains that send nothing; invented. */
  parkedDomains: 0.1,
  /** Legitimate messages in 30 days: median and sigma of the logarithm; invented, wide. */
  monthlyMessages: { median: 3000, sigma: 1.8 },
  /** Own mail: a mailbox provider signs it, or own servers; shares invented. */
  hostedMailboxes: 0.6,
  /** Of these, those that sign with the domain's own key; DMARC statistics of providers vary, so invented. */
  signedOwnMail: 0.9,
  /** Messages whose signature fails by chance on the way to the first receiver. */
  chanceBreaks: 0.0005,
  /** A forgotten server, neither in SPF nor signing; invented. */
  forgottenServer: 0.15,
  /** Services a sending domain uses: mean of a Poisson distribution; parsedmarc's and peers' issue threads name two or three. */
  services: 1.3,
  /** How a service is set up: signs as the domain; only the return path is the domain's; neither. Invented. */
  serviceAligned: { dkim: 0.6, spf: 0.08 },
  /** Services that no table of names knows; invented. */
  unknownService: 0.3,
  /** Share of a service in the domain's mail, log-evenly. */
  serviceShare: { low: 0.002, high: 0.5 },
  /** Domains with a sender of one day in 45; with a service that starts within the 60 days; invented. */
  seasonalSender: 0.08,
  newService: 0.06,
  /**
   * Share of forwarded deliveries: median and sigma. In the public corpus 4.5 % of messages, 34 % of records, pass by DKIM
   * alone, which forwarding and services with their own return path share.
   */
  forwardedShare: { median: 0.006, sigma: 1.1, max: 0.2 },
  /** Forwarded messages that are changed so that the signature breaks; invented. */
  forwardingBreaks: 0.03,
  /** Forwarders that rewrite the return path (SRS), so that SPF passes for themselves; invented. */
  rewritingForwarders: 0.5,
  /** Domains whose people write to mailing lists, and the share of list deliveries. */
  listDomains: 0.25,
  listShare: { median: 0.002, sigma: 1.2, max: 0.1 },
  /** Lists that put themselves into the From header, so that the domain gets no report (Mailman's default since 2014). */
  rewritingLists: 0.6,
  /** Spoofers, by domain; invented. Messages relative to a typical domain, not to this one: spoofers do not care who it is. */
  botnets: 0.6,
  steadySpoofers: 0.05,
  spammersPassingSpf: 0.15,
  spoofersByMailbox: 0.04,
  spoofedMessages: { median: 30, sigma: 1.6 },
  /** Domains about which somebody sends forged reports; invented. */
  forgedReports: 0.05,
} as const;
