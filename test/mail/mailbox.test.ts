/** Mails that are written into a mailbox come out of it as they were, whatever their lines look like. */
import { expect, it } from "vitest";
import { splitMailbox } from "../../shared/mail/mailbox.ts";
import fc from "../support/properties.ts";

const line = fc.oneof(
  fc.constantFrom(
    "",
    "From me to you",
    "From a@b.example Sat Jan  3 01:05:34 1996",
    "From a@b.example",
    "From x 12:30",
    ">From x",
    ">>From y 12:30",
    "\u0001\u0001\u0001\u0001",
    "Received: by x",
    "From: a@b.example",
    " ",
  ),
  fc.stringMatching(/^[ -~]{0,40}$/),
);
/** Of Latin-1 characters, a byte each. */
const mail = fc
  .tuple(fc.constantFrom("From: a@b.example", "Received: by x", "X-a: b"), fc.array(line, { maxLength: 12 }))
  .map(([field, body]) => [field, "", ...body, ""].join("\n"));
const mails = fc.array(mail, { minLength: 1, maxLength: 4 });
const lineEnd = fc.constantFrom("\n", "\r\n");
const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 4 });

async function split(mailbox: string, cut: readonly number[]): Promise<string[]> {
  const bytes = Buffer.from(mailbox, "latin1");
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = cut[i % cut.length] ?? 1;
      yield new Uint8Array(bytes.subarray(at, at + size));
      at += size;
    }
  }
  const found: string[] = [];
  for await (const one of splitMailbox(pieces())) found.push(Buffer.from(one.bytes).toString("latin1"));
  return found;
}

it("in mbox, with lines quoted that look like separators", async () => {
  await fc.assert(
    fc.asyncProperty(mails, lineEnd, cuts, async (given, end, cut) => {
      const ended = (text: string): string => text.replaceAll("\n", end);
      const written = given.map(
        (one) => `From a@b.example Sat Jan  3 01:05:34 1996\n${one.replaceAll(/^(>*From )/gm, ">$1")}\n`,
      );
      expect(await split(ended(written.join("")), cut)).toEqual(given.map((one) => ended(`${one}\n`)));
    }),
    { numRuns: 500 },
  );
});

it("in MMDF, between its separator lines", async () => {
  const plain = fc.array(
    mail.filter((one) => !/\u0001|^>*From /m.test(one)),
    { minLength: 1, maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(plain, lineEnd, cuts, async (given, end, cut) => {
      const mark = "\u0001\u0001\u0001\u0001\n";
      const written = given.map((one) => mark + one + mark).join("");
      expect(await split(written.replaceAll("\n", end), cut)).toEqual(given.map((one) => one.replaceAll("\n", end)));
    }),
    { numRuns: 300 },
  );
});
