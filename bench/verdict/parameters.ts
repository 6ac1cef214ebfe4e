/**
 * What the simulated domains are made of. Each number has its source; "invented" = nothing public says it. "Corpus" is the
 * public one that `--shape` compares with. They are fitted to that comparison, never to what the verdict makes of them
 * (docs/verdict.md).
 */

/** Days that are simulated, and those of which the verdict has the reports. */
export const DAYS = { simulated: 60, seen: 30 } as const;

/** A receiver of mail: what it reports, and what it lets through when a policy would have it refuse. */
export interface Receiver {
  name: string;
  /**
   * Share of all mail. Of consumers' mail Gmail had 50, Yahoo 23, Microsoft 12 % in 170 million messages (Mapp, Global Provider
   * Report), or 39, 18 and 35 % of 2.3 million addresses (D. Lange, 2018); of domains with an MX record Google has 22 and Microsoft
   * 17 % (Tranco's million, May 2026). In between; the rest invented.
   */
  share: number;
  reports: boolean;
  /** Probability that it lets forwarded or list mail through though it fails; invented, Google's within the failing records of the
   * corpus that say so. */
  exempts: number;
  /** Names the reason in its reports when it does, under p=none too (Google and Fastmail do in the corpus). */
  namesReasons: boolean;
  /**
   * Messages a record at most. Microsoft writes a record for each recipient's domain: 2,024 messages in 1,867 records of the corpus.
   * Only the comparison of shapes needs it.
   */
  messagesARecord?: number;
}

const SMALL_RECEIVERS = 40;

export const RECEIVERS: readonly Receiver[] = [
  { name: "google.com", share: 0.42, reports: true, exempts: 0.6, namesReasons: true },
  { name: "Outlook.com", share: 0.16, reports: true, exempts: 0.4, namesReasons: false, messagesARecord: 1 },
  { name: "Enterprise Outlook", share: 0.12, reports: true, exempts: 0.4, namesReasons: false, messagesARecord: 1 },
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
      // 69 of 481 reporters ever named a reason (mail-archive.com/dmarc@ietf.org/msg11889.html): with the two above, four of 25.
      namesReasons: i % 20 === 0,
    }),
  ),
];

export const PARAMETERS = {
  /** Published policies of domains that publish one: 38 % none, 28 % quarantine, 34 % reject (Tranco's first 100,000, May 2026). */
  quarantineDomains: 0.28,
  rejectDomains: 0.34,
  /** Domains that send nothing; invented. */
  parkedDomains: 0.1,
  /** Legitimate messages of people in 30 days: median and sigma of the logarithm; invented, wide. */
  monthlyMessages: { median: 1200, sigma: 1.8 },
  /** Own mail: a mailbox provider sends it, or own servers. Of a million domains' MX records 31 % are their own or unknown hosts of a
   * domain's own, 8 % unknown (Tranco, May 2026). */
  hostedMailboxes: 0.6,
  /** Addresses that a provider sends from: own servers are one to three; invented. */
  hostedAddresses: 40,
  /** Of these domains, those that sign with their own key. Fitted to what passes by SPF alone in the corpus. */
  signedOwnMail: 0.98,
  /** Messages a day from which on mail is always signed: Gmail and Yahoo ask it of bulk senders, 5,000 a day to Gmail, since 2024. */
  alwaysSignedPerDay: 5000,
  /** Messages whose signature fails by chance on the way to the first receiver. Of messages with an SPF pass that were signed, 57 in
   * 196,000 of the corpus, 0.03 %, had a broken signature, 0.4 % without its largest report. */
  chanceBreaks: 0.0005,
  /** A forgotten server, neither in SPF nor signing; invented. */
  forgottenServer: 0.15,
  /** Services a sending domain uses: mean of a Poisson distribution; parsedmarc's and peers' issue threads name two or three. */
  services: 2.2,
  /**
   * How a service is set up: signs as the domain, of these some with a return path of the domain as well; only the return path is the
   * domain's; neither. Fitted to what passes by DKIM alone, by SPF alone, and not at all in the corpus.
   */
  serviceAligned: { dkim: 0.77, both: 0.15, spf: 0.02 },
  /** Services that no table of names knows; invented. */
  unknownService: 0.3,
  /**
   * A service's messages in proportion to those of the domain's people, log-evenly: of one that is set up, fitted to the share of
   * messages that pass by DKIM alone; of one that is not, which is found soon if it is large, to that of messages that fail.
   */
  serviceShare: { low: 0.02, high: 5 },
  unalignedServiceShare: { low: 0.002, high: 0.5 },
  /** Addresses a service sends from, log-evenly; invented. */
  serviceAddresses: { low: 2, high: 60 },
  /** Services that sign as themselves beside or in place of the domain; invented. */
  servicesSigning: 0.6,
  /** Services that sign for the domain with a key that is not in DNS, of those of which nothing is the domain's. Fitted to the failing
   * records with a broken signature. */
  missingKey: 0.25,
  /** Domains with a sender of one day in 45; with a service that starts within the 60 days; invented. */
  seasonalSender: 0.08,
  newService: 0.06,
  /** Share of forwarded deliveries: median and sigma. Fitted to what passes by DKIM alone, and, with the next, to the share of a report's
   * messages that fails with a broken signature: none in half of the corpus's reports of a hundred messages and more, much in a few. */
  forwardedShare: { median: 0.006, sigma: 2, max: 0.3 },
  /**
   * Forwarders by what they do to mail: some re-encode or add to all of it or to part, most leave it alone. The kinds are Yahoo's
   * (E. Zwicky, mail-archive.com/dmarc@ietf.org/msg01360.html), who found well below 0.1 % of most senders' mail to fail by forwarding,
   * and 1.5 % at most. How unevenly mail goes to a domain's forwarders (sigma of the logarithm) is invented.
   */
  forwarders: { breaking: 0.2, intermittent: 0.2, some: { low: 0.05, high: 0.5 }, few: 0.002, sigma: 1.5 },
  /** Forwarders that rewrite the return path (SRS), so that SPF passes for themselves, and that sign what they hand on (Microsoft's
   * tenants, in an eighth of the corpus's failing records); fitted to the failing records in which something passes. */
  rewritingForwarders: 0.5,
  signingForwarders: 0.35,
  /** Domains whose people write to mailing lists, and the share of list deliveries; invented. */
  listDomains: 0.25,
  listShare: { median: 0.002, sigma: 1.2, max: 0.1 },
  /** Lists that put themselves into the From header, so that the domain gets no report (Mailman's default since 2014). */
  rewritingLists: 0.6,
  /** Spoofers, by domain; invented. Messages relative to a typical domain, not to this one: spoofers do not care who it is. */
  botnets: 0.6,
  steadySpoofers: 0.05,
  spammersPassingSpf: 0.25,
  /** Of these, those that sign for the domain they pass SPF for; invented. */
  spammersSigning: 0.4,
  spoofersByMailbox: 0.04,
  /** Of scattered spoofers' mail, what comes from other people's accounts and passes SPF for their domains. Fitted to the failing records
   * with an SPF pass and no signature. */
  spoofedFromAccounts: 0.4,
  spoofedMessages: { median: 50, sigma: 1.6 },
  /** Domains about which somebody sends forged reports; invented. */
  forgedReports: 0.05,
} as const;

