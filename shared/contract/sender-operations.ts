/**
 * Operations about who sends in a domain's name: the verdict, decisions about senders, advice on SPF, names of addresses; and
 * the MTA-STS policies that are hosted here. operations.ts assembles them.
 */
import * as v from "valibot";
import { MTA_STS_MODES } from "../guidance/mta-sts-policy.ts";
import { SENDER_DECISIONS } from "../ledger/sender-decisions.ts";
import { GUIDANCE_LIMITS, PAGE_LIMITS } from "../limits.ts";
import { account, day, domain, pageFields, reason, truth } from "./fields.ts";
import { get, post, put } from "./operation.ts";
import * as shapes from "./sender-shapes.ts";

/** A source as pages name it: an organizational domain or an address. */
const senderName = { account, domain, source: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(253)) };

export const SENDER_OPERATIONS = {
  decideSender: {
    summary:
      "Decides whether an address, prefix, domain or service is the owner's, a forwarder, or not theirs; the verdict follows",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: put("/domains/:account/:domain/senders/:source"),
    input: v.strictObject({ ...senderName, decision: v.picklist(SENDER_DECISIONS), note: reason }),
    output: shapes.decidedSender,
  },
  undoSenderDecision: {
    summary: "Undoes the last decision about a source",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "DELETE",
      path: "/domains/:account/:domain/senders/:source",
      place: "query",
      status: 200,
      answer: "json",
    },
    input: v.strictObject(senderName),
    output: shapes.decidedSender,
  },
  mtaSts: {
    summary: "The MTA-STS policy that is served for a domain, what its MX records say, and what to do next",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/domains/:account/:domain/mta-sts"),
    input: v.strictObject({ account, domain }),
    output: shapes.mtaStsState,
  },
  setMtaSts: {
    summary: "Serves an MTA-STS policy for a domain of the account, or changes it; the id to publish changes with it",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: put("/domains/:account/:domain/mta-sts"),
    input: v.strictObject({
      account,
      domain,
      mode: v.picklist(MTA_STS_MODES),
      mx: v.pipe(v.array(v.pipe(v.string(), v.maxLength(300))), v.maxLength(1000)),
      maxAgeSeconds: v.number(),
      /** Enforce it although the MX records name hosts that the policy does not. */
      force: v.optional(v.boolean()),
    }),
    output: shapes.hostedMtaSts,
  },
  removeMtaSts: {
    summary: "Stops serving the MTA-STS policy of a domain",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "DELETE", path: "/domains/:account/:domain/mta-sts", place: "query", status: 200, answer: "json" },
    input: v.strictObject({ account, domain }),
    output: v.object({
      account: v.string(),
      domain: v.string(),
      /** How long senders may still remember it. */
      rememberedSeconds: v.number(),
    }),
  },
  spfAdvice: {
    summary: "What adding a source does to the domain's SPF record; queries DNS and changes nothing",
    role: "viewer",
    changes: false,
    answeredBy: "process",
    http: post("/domains/:account/:domain/spf-advice"),
    input: v.strictObject({
      account,
      domain,
      sender: v.strictObject({
        name: v.pipe(v.string(), v.maxLength(253)),
        networks: v.pipe(v.array(v.pipe(v.string(), v.maxLength(50))), v.maxLength(GUIDANCE_LIMITS.maxSpfSources)),
        service: v.pipe(v.string(), v.maxLength(100)),
        returnPaths: v.optional(
          v.pipe(v.array(v.pipe(v.string(), v.maxLength(253))), v.maxLength(GUIDANCE_LIMITS.maxReturnPaths)),
        ),
        isForwarder: v.boolean(),
      }),
    }),
    output: shapes.spfAdvice,
    example: {
      account: "acme",
      domain: "acme.example",
      sender: { name: "192.0.2.1", networks: ["192.0.2.1"], service: "", isForwarder: false },
    },
  },
  nameAddresses: {
    summary: "Looks up the names of addresses that a page has shown",
    role: "viewer",
    changes: true,
    answeredBy: "process",
    http: undefined,
    input: v.strictObject({ account, addresses: v.pipe(v.array(v.string()), v.maxLength(1000)) }),
    output: v.object({ named: v.number() }),
  },
  verdict: {
    summary: "Whether p=reject is safe for a domain, what it would hit, and what to publish next",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/verdicts/:domain"),
    /** Without days: the last 30. */
    input: v.strictObject({ domain, from: v.optional(day), to: v.optional(day) }),
    output: shapes.verdict,
  },
  senders: {
    summary: "Who sends in a domain's name: whose each sender is, what was decided about it, and what is suggested",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/senders/:domain"),
    /** Without days: the last 30. */
    input: v.strictObject({
      domain,
      from: v.optional(day),
      to: v.optional(day),
      /** Only those that the owner has to decide about. */
      undecided: v.optional(truth),
      ...pageFields(PAGE_LIMITS.listed),
    }),
    output: shapes.senders,
  },
} as const;
