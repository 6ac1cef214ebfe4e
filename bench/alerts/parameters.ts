/** What is simulated for the alerts' benchmark. Where nothing says how often something is, the number is invented. */
export const BENCH = {
  /** Domains; with the watched days these are 10,000 domain-days. */
  domains: 112,
  /** Days before anything is judged: what rules learn from. */
  learnedDays: 40,
  /** Days on which notices count: a quarter. */
  watchedDays: 90,
  incidents: 200,
  /** Share of incidents that are about a sender's mail, where the domain has such a sender. */
  inMail: 0.85,
  /** Days after which an incident is put right. */
  incidentDays: 10,
  /** Days between two incidents of a domain at least, from the first one's beginning. */
  daysBetween: 32,
  /** Messages a day of a sender that an incident is about; of less nobody would hear within a day. */
  minRate: 8,
  /** Days after its end on which a notice may still be about an incident; of verdicts, which look back 30 days. */
  afterDays: 5,
  afterDaysOfVerdict: 40,
  /** Messages of an incident that have been reported: with these the reports show it. */
  shownMessages: 10,
  /** Domains with TLS reports, and with an enforced MTA-STS policy; invented. */
  tlsDomains: 0.4,
  mtaStsDomains: 0.3,
  /** TLS sessions that fail by chance, and days on which a server is down for a while; invented. */
  tlsFails: 0.002,
  tlsBadDays: 0.03,
  /** Days on which DNS does not answer a check, and on which somebody adds a TXT record that is not about mail; invented. */
  dnsSilentDays: 0.02,
  otherTxtDays: 0.01,
  /** Days on which a reporter's report does not come; invented. */
  lostReports: 0.01,
} as const;
