/** What the registry takes as an address's entry. */
import { expect, it } from "vitest";
import { RegistryValueError, validRegistration } from "../../shared/registry.ts";

it.each(["main", "a.b", ".hidden", "A-1_b", "a".repeat(64)])("an account may be named %j", (account) => {
  expect(validRegistration("dmarc@example.com", { account }).entry.account).toBe(account);
});

it.each(["", ".", "..", "...", "a b", "a/b", "a".repeat(65)])("no account is named %j", (account) => {
  expect(() => validRegistration("dmarc@example.com", { account })).toThrow(RegistryValueError);
});
