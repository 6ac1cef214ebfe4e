/** From when on rules find something: by rule, beside shared/limits.ts, which has one number a line. Pure. */

/**
 * Ours: from when on a rule finds something (shared/watch/rules). Set on seeds 1 and 2 of the simulator; docs/alerts.md has
 * the error rate they lead to, on other seeds.
 */
export const WATCH_RULES = {
  ownSenderFails: {
    /** Messages that the newest days are taken for, and those that have to fail. */
    minMessages: 8,
    minFailing: 5,
    /** Messages before, to know what is usual. */
    minUsualMessages: 40,
    /** The share that fails is so much above the usual one, and so many standard deviations. */
    minRise: 0.2,
    minDeviations: 5,
    /** While it is so much above, it is not over. */
    minRiseOpen: 0.1,
    /** Mail may have begun to fail so many days before it was found. */
    daysBeforeFound: 3,
  },
  ownMailRefused: {
    minMessages: 8,
    minRefused: 5,
    minUsualMessages: 20,
    minShare: 0.05,
    minRise: 0.05,
    minDeviations: 5,
    minShareOpen: 0.02,
    daysBeforeFound: 3,
    /** A sender that failed before already: share of its mail; a policy seen first so many days from the first refusal. */
    failedBeforeShare: 0.2,
    policyDays: 5,
  },
  newSender: {
    /** Seen first within so many days, of a domain known for longer. */
    newDays: 7,
    minHistoryDays: 14,
    /** Messages; of those that pass fewer are enough. */
    minMessages: 10,
    minPassed: 5,
    /** A server that nothing authenticates: days, messages, and share of the domain's mail. */
    minDaysOfServer: 4,
    minMessagesOfServer: 20,
    minShareOfServer: 0.01,
  },
  spoofingRises: {
    minMessages: 100,
    /** Times the most of any day before. */
    minTimes: 3,
    newDays: 2,
    minHistoryDays: 21,
  },
  passRateDrops: {
    minMessages: 50,
    /** Same weekdays before. */
    minWeeks: 3,
    minDrop: 0.1,
    minDeviations: 6,
  },
  reporters: {
    /** Days looked at; those on which one has to have reported, and the longest gap among them. */
    days: 30,
    minDays: 20,
    maxGap: 2,
    /** So many days on which others reported, and it did not. */
    silentDays: 5,
    /** No report of anybody about so many days, today included: reports of one day come on the next or the one after. */
    allSilentDays: 4,
  },
  tlsFails: {
    minFailed: 10,
    minShare: 0.1,
    /** Times the usual share. */
    minTimes: 3,
    minShareOpen: 0.02,
    newDays: 2,
  },
  records: {
    /** Days for which a change is news. */
    newDays: 3,
    /** Days back to a change that may have broken something. */
    causeDays: 10,
  },
  verdictChanged: {
    /** How long a verdict must hold before it is announced; only rejected mail is announced at once. */
    minSeconds: 2 * 86_400,
  },
  pipelineBehind: {
    /** Open dead letters and conflicts; messages that wait, and how long the oldest has. */
    maxDeadLetters: 100,
    maxConflicts: 50,
    maxWaitingSeconds: 6 * 3600,
  },
} as const;
