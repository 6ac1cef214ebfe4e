/** Words of reports and links that every object answers to, though no table of ours has them. */
import { expect, it } from "vitest";
import { describeAuthFailure, describeDelivery } from "../../workers/dashboard/data/failure-words.ts";
import { describePolicy } from "../../workers/dashboard/data/policy.ts";
import { describeTlsPolicy, describeTlsResult } from "../../workers/dashboard/data/tls-words.ts";

it.each(["constructor", "toString", "valueOf", "__proto__"])("%s means what any unknown word means", (word) => {
  expect(describeTlsResult(word)).toBe("A result that no standard defines.");
  expect(describeTlsPolicy(word)).toBe("A policy that no standard defines.");
  expect(describeAuthFailure(word)).toBe("");
  expect(describeDelivery(word)).toBe("");
  expect(describePolicy(`p=${word}`)).toBe("The reports do not say which policy was published.");
});
