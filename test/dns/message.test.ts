/** DNS messages, against another implementation: it reads our questions, and we read its answers. */
import { type Answer, AUTHENTIC_DATA, CHECKING_DISABLED, decode, encode, RECURSION_DESIRED } from "dns-packet";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeQuestion, readMessage } from "../../shared/dns/message.ts";
import type { RecordType } from "../../shared/dns/resolver.ts";

function answer(answers: Answer[], flags = 0): Uint8Array {
  return encode({ type: "response", id: 0, flags, questions: [{ name: "q.example", type: "TXT" }], answers });
}

describe("a question", () => {
  it.each<RecordType>(["TXT", "MX", "CNAME", "A", "AAAA", "NS", "PTR", "TLSA"])("of type %s", (type) => {
    const read = decode(Buffer.from(encodeQuestion("_dmarc.Example.com", type, false)));
    expect(read.questions).toEqual([{ name: "_dmarc.Example.com", type, class: "IN" }]);
    expect([read.type, read.id, read.flags]).toEqual(["query", 0, RECURSION_DESIRED | AUTHENTIC_DATA]);
    const unchecked = decode(Buffer.from(encodeQuestion("example.com", type, true)));
    expect(unchecked.flags).toBe(RECURSION_DESIRED | AUTHENTIC_DATA | CHECKING_DISABLED);
  });

  it.each([
    ["nothing", ""],
    ["an empty label", "a..example"],
    ["a dot at its end", "example."],
    ["a long label", `${"a".repeat(64)}.example`],
    ["a long name", `${"a23456789.".repeat(25)}example`],
    ["a character that is no octet", "b\u0142.example"],
  ])("is not asked about %s", (_, name) => {
    expect(() => encodeQuestion(name, "TXT", false)).toThrow(RangeError);
  });
});

describe("an answer", () => {
  it("has the records of the type asked for, and the shortest time that they may be kept", () => {
    const bytes = answer([
      { type: "CNAME", name: "q.example", ttl: 5, data: "r.example" },
      { type: "TXT", name: "r.example", ttl: 600, data: ["v=DKIM1; ", "p=abc"] },
      { type: "TXT", name: "r.example", ttl: 300, data: "two" },
    ]);
    expect(readMessage(bytes, "TXT")).toEqual({
      code: 0,
      isTruncated: false,
      isAuthenticated: false,
      records: ["v=DKIM1; p=abc", "two"],
      ttlSeconds: 300,
    });
    expect(readMessage(bytes, "CNAME").records).toEqual(["r.example"]);
    expect(readMessage(bytes, "MX")).toMatchObject({ records: [], ttlSeconds: 0 });
  });

  it.each<[string, Answer, RecordType, string]>([
    ["an address", { type: "A", name: "q.example", data: "192.0.2.1" }, "A", "192.0.2.1"],
    ["one of IPv6", { type: "AAAA", name: "q.example", data: "2001:DB8:0:0:1:0:0:25" }, "AAAA", "2001:db8::1:0:0:25"],
    [
      "a mail host",
      { type: "MX", name: "q.example", data: { preference: 10, exchange: "MX.example" } },
      "MX",
      "10 MX.example",
    ],
    ["a null MX", { type: "MX", name: "q.example", data: { preference: 0, exchange: "." } }, "MX", "0 ."],
    ["a name", { type: "PTR", name: "q.example", data: "a.b.example" }, "PTR", "a.b.example"],
    [
      "a certificate",
      {
        type: "TLSA",
        name: "q.example",
        data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from("00ab", "hex") },
      },
      "TLSA",
      "3 1 1 00ab",
    ],
    ["UTF-8", { type: "TXT", name: "q.example", data: "b\u00fccher" }, "TXT", "b\u00fccher"],
    [
      "octets that are no UTF-8",
      { type: "TXT", name: "q.example", data: Buffer.from([0x62, 0xfc, 0x63]) },
      "TXT",
      "b\u00fcc",
    ],
    [
      "a character cut between two strings",
      { type: "TXT", name: "q.example", data: [Buffer.from([0x62, 0xc3]), Buffer.from([0xbc])] },
      "TXT",
      "b\u00fc",
    ],
    ["a byte order mark", { type: "TXT", name: "q.example", data: "\ufeffx" }, "TXT", "\ufeffx"],
    ["an empty text", { type: "TXT", name: "q.example", data: "" }, "TXT", ""],
  ])("with %s", (_, record, type, text) => {
    expect(readMessage(answer([record]), type).records).toEqual([text]);
  });

  it("may point to names that stand before, and never in circles", () => {
    const header = [0, 0, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    const fixed = [0, 5, 0, 1, 0, 0, 0, 9];
    // mx.example at 12, whose data is a label and a pointer to "example" at 15.
    const name = [2, 0x6d, 0x78, 7, ...Buffer.from("example"), 0];
    const pointing = new Uint8Array([...header, ...name, ...fixed, 0, 4, 1, 0x61, 0xc0, 15]);
    expect(readMessage(pointing, "CNAME").records).toEqual(["a.example"]);
    const circle = new Uint8Array([...header, ...name, ...fixed, 0, 2, 0xc0, 34]);
    expect(() => readMessage(circle, "CNAME")).toThrow(RangeError);
  });

  it("that is cut anywhere, or is a question, is none", () => {
    const whole = answer([{ type: "TXT", name: "q.example", ttl: 1, data: ["one", "two"] }]);
    for (let length = 0; length < whole.length; length++) {
      expect(() => readMessage(whole.subarray(0, length), "TXT")).toThrow(RangeError);
    }
    expect(() => readMessage(encodeQuestion("q.example", "TXT", false), "TXT")).toThrow(RangeError);
  });

  it("is read, or refused at once, whatever it is made of", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
        const bytes = new Uint8Array([0, 0, 0x80, 0, 0, 1, 0, 3, 0, 0, 0, 0, ...tail]);
        try {
          expect(readMessage(bytes, "TXT").records.length).toBeLessThan(4);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
