/** The set-up state of an added domain, from the record to publish to its first report. Pure. */
import type { RecordToPublish } from "./check.ts";
import type { DmarcCheck } from "./dmarc-check.ts";
import { isLongName } from "./dmarc-destinations.ts";

export const SETUP_STATES = [
  "receiving",
  "waiting",
  "recordNotFound",
  "wrongAddress",
  "notPermitted",
  "unknown",
] as const;

/**
 * receiving: a report has come; waiting: everything is published, receivers send once a day; recordNotFound: there is
 * no DMARC record; wrongAddress: it names other addresses; notPermitted: the address's domain does not permit the
 * reports; unknown: DNS did not answer.
 */
export type SetupState = (typeof SETUP_STATES)[number];

/** A state with a sentence for people, and the missing records. */
export interface Setup {
  state: SetupState;
  sentence: string;
  missing?: RecordToPublish;
}

/** What is published and does not help: whoever published it is not to wait for DNS to show it. */
const HINDRANCES: ReadonlySet<string> = new Set([
  "several_records",
  "mistaken_record",
  "record_at_apex",
  "record_at_wrong_name",
]);

/** The state according to what is published. @param rua the address created for the domain */
export function setupState(rua: string, check: DmarcCheck, hasReports: boolean): Setup {
  if (hasReports) return { state: "receiving", sentence: "Reports are coming in." };
  const own = check.record;
  const at = check.policyDomain ?? "";
  if (own === undefined) {
    // Several records are none: whoever added a second one is not to wait for it.
    const mistaken = check.findings.find(({ code }) => HINDRANCES.has(code));
    if (mistaken !== undefined) return { state: "recordNotFound", sentence: mistaken.sentence };
    return check.state === "unknown"
      ? { state: "unknown", sentence: "DNS gave no answer. Check again later." }
      : {
          state: "recordNotFound",
          sentence: "The DMARC record is not there yet. Publish it; DNS may take a while to show it.",
        };
  }
  const address = rua.toLowerCase();
  const isNamed = own.rua.some((uri) => uri.address?.toLowerCase() === address);
  if (!isNamed) {
    return { state: "wrongAddress", sentence: `The record at _dmarc.${at} doesn't name ${rua}. Add it to rua.` };
  }
  const host = address.slice(address.lastIndexOf("@") + 1);
  const destination = check.destinations.find((one) => one.host === host);
  if (destination?.outcome === "unknown") {
    return {
      state: "unknown",
      sentence: `DNS gave no answer on whether ${host} takes the reports. Check again later.`,
    };
  }
  if (destination?.outcome === "refused") {
    const name = destination.recordName ?? "";
    if (isLongName(name)) {
      const sentence = `${host} can't say that it takes reports about ${at}: the name of that record is longer than DNS allows. Use an address in your own domain.`;
      return { state: "notPermitted", sentence };
    }
    return {
      state: "notPermitted",
      sentence: `${host} doesn't say that it takes reports about ${at}. Publish this record there.`,
      missing: { name, type: "TXT", value: "v=DMARC1;" },
    };
  }
  if (destination?.isUnreachable === true) {
    const sentence = `Everything is published, but no reports arrive: according to DNS, ${host} takes no mail. Publish its MX record.`;
    return { state: "waiting", sentence };
  }
  return {
    state: "waiting",
    sentence:
      "Everything is published. Receivers report once a day, about mail that they got: the first report comes within two days. " +
      "If none has come after three, send a mail from this domain to a Gmail or Yahoo address.",
  };
}
