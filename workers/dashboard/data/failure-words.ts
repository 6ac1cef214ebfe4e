/** The words of failure reports in plain sentences (RFC 6591 section 3.2, RFC 9991). Data only. */
import { ownValue } from "../../../shared/own-value.ts";

const FAILURES: Record<string, string> = {
  adsp: "The signing practices the domain published were not met.",
  bodyhash: "The signed text was changed in transit.",
  revoked: "The key of the signature was withdrawn.",
  signature: "The DKIM signature does not match the message.",
  spf: "The sending server is not allowed by the SPF record.",
  dmarc: "Neither SPF nor DKIM passed for a domain aligned with the From header.",
};

const DELIVERIES: Record<string, string> = {
  delivered: "The message was delivered anyway.",
  spam: "The message was delivered as spam.",
  policy: "The message was held back or refused by a rule of the receiver.",
  reject: "The message was refused.",
  other: "Something else happened to the message.",
};

/** What an Auth-Failure means; "" for a word no standard has. */
export function describeAuthFailure(word: string): string {
  return ownValue(FAILURES, word) ?? "";
}

/** What a Delivery-Result means; "" for a word no standard has. */
export function describeDelivery(word: string): string {
  return ownValue(DELIVERIES, word) ?? "";
}
