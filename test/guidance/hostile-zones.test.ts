/** Zones that are made to be large: what is kept of a check stays below what a value of D1 may have. */
import { expect, test } from "vitest";
import type { Answer, RecordType, Resolver } from "../../shared/dns/resolver.ts";
import { checkDomain } from "../../shared/guidance/domain-check.ts";
import { storedCheckOf } from "../../shared/guidance/stored-check.ts";
import { D1_LIMITS } from "../../shared/limits.ts";

const ADDRESSES = Array.from({ length: 4000 }, (_, i) => `mailto:a@h${i}.e`).join(",");
const TAGS = Array.from({ length: 8000 }, (_, i) => `z${i}=;`).join("");
/** Each of its characters takes six in JSON. */
const CONTROLS = Array.from({ length: 20 }, () => `v=spf1 ${"\u0001".repeat(1990)}`);

function texts(...records: string[]): Answer {
  return { status: "answers", records };
}

test.each([
  [
    "thousands of addresses",
    (name: string) => texts(name === "_dmarc.example.com" ? `v=DMARC1; p=none; rua=${ADDRESSES}` : ""),
  ],
  ["thousands of tags", () => texts(`v=DMARC1; p=none; ${TAGS}`)],
  ["thousands of terms", () => texts(`v=spf1 ${"y ".repeat(30_000)}`)],
  [
    "much for every name",
    (name: string) =>
      name === "_dmarc.example.com" ? texts(`v=DMARC1; p=none; rua=${ADDRESSES.slice(0, 3000)}`) : texts(...CONTROLS),
  ],
])("%s", async (_, answerTo) => {
  const lookup = async (name: string, type: RecordType): Promise<Answer> =>
    type === "TXT" ? answerTo(name) : { status: "nodata" };
  const resolver: Resolver = { lookup };
  const context = {
    resolver,
    fetchPolicy: async () => ({ problem: "There is none.", isUnanswered: false }),
    selectors: Array.from({ length: 20 }, (_, i) => ({ selector: `s${i}`, domain: "example.com" })),
  };
  const stored = storedCheckOf(await checkDomain("example.com", context));
  expect(stored.checks).toHaveLength(7);
  expect(Buffer.byteLength(JSON.stringify(stored))).toBeLessThan(0.75 * D1_LIMITS.maxRowBytes);
});
