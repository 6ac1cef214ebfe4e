/** What operations about single reports and lists of them answer, as schemas. Days are `YYYY-MM-DD`. Pure. */
import * as v from "valibot";
import { SENDER_STATES } from "../authentication/sender-state.ts";
import { REPORT_KINDS, REPORT_STATES, type ReportDetails } from "../ledger/report-rows.ts";
import { DISPOSITIONS, DKIM_RESULTS, OVERRIDE_TYPES, SPF_RESULTS } from "../report/vocabulary.ts";
import { cursor, period } from "./common-shapes.ts";

/** Names a report. */
export const reportName = v.object({
  account: v.string(),
  kind: v.picklist(REPORT_KINDS),
  domain: v.string(),
  /** `YYYY-MM-DD`. */
  day: v.string(),
  uid: v.string(),
});

const alignedResult = v.picklist(["pass", "fail", "unknown"]);

export const placedRecord = v.object({
  /** Index in the report, from 0. */
  ordinal: v.number(),
  sourceIp: v.string(),
  count: v.number(),
  disposition: v.picklist([...DISPOSITIONS, "unknown"]),
  rawDisposition: v.string(),
  dkim: alignedResult,
  spf: alignedResult,
  reasons: v.array(
    v.object({
      type: v.picklist([...OVERRIDE_TYPES, "unknown"]),
      rawType: v.string(),
      comment: v.string(),
    }),
  ),
  headerFrom: v.string(),
  envelopeFrom: v.string(),
  envelopeTo: v.string(),
  dkimResults: v.array(
    v.object({
      domain: v.string(),
      selector: v.string(),
      result: v.picklist([...DKIM_RESULTS, "unknown"]),
      rawResult: v.string(),
      humanResult: v.string(),
    }),
  ),
  spfResults: v.array(
    v.object({
      domain: v.string(),
      scope: v.picklist(["helo", "mfrom", "unknown"]),
      result: v.picklist([...SPF_RESULTS, "unknown"]),
      rawResult: v.string(),
      humanResult: v.string(),
    }),
  ),
});

const tlsPolicy = v.object({
  policyType: v.string(),
  policyDomain: v.string(),
  policyStrings: v.array(v.string()),
  mxHosts: v.array(v.string()),
  successfulSessionCount: v.number(),
  failedSessionCount: v.number(),
  failureDetails: v.array(
    v.object({
      resultType: v.string(),
      sendingMtaIp: v.string(),
      receivingMxHostname: v.string(),
      receivingMxHelo: v.string(),
      receivingIp: v.string(),
      failedSessionCount: v.number(),
      additionalInformation: v.string(),
      failureReasonCode: v.string(),
    }),
  ),
});

/**
 * aggregate: a page of records and how many there are, with their messages; tls: the policies with their failure
 * details; gone: the raw object is no longer there, or no longer gives this report.
 */
export const recordsAnswer = v.variant("kind", [
  v.object({
    kind: v.literal("aggregate"),
    records: v.array(placedRecord),
    matching: v.number(),
    messages: v.number(),
    cursor: v.optional(v.string()),
  }),
  v.object({
    kind: v.literal("tls"),
    policies: v.array(tlsPolicy),
    omitted: v.optional(
      v.object({
        policies: v.number(),
        failureDetails: v.number(),
        successfulSessions: v.number(),
        failedSessions: v.number(),
      }),
    ),
  }),
  v.object({ kind: v.literal("failure") }),
  v.object({ kind: v.literal("gone"), reason: v.string() }),
]);

export const reportPlace = {
  account: v.string(),
  domain: v.string(),
  /** The day it counts for first, as `getReport` and `readRecords` take it. */
  day: v.string(),
  uid: v.string(),
};

const listedReport = v.variant("kind", [
  v.object({
    kind: v.literal("aggregate"),
    ...reportPlace,
    reporter: v.string(),
    reportId: v.string(),
    beginSeconds: v.number(),
    endSeconds: v.number(),
    receivedSeconds: v.number(),
    records: v.number(),
    messages: v.number(),
    passed: v.number(),
    senderState: v.picklist(SENDER_STATES),
    senderDomain: v.string(),
  }),
  v.object({
    kind: v.literal("tls"),
    ...reportPlace,
    reporter: v.string(),
    reportId: v.string(),
    beginSeconds: v.number(),
    endSeconds: v.number(),
    receivedSeconds: v.number(),
    policies: v.number(),
    /** Sessions. */
    successful: v.number(),
    failed: v.number(),
  }),
  v.object({
    kind: v.literal("failure"),
    ...reportPlace,
    reporter: v.string(),
    /** When the reported mail arrived; 0 if the report does not say. */
    arrivalSeconds: v.number(),
    receivedSeconds: v.number(),
    sourceIp: v.string(),
    authFailure: v.string(),
    deliveryResult: v.string(),
    incidents: v.number(),
  }),
]);

