/** What operations about RUA addresses and new domains answer, as schemas. Pure. */
import * as v from "valibot";
import { SETUP_STATES } from "../guidance/setup-state.ts";
import { domainSetup } from "../ledger/registered-domains.ts";
import { registryEntry } from "../registry.ts";

export const registration = v.object({ rua: v.string(), entry: registryEntry });

/** An added domain: its address, set-up state, and the records to publish. */
export const addedDomain = v.object({
  account: v.string(),
  domain: v.string(),
  rua: v.string(),
  /** Whether it was added by this call. */
  isNew: v.boolean(),
  state: v.picklist(SETUP_STATES),
  ...domainSetup.entries,
});

/** The result of a line of a list of domains. */
export const addedLine = v.object({
  /** The line as it was given. */
  typed: v.string(),
  domain: v.optional(v.string()),
  rua: v.optional(v.string()),
  isNew: v.optional(v.boolean()),
  /** Why it was not added. */
  problem: v.optional(v.string()),
});
