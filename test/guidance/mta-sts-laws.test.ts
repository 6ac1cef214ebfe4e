/** Laws of MTA-STS policies that are typed: what is served is what senders read, names what was typed, and is never weaker. */
import { describe, expect, it } from "vitest";
import { coversHost, readPolicy } from "../../shared/guidance/mta-sts-check.ts";
import { MTA_STS_MODES, policyRecord, policyText, readTypedPolicy } from "../../shared/guidance/mta-sts-policy.ts";
import fc from "../support/properties.ts";

const label = fc.constantFrom(
  ...["mx", "MX1", "a", "b-c", "\u00fc", "xn--tda", "b\u00fccher", "\u7d44", "0", "9", "-a", "a-", "_x", "", "*", "a*"],
  ...[
    "\u00df",
    "\u0130",
    "\uff4d\uff58",
    "a".repeat(63),
    "a".repeat(64),
    "x\r\nmode: none",
    "x\nmx: *",
    "mx:",
    " mx",
    "\u200b",
  ],
);
const host = fc
  .tuple(fc.array(label, { maxLength: 3 }), fc.constantFrom("example", "shop.example", "SHOP.Example.", "example "))
  .map(([labels, end]) => [...labels, end].join("."));
const pattern = fc.oneof(
  { weight: 4, arbitrary: host },
  { weight: 3, arbitrary: host.map((name) => `*.${name}`) },
  fc.constantFrom(
    "https://mx.shop.example/",
    "a@mx.shop.example",
    "192.0.2.1",
    "[::1]",
    "mx.shop.example:25",
    "*",
    "*.",
  ),
  fc.string({ unit: "grapheme" }),
);
const typed = fc.record({
  mode: fc.constantFrom(...MTA_STS_MODES),
  mx: fc.array(pattern, { maxLength: 3 }),
  maxAgeSeconds: fc.oneof(fc.integer({ min: 80_000, max: 40_000_000 }), fc.double()),
});

describe("a typed policy", () => {
  it("is read from its file as it was taken, and taken again is the same", () => {
    let taken = 0;
    fc.assert(
      fc.property(typed, (given) => {
        const policy = readTypedPolicy(given);
        if (!policy.ok) {
          expect(policy.error).toMatch(/\.$/);
          return;
        }
        taken += 1;
        expect(policy.value).toMatchObject({ mode: given.mode, maxAgeSeconds: given.maxAgeSeconds });
        expect(readTypedPolicy(policy.value)).toEqual(policy);
        expect(readPolicy(policyText(policy.value))).toEqual({ policy: policy.value });
        // A line for each, and nothing that was typed makes another.
        expect(policyText(policy.value).split("\r\n")).toHaveLength(policy.value.mx.length + 4);
        expect(policyText(policy.value)).not.toMatch(/[^\x20-\x7e\r\n]|\r(?!\n)|(?<!\r)\n/);
      }),
      { numRuns: 3000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it("covers the hosts that were typed, and a wildcard those one label below", () => {
    fc.assert(
      fc.property(pattern, (written) => {
        const policy = readTypedPolicy({ mode: "enforce", mx: [written], maxAgeSeconds: 86_400 });
        const [only = ""] = policy.ok ? policy.value.mx : [];
        if (only === "") return;
        const isWildcard = written.trim().startsWith("*.");
        const plain = only.replace("*.", "");
        const below = (hosts: string[]) => hosts.map((one) => coversHost(only, one));
        const hosts = [plain, `a.${plain}`, `a.b.${plain}`, `x${plain}`, "evil.example.net", ""];
        expect(below(hosts)).toEqual([!isWildcard, isWildcard, false, false, false, false]);
      }),
      { numRuns: 1000 },
    );
  });
});

it("the id of a record is one that senders take, and a later one differs", () => {
  fc.assert(
    fc.property(fc.nat({ max: 4_000_000_000 }), fc.integer({ min: 1, max: 1_000_000_000 }), (seconds, later) => {
      const { value } = policyRecord("shop.example", seconds);
      expect(value).toMatch(/^v=STSv1; id=[A-Za-z0-9]{1,32};$/);
      expect(policyRecord("shop.example", seconds + later).value).not.toBe(value);
    }),
  );
});