/** A page of reports about a domain, and how many there are on all pages. */
export const reportPage = v.object({
  domain: v.string(),
  ...period,
  items: v.array(listedReport),
  matching: v.number(),
  cursor,
});

const warnings = {
  warnings: v.array(v.object({ code: v.string(), path: v.string(), detail: v.string() })),
  /** Warnings that were not kept. */
  omittedWarnings: v.number(),
};

/** The fields that the ledger keeps of a report of one kind: one that is not answered is a type error. */
type DetailFields<Kind extends ReportDetails["kind"]> = Record<
  Exclude<keyof Extract<ReportDetails, { kind: Kind }>, "spread" | "whole">,
  v.GenericSchema
>;

/** What only a report of one kind has. */
const reportDetails = v.variant("kind", [
  v.object({
    kind: v.literal("aggregate"),
    email: v.string(),
    extraContactInfo: v.string(),
    errors: v.array(v.string()),
    generator: v.string(),
    version: v.string(),
    format: v.picklist(["rfc7489", "rfc9990"]),
    policy: v.object({
      p: v.string(),
      sp: v.string(),
      np: v.string(),
      adkim: v.string(),
      aspf: v.string(),
      pct: v.number(),
      fo: v.string(),
      testing: v.boolean(),
      discoveryMethod: v.string(),
    }),
    skippedRecords: v.number(),
    /** Messages by disposition. */
    dispositions: v.record(v.string(), v.number()),
    ...warnings,
  } satisfies DetailFields<"aggregate">),
  v.object({
    kind: v.literal("tls"),
    contactInfo: v.string(),
    policies: v.array(
      v.object({
        policyType: v.string(),
        policyStrings: v.array(v.string()),
        mxHosts: v.array(v.string()),
        successfulSessionCount: v.number(),
        failedSessionCount: v.number(),
        /** How many there are; `readRecords` has them. */
        failureDetails: v.number(),
      }),
    ),
    ...warnings,
  } satisfies DetailFields<"tls">),
  v.object({
    kind: v.literal("failure"),
    sourceIp: v.string(),
    authFailure: v.string(),
    /** null: the report does not say; `arrivalDate` is then as written. */
    arrivalSeconds: v.nullable(v.number()),
    arrivalDate: v.string(),
    deliveryResult: v.string(),
    identityAlignment: v.string(),
    dkimDomain: v.string(),
    dkimSelector: v.string(),
    spfDomain: v.string(),
    mailFromDomain: v.string(),
    ...warnings,
  } satisfies DetailFields<"failure">),
]);

/** One report without its records. */
export const reportHeader = v.object({
  kind: v.picklist(REPORT_KINDS),
  ...reportPlace,
  /** All that it is about; sums are those of the one that is asked about. */
  domains: v.array(v.string()),
  /** Only operators are answered about a report that was taken back. */
  state: v.picklist(REPORT_STATES),
  reporter: v.string(),
  reportId: v.string(),
  beginSeconds: v.number(),
  endSeconds: v.number(),
  receivedSeconds: v.number(),
  senderState: v.picklist(SENDER_STATES),
  senderDomain: v.string(),
  /** Where it was sent, and the raw object it was read from. */
  rua: v.string(),
  rawKey: v.string(),
  part: v.string(),
  generation: v.number(),
  records: v.number(),
  /** Messages, sessions or incidents, as the kind is. */
  total: v.number(),
  passed: v.number(),
  /** Published policy; of a TLS report the kinds of its policies, of a failure report "". */
  policy: v.string(),
  details: reportDetails,
  /** Who took it back, when and why; null: it was not. */
  takenBack: v.nullable(v.object({ takenBackSeconds: v.number(), takenBackBy: v.string(), reason: v.string() })),
  /** Who imported its file, and from where; null: it came by mail. */
  imported: v.nullable(v.object({ importedSeconds: v.number(), importedBy: v.string(), origin: v.string() })),
});

/** Reporters of a domain's aggregate reports, by name. */
export const reporterList = v.object({
  domain: v.string(),
  ...period,
  items: v.array(v.object({ reporter: v.string() })),
  isComplete: v.boolean(),
});
