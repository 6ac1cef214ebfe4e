/** Operations about where reports come in: RUA addresses, new domains and their tags. operations.ts assembles them. */
import * as v from "valibot";
import { SETUP_LIMITS, TAG_LIMITS } from "../limits.ts";
import { registryEntry } from "../registry.ts";
import { tag } from "../tag.ts";
import { listOf } from "./common-shapes.ts";
import { account, cursor, domain, mailAddress, nothing } from "./fields.ts";
import { get, post, remove } from "./operation.ts";
import * as shapes from "./setup-shapes.ts";

const ruaInput = v.strictObject({ rua: mailAddress });
/** A domain as typed: the operation says what is wrong with it. */
const typedDomain = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(1000));
const domainOfAccount = v.strictObject({ account, domain: typedDomain });

export const SETUP_OPERATIONS = {
  listRegistrations: {
    summary: "The addresses that may receive reports",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/registry"),
    input: nothing,
    output: listOf(shapes.registration),
  },
  getRegistration: {
    summary: "One address",
    role: "operator",
    changes: false,
    answeredBy: "dashboard",
    http: get("/registry/:rua"),
    input: ruaInput,
    output: shapes.registration,
  },
  addRegistration: {
    summary: "Registers a new address; never changes an existing one",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: post("/registry"),
    input: v.strictObject({ rua: mailAddress, entry: registryEntry }),
    output: shapes.registration,
  },
  putRegistration: {
    summary: "Registers an address, or changes what is registered",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "PUT",
      path: "/registry/:rua",
      place: { json: "field", field: "entry" },
      status: 200,
      answer: "json",
    },
    input: v.strictObject({ rua: mailAddress, entry: registryEntry }),
    output: shapes.registration,
  },
  restoreRegistrations: {
    summary: "Registers addresses again from their copies in KV, a page at a time, after the database was lost",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: {
      method: "POST",
      path: "/registry/restore",
      place: { json: "fields", optional: true },
      status: 200,
      answer: "json",
    },
    input: v.strictObject({ cursor: v.optional(cursor) }),
    output: v.object({
      /** Copies looked at, and those that were not registered. */
      found: v.number(),
      restored: v.number(),
      /** Absent on the last page. */
      cursor: v.optional(v.string()),
    }),
  },
  removeRegistration: {
    summary: "Removes an address; its mail is rejected from then on",
    role: "operator",
    changes: true,
    answeredBy: "process",
    http: remove("/registry/:rua"),
    input: ruaInput,
    output: v.undefined(),
  },
  addingDomains: {
    summary: "Where addresses for the reports of new domains are made",
    role: "viewer",
    changes: false,
    answeredBy: "process",
    http: undefined,
    input: nothing,
    /** "" = nowhere: the address has to be given when a domain is added. */
    output: v.object({ ruaHost: v.string() }),
  },
  addDomain: {
    summary: "Registers an address for a domain's reports, a new one or the given one, and says what to publish",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: post("/domains"),
    input: v.strictObject({ account, domain: typedDomain, rua: v.optional(mailAddress) }),
    output: shapes.addedDomain,
  },
  addDomains: {
    summary: "Adds a list of domains, with a result for each; does not query DNS",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: post("/domains/list"),
    input: v.strictObject({
      account,
      domains: v.pipe(v.array(typedDomain), v.minLength(1), v.maxLength(SETUP_LIMITS.addedAtOnce)),
      rua: v.optional(mailAddress),
    }),
    output: listOf(shapes.addedLine),
  },
  domainSetup: {
    summary: "The progress of an added domain, from the record to publish to its first report",
    role: "viewer",
    changes: false,
    answeredBy: "process",
    http: get("/domains/:account/:domain/setup"),
    input: domainOfAccount,
    output: shapes.addedDomain,
  },
  removeDomain: {
    summary: "Removes a domain, and an address that only it uses, from the registry; its reports stay",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: { method: "DELETE", path: "/domains/:account/:domain", place: "query", status: 200, answer: "json" },
    input: domainOfAccount,
    /** isAddressRemoved: mail to it is rejected from now on; false = it takes reports of other domains, too. */
    output: v.object({ rua: v.string(), isAddressRemoved: v.boolean() }),
  },
  tagDomains: {
    summary: "Adds tags to domains of an account and removes others, with a result for each domain",
    role: "administrator",
    changes: true,
    answeredBy: "process",
    http: post("/tags"),
    input: v.strictObject({
      account,
      domains: v.pipe(v.array(domain), v.minLength(1), v.maxLength(TAG_LIMITS.domainsAtOnce)),
      add: v.optional(v.pipe(v.array(tag), v.maxLength(TAG_LIMITS.perDomain))),
      remove: v.optional(v.pipe(v.array(tag), v.maxLength(TAG_LIMITS.perDomain))),
    }),
    output: listOf(v.object({ domain: v.string(), tags: v.array(v.string()), problem: v.optional(v.string()) })),
  },
  listTags: {
    summary: "Domains with tags, of all accounts or of one; with a tag only domains with this tag",
    role: "viewer",
    changes: false,
    answeredBy: "dashboard",
    http: get("/tags"),
    input: v.strictObject({ account: v.optional(account), tag: v.optional(tag) }),
    output: listOf(v.object({ account: v.string(), domain: v.string(), tags: v.array(v.string()) })),
  },
} as const;
