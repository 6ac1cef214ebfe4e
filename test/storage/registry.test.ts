/** What the registry takes as an address and its entry. */
import { expect, it } from "vitest";
import { RegistryValueError, ruaCandidates, validRegistration } from "../../shared/registry.ts";

it.each(["main", "a.b", ".hidden", "A-1_b", "a".repeat(64)])("an account may be named %j", (account) => {
  expect(validRegistration("dmarc@example.com", { account }).entry.account).toBe(account);
});

it.each(["", ".", "..", "...", "a b", "a/b", "a".repeat(65)])("no account is named %j", (account) => {
  expect(() => validRegistration("dmarc@example.com", { account })).toThrow(RegistryValueError);
});

it.each([" dmarc@example.com\n", "<dmarc@example.com>", "MailTo:dmarc@example.com", "DMARC@Example.com."])(
  "dmarc@example.com may be typed as %j",
  (typed) => {
    expect(validRegistration(typed, { account: "acme" }).rua).toBe("dmarc@example.com");
  },
);

// 388 letters and @example.com are 400 bytes, all that a key of KV has room for.
const LONGEST = `${"a".repeat(388)}@example.com`;

it("an address may have 400 bytes", () => {
  expect(validRegistration(LONGEST, { account: "acme" }).rua).toBe(LONGEST);
});

it.each(["", "dmarc", "@example.com", "dmarc@", "two words@example.com", "two@at@example.com", `a${LONGEST}`])(
  "no address is %j",
  (typed) => {
    expect(() => validRegistration(typed, { account: "acme" })).toThrow(RegistryValueError);
  },
);

it.each([
  ["reports+acme@example.com", ["reports+acme@example.com", "reports@example.com"]],
  ["reports+a+b@example.com", ["reports+a+b@example.com", "reports@example.com"]],
  ["+acme@example.com", ["+acme@example.com"]],
  ["reports@mail+x.example", ["reports@mail+x.example"]],
  [LONGEST, [LONGEST]],
  [LONGEST.replace("@", "+acme@"), [LONGEST]],
  [`a${LONGEST}`, []],
])("mail to %j is for what is registered as one of %j", (recipient, expected) => {
  expect(ruaCandidates(recipient)).toEqual(expected);
});
