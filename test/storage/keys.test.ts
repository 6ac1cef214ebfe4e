import { describe, expect, it } from "vitest";
import {
  buildRawMetadata,
  datedId,
  dayOfRawKey,
  dayRange,
  daysOfPrefix,
  fileNameForAddress,
  isDatedId,
  isoDate,
  parseRawMetadata,
  rawKey,
  safeFileName,
} from "../../shared/storage.ts";
import fc from "../support/properties.ts";

const SHA = "a".repeat(64);
const NOON = Date.UTC(2026, 10, 20, 12) / 1000;

describe("raw keys", () => {
  it("contain the day, the content hash and the name", () => {
    expect(rawKey(NOON, SHA, "google.com!acme.example!1!2.zip")).toBe(
      `raw/2026/11/20/${SHA}/google.com!acme.example!1!2.zip`,
    );
    expect(dayOfRawKey(rawKey(NOON, SHA, "a"))).toBe("2026/11/20");
    expect(dayOfRawKey("raw/2026/11/20/short/a")).toBeUndefined();
    expect(dayOfRawKey("dead-letters/2026/11/20/a")).toBeUndefined();
  });

  it.each([
    ["../../etc/passwd", "passwd"],
    ["C:\\reports\\a.zip", "a.zip"],
    ["", "unnamed"],
    ["...", "unnamed"],
    [".hidden", "hidden"],
    ["über straße.xml", "u_ber_stra_e.xml"],
    ["a\u0000b\r\nc.xml", "a_b_c.xml"],
    ["\u202egnp.xml", "gnp.xml"],
    ["报告.xml.gz", "xml.gz"],
    [`${"x".repeat(300)}.xml.gz`, `${"x".repeat(193)}.xml.gz`],
  ])("make %j safe: %s", (name, safe) => {
    expect(safeFileName(name)).toBe(safe);
  });

  it("are safe and short for any name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (name) => {
        const key = rawKey(NOON, SHA, fileNameForAddress(SHA, name));
        expect(key).toMatch(/^raw\/2026\/11\/20\/a{64}\/[A-Za-z0-9][A-Za-z0-9._!@=+-]*$/);
        expect(key.length).toBeLessThan(400);
      }),
    );
  });
});

describe("days", () => {
  const keys = ["2026/11/19", "2026/11/20", "2026/11/21"].map((day) => `raw/${day}/x`);

  it.each([
    [{}, 3],
    [{ since: "2026-11-20" }, 2],
    [{ until: "2026-11-20" }, 2],
    [{ since: "2026-11-20", until: "2026-11-20" }, 1],
    [{ since: "2026-11-22" }, 0],
  ])("%j covers %i of three", (days, count) => {
    const { after, before } = dayRange("raw/", days);
    expect(keys.filter((key) => key > after && key < before)).toHaveLength(count);
  });

  it.each([
    ["raw/2024/", "2024-01-01", "2024-12-31"],
    ["raw/2024/02/", "2024-02-01", "2024-02-29"],
    ["raw/2024/12/", "2024-12-01", "2024-12-31"],
    ["raw/2024/12/31/", "2024-12-31", "2024-12-31"],
  ])("of keys below %s are from %s to %s", (prefix, first, last) => {
    const dayOf = (date: string): number => Date.parse(date) / 86_400_000;
    expect(daysOfPrefix(prefix)).toEqual({ firstDay: dayOf(first), lastDay: dayOf(last) });
  });

  it.each(["raw/2024", "raw/2024/1/", "raw/2024/12/31/a", "other/"])("of keys below %s are not known", (prefix) => {
    expect(daysOfPrefix(prefix)).toBeUndefined();
  });

  it.each([
    [-1, "1970-01-01"],
    [0, "1970-01-01"],
    [1e15, "9999-12-31"],
  ])("at %d seconds are %s", (seconds, day) => {
    expect(isoDate(seconds)).toBe(day);
  });
});

describe("ids of dead letters", () => {
  it("contain the day they are filed under", () => {
    const id = datedId("2026/11/20", SHA);
    expect(id).toBe(`20261120-${"a".repeat(24)}`);
  });

  it.each(["", "../raw/x", "20261120-xyz", `20261120-${"a".repeat(25)}`])("are not %j", (id) => {
    expect(isDatedId(id)).toBe(false);
  });
});

describe("metadata", () => {
  it("is stored in header-safe characters and read back unchanged", () => {
    const metadata = {
      rua: "dmarc+ü@acme.example",
      sender: "bounce=x@reporter.example",
      from: '"Röporter" <noreply@reporter.example>',
      subject: "Report domain: acme.example\r\n folded",
      messageId: "<1@reporter.example>",
      receivedSeconds: NOON,
      fileName: "Bericht für acme\r\nX-Evil: 1.zip",
      mimeType: 'application/zip; name="ü"',
      tlsReportDomain: "acme.example",
      objectsOfMail: 3,
      passedOver: { text: 2, resource_fork: 1 },
      authentication: "expected results dmarc=pass/reporter.example",
      importedFrom: "archive/2025/Bericht ü.zip",
    };
    const stored = buildRawMetadata(metadata);
    expect(Object.values(stored).join("")).toMatch(/^[\x21-\x7e]*$/);
    expect(parseRawMetadata(stored)).toEqual(metadata);
  });

  it("fits R2 for any text, cut at character boundaries", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 3000 }), (text) => {
        const stored = buildRawMetadata({
          rua: text,
          sender: text,
          from: text,
          subject: text,
          messageId: text,
          receivedSeconds: 1,
          fileName: text,
          mimeType: text,
          tlsReportDomain: text,
          objectsOfMail: 50,
          passedOver: {},
          authentication: "é".repeat(5000),
          importedFrom: text,
        });
        const bytes = Object.entries(stored).flat().join("").length;
        expect(bytes).toBeLessThan(8192);
        expect(text.toWellFormed().startsWith(parseRawMetadata(stored).fileName)).toBe(true);
      }),
    );
  });

  it("is empty if it is missing", () => {
    expect(parseRawMetadata(undefined)).toEqual({
      rua: "",
      sender: "",
      from: "",
      subject: "",
      messageId: "",
      receivedSeconds: 0,
      fileName: "",
      mimeType: "",
      tlsReportDomain: "",
      objectsOfMail: 1,
      passedOver: {},
      authentication: "",
      importedFrom: "",
    });
    expect(parseRawMetadata({ received: "never" }).receivedSeconds).toBe(0);
    expect(parseRawMetadata({ rua: "a@b.example", sender: "c@d.example" })).toMatchObject({
      sender: "c@d.example",
      from: "",
    });
  });
});