/** How reverse names of a kind of sender's addresses are made up, as shares; the rest has a name of its own that says whose it is. */
export interface NameShares {
  /** None that resolves back to the address. */
  none: number;
  /** One that the network's provider gives to every address, with the address in it. */
  generic: number;
}

/**
 * Names and networks of addresses, and SPF records: what DNS says beside the reports. Set before the verdict was
 * measured against them. Spam and wanted mail by reverse names: SpamAssassin's published counts over 354,116 spam and
 * 168,179 wanted messages (apache/spamassassin, rules/STATISTICS-set3.txt, rules RDNS_NONE and RDNS_DYNAMIC): none 39.1
 * and 1.35 %, generic 26.3 and 0.75 %.
 */
export const INTERNET = {
  names: {
    /** The measured shares of spam. */
    spoofer: { none: 0.39, generic: 0.26 },
    /** Measured for wanted mail; of servers that are looked after. */
    service: { none: 0.0135, generic: 0.0075 },
    /** As wanted mail, twice: small ones are among them. */
    forwarder: { none: 0.027, generic: 0.015 },
    /** Invented: four times wanted mail without a name, ten times with its host's, as nobody looks after them. Gmail takes no mail
     * from addresses without a name that resolves back (550 5.7.25, support.google.com/a?p=sender-guidelines-ip), so such servers
     * don't last. */
    ownServer: { none: 0.054, generic: 0.075 },
    /** Spammers with a domain of their own, who pay for a name or don't; invented. */
    spammer: { none: 0.15, generic: 0.25 },
  } satisfies Record<string, NameShares>,
  /** Generic names that don't have the address in a form that can be recognised (vps-4711.hoster.example); invented. */
  opaqueGeneric: 0.15,
  /** Of own servers with a name of their own, those named below the domain; the others below another domain of the owner's, or of
   * whoever runs them. Invented. */
  underDomain: 0.6,
  /** Own servers in the network that the owner's other servers, or the domain's own records, are in; invented. */
  inHomeNetwork: 0.6,
  /** Networks: companies that rent out servers, and those that connect homes and offices. */
  hostingNetworks: 60,
  accessNetworks: 3000,
  /** Of spoofers' addresses, those in hosting networks, the same that owners use; invented. 91 % of the servers that sent only spam were
   * in networks that others sent wanted mail from (Duan, Gopalan, Yuan, ICC 2007). */
  spooferHosted: 0.4,
  /** Forwarders: mailbox providers, universities, the rest hosts of domains; shares invented. Liu et al. 2023 ("Forward Pass") name the
   * kinds. */
  forwarderMailbox: 0.3,
  forwarderUniversity: 0.15,
  /** Services that the SPF record includes: of those that sign or whose return path is the domain's, and of those that do neither.
   * Providers ask for it though it does nothing for alignment; shares invented. */
  includedService: { aligned: 0.6, unaligned: 0.4 },
  /** Own servers that authenticate nothing, and are in the SPF record all the same: they send with an empty return path. Invented. */
  forgottenInSpf: 0.15,
  /** Records that include a service nobody uses any more, and that list an address that was given back, which a spoofer may have
   * got since; invented. */
  staleInclude: 0.3,
  staleAddress: 0.1,
  staleAddressOfSpoofer: 0.02,
  /** Addresses that DNS answered about; the rest had no answer, and nothing is known of them. Invented. */
  answered: 0.97,
} as const;

/** How far invented shares are changed to see what hangs on them: 1 as they are, 0.5 half, 2 double. */
export interface Stretch {
  /** Legitimate addresses without a name or with a generic one. */
  namelessOwners: number;
  /** Spoofers' addresses with a name of their own. */
  namedSpoofers: number;
  /** Own servers outside the owner's networks. */
  awayFromHome: number;
  /** SPF records that still name what is not used any more. */
  staleSpf: number;
}

export const AS_THEY_ARE: Stretch = { namelessOwners: 1, namedSpoofers: 1, awayFromHome: 1, staleSpf: 1 };
