/** The thresholds from which rules find something, by rule; shared/limits.ts has all other numbers. Pure. */

/**
 * Ours: from what on a rule finds something (shared/watch/rules). Set on seeds 1 and 2 of the simulator; docs/alerts.md
 * has the error rate they lead to, on other seeds.
 */
export const WATCH_RULES = {
  ownSenderFails: {
    /** Messages that the newest days have to reach, and how many of them have to fail. */
    minMessages: 8,
    minFailing: 5,
    /** Messages before, to know what is usual. */
    minUsualMessages: 40,
    /** How far the failing share has to exceed the usual one: as a share, and in standard deviations. */
    minRise: 0.2,
    minDeviations: 5,
    /** While it exceeds the usual share by this much, it is not over. */
    minRiseOpen: 0.1,
    /** Days before it was found in which mail may have begun to fail. */
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
    /**
     * The share of its mail by which a sender failed before already; days from the first refusal within which a policy
     * was first seen.
     */
    failedBeforeShare: 0.2,
    policyDays: 5,
  },
  newSender: {
    /** Days within which it was first seen, of a domain known for longer. */
    newDays: 7,
    minHistoryDays: 14,
    /** Messages; fewer are enough if they pass. */
    minMessages: 10,
    minPassed: 5,
    /** Share of the owner's mail, of a sender too small for the verdict to ask about. */
    minShare: 0.0008,
    /** A server that nothing authenticates: days, messages, and share of the domain's mail. */
    minDaysOfServer: 4,
    minMessagesOfServer: 20,
    minShareOfServer: 0.01,
  },
  spoofingRises: {
    minMessages: 100,
    /** Multiple of the highest day before. */
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
    /** Days looked at; on how many of them a reporter has to have reported, and its longest gap. */
    days: 30,
    minDays: 20,
    maxGap: 2,
    /** Days on which others reported and it did not. */
    silentDays: 5,
    /** Days without any report, today included: reports of one day come on the next or the one after. */
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
    minSeconds: 7 * 86_400,
    /**
     * The same of "not yet" after "ready" with fewer failing messages, or less than this many times what ready allows: near the limit,
     * one message more or less turns it. It must last longer than one message stays in the period.
     */
    minSecondsNear: 30 * 86_400,
    minFailing: 3,
    minTimesLimit: 2,
  },
  pipelineBehind: {
    /** Open dead letters and conflicts; messages that wait, and how long the oldest has. */
    maxDeadLetters: 100,
    maxConflicts: 50,
    maxWaitingSeconds: 6 * 3600,
  },
} as const;
