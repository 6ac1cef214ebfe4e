import { describe, expect, it } from "vitest";
import {
  effectivePolicy,
  isDmarcRecord,
  mailtoUri,
  mistakenRecord,
  POLICIES,
  type Policy,
  readDmarcRecord,
  readReportUris,
} from "../../shared/guidance/dmarc-record.ts";
import { repairedDmarc } from "../../shared/guidance/dmarc-repair.ts";
import { NOTHING_PUBLISHED, type Published, recordsToPublish } from "../../shared/guidance/records-to-publish.ts";
import { quotedTxt } from "../../shared/guidance/txt-strings.ts";
import fc from "../support/properties.ts";

function values(domain: string, rua: string): string[] {
  return recordsToPublish(domain, rua).map(({ name, value }) => `${name} ${value}`);
}

function amend(published: Partial<Published>, domain = "shop.example") {
  return recordsToPublish(domain, "new@shop.example", { ...NOTHING_PUBLISHED, ...published });
}

it("an address of another organization needs the record and a permission record", () => {
  expect(values("shop.example", "k7f3@rua.provider.example")).toEqual([
    "_dmarc.shop.example v=DMARC1; p=none; rua=mailto:k7f3@rua.provider.example",
    "shop.example._report._dmarc.rua.provider.example v=DMARC1;",
    "_smtp._tls.shop.example v=TLSRPTv1; rua=mailto:k7f3@rua.provider.example",
  ]);
});

it("the record with an address is read as that address, whatever its local part is, and has no mistake", () => {
  const signs = ["mailto:", "mailto=", "MAILTO:", "//", "a", "!10m", "?", ";", ",", " ", "%40", "@", "p=none", "rua="];
  const pieces = fc.constantFrom(...signs, "<", ">", '"', "ä", ".", "=", ":", "-", "&nbsp;", "#", "\\;", "\uff1d");
  const locals = fc.array(pieces, { minLength: 1, maxLength: 5 }).map((some) => some.join(""));
  fc.assert(
    fc.property(locals, (local) => {
      const text = `v=DMARC1; p=none; rua=${mailtoUri(`${local}@a.example`)}`;
      expect(readReportUris(text.slice(text.indexOf("mailto")))).toMatchObject([{ address: `${local}@a.example` }]);
      expect(readDmarcRecord(text).malformed).toEqual([]);
      expect(repairedDmarc(text)).toBe(text);
    }),
    { numRuns: 1000 },
  );
});

it("an address of the same organization needs no permission record", () => {
  expect(values("mail.shop.example", "dmarc@shop.example").filter((line) => line.includes("_report"))).toEqual([]);
});

it.each([
  ["v=DMARC1; p=reject; sp=none", "v=DMARC1; p=reject; sp=none; rua=mailto:new@shop.example"],
  ["v=DMARC1;p=none;rua=mailto:a@b.example;", "v=DMARC1; p=none; rua=mailto:a@b.example,mailto:new@shop.example"],
  ["v=DMARC1; p=none; rua=mailto:NEW@shop.example", "v=DMARC1; p=none; rua=mailto:NEW@shop.example"],
  ["v=DMARC1; p=reject; psd=n; t=y", "v=DMARC1; p=reject; psd=n; t=y; rua=mailto:new@shop.example"],
  ["V=DMARC1 ;p = reject", "v=DMARC1; p=reject; rua=mailto:new@shop.example"],
  ["v=DMARC1; p=none; rua=", "v=DMARC1; p=none; rua=mailto:new@shop.example"],
  [
    "v=DMARC1; p=none; rua=; rua=mailto:a@b.example",
    "v=DMARC1; p=none; rua=mailto:a@b.example,mailto:new@shop.example",
  ],
  [
    "v=DMARC1; p=none; rua=mailto:a@b.example!10m; p=reject; rua=mailto:c@d.example",
    "v=DMARC1; p=none; rua=mailto:a@b.example!10m,mailto:c@d.example,mailto:new@shop.example",
  ],
])("an existing record is extended: %s", (published, expected) => {
  const [record] = amend({ dmarc: [published] });
  expect(record?.value).toBe(expected);
});

it("characters with a meaning in the record are encoded", () => {
  const [record] = recordsToPublish("shop.example", "a,b!c@shop.example");
  expect(readDmarcRecord(record?.value ?? "").rua[0]?.address).toBe("a,b!c@shop.example");
});

it("a third address comes with a warning that receivers may leave it out", () => {
  const two = "v=DMARC1; p=none; rua=mailto:a@b.example,mailto:c@d.example";
  const [record] = amend({ dmarc: [two] });
  expect(record?.value).toBe(`${two},mailto:new@shop.example`);
  expect(record?.sentence).toContain("names 3 addresses, and some receivers send to the first 2 only (RFC 7489");
  const [second] = amend({ dmarc: ["v=DMARC1; p=none; rua=mailto:a@b.example"] });
  expect(second?.sentence).toBe("The record that is there, with this address added.");
});

it("several records become one, and one that receivers ignore is written as it was meant", () => {
  const [several] = amend({ dmarc: ["v=DMARC1; p=reject", "v=DMARC1; p=none"] });
  expect(several?.value).toBe("v=DMARC1; p=reject; rua=mailto:new@shop.example");
  expect(several?.sentence).toContain("In place of all 2 DMARC records that are there");
  const [escaped] = amend({ dmarc: ["v=DMARC1\\; p=reject", "other=1"] });
  expect(escaped?.value).toBe("v=DMARC1; p=reject; rua=mailto:new@shop.example");
  expect(escaped?.sentence).toContain("which receivers ignore: it has \\; instead of ;.");
});

it("a subdomain keeps the policy that applies to it by the record above", () => {
  const inherited = { policy: "reject", from: "shop.example" } as const;
  const [record] = amend({ inherited }, "mail.shop.example");
  expect(record?.value).toBe("v=DMARC1; p=reject; rua=mailto:new@shop.example");
  expect(record?.sentence).toContain("keeps the policy that applies now, from shop.example");
});

it("where DNS gave no answer nothing is said to be missing", () => {
  const [record, tls] = amend({ dmarc: undefined, tls: undefined });
  expect(record?.sentence).toContain(
    "If there is a record at _dmarc.shop.example, add the address to its rua instead.",
  );
  expect(tls?.sentence).toContain("DNS gave no answer on whether there is one already");
});

it("an alias is changed where it leads to", () => {
  const [record] = amend({ dmarc: ["v=DMARC1; p=reject"], alias: "shop.hosted.example" });
  expect(record?.sentence).toContain(
    "_dmarc.shop.example is an alias (CNAME) of shop.hosted.example: change the record",
  );
});

it.each([
  ["v=TLSRPTv1; rua=mailto:a@b.example", "v=TLSRPTv1; rua=mailto:a@b.example,mailto:new@shop.example"],
  ["v=TLSRPTv1;rua=mailto:New@shop.example;", "v=TLSRPTv1;rua=mailto:New@shop.example;"],
  ["v=TLSRPTv1; rua=", "v=TLSRPTv1; rua=mailto:new@shop.example"],
])("an existing record of TLS reports is extended, since two are none: %s", (published, expected) => {
  expect(amend({ tls: [published] }).at(-1)?.value).toBe(expected);
});

it("a public suffix and a mailbox provider's domain are not the person's", () => {
  expect(amend({}, "co.uk")[0]?.sentence).toContain("co.uk is a public suffix");
  expect(amend({}, "github.io")[0]?.sentence).toContain("github.io is a public suffix");
  expect(amend({}, "gmail.com")[0]?.sentence).toContain("gmail.com belongs to Gmail");
  expect(amend({}, "shop.example")[0]?.sentence).not.toMatch(/suffix|belongs/);
  expect(amend({}, "mail.shop.co.uk")[0]?.sentence).not.toMatch(/suffix|belongs/);
});

it("a website's name is asked about, and a record that needs several strings says how it is entered", () => {
  expect(amend({}, "www.shop.example")[0]?.sentence).toContain("Did you mean shop.example, whose record holds");
  expect(amend({}, "www.co.uk")[0]?.sentence).not.toContain("Did you mean co.uk");
  const long = `v=DMARC1; p=none; rua=${Array.from({ length: 8 }, (_, index) => `mailto:reports${index}@shop.example`).join(",")}`;
  expect(amend({ dmarc: [long] })[0]?.sentence).toContain("enter it as several quoted strings");
  expect(amend({})[0]?.sentence).not.toContain("quoted strings");
});

/** The amended record for `new@shop.example`. */
function amendedValue(published: string): string {
  return amend({ dmarc: [published] })[0]?.value ?? "";
}

it.each([
  // Valid ones: only the address is added.
  ["v=DMARC1;p=none", "v=DMARC1; p=none"],
  ["v=DMARC1; p=none;", "v=DMARC1; p=none"],
  ["v=DMARC1; p=NONE", "v=DMARC1; p=NONE"],
  ["v=DMARC1;;p=none;;", "v=DMARC1; p=none"],
  ["v=DMARC1;\tp=none;\tsp=reject", "v=DMARC1; p=none; sp=reject"],
  ["v=DMARC1; sp=none; p=reject", "v=DMARC1; sp=none; p=reject"],
  ["v=DMARC1; p=reject; np=reject; sp=quarantine", "v=DMARC1; p=reject; np=reject; sp=quarantine"],
  ["v=DMARC1; p=quarantine; pct=20", "v=DMARC1; p=quarantine; pct=20"],
  ["v=DMARC1; p=reject; t=y", "v=DMARC1; p=reject; t=y"],
  ["v=DMARC1; p=reject; adkim=s; aspf=s", "v=DMARC1; p=reject; adkim=s; aspf=s"],
  ["v=DMARC1; p=none; fo=1:d:s; ruf=mailto:f@b.example", "v=DMARC1; p=none; fo=1:d:s; ruf=mailto:f@b.example"],
  ["v=DMARC1; p=none; rf=afrf; ri=3600", "v=DMARC1; p=none; rf=afrf; ri=3600"],
  ["v=DMARC1; p=none; psd=n", "v=DMARC1; p=none; psd=n"],
  ["v=DMARC1; p=none; x-owner=it", "v=DMARC1; p=none; x-owner=it"],
  ["v=DMARC1; p=none; note=two words = fine", "v=DMARC1; p=none; note=two words = fine"],
  ["v=DMARC1; p=none; constructor=x", "v=DMARC1; p=none; constructor=x"],
  ["v=DMARC1; p=none; _x=1", "v=DMARC1; p=none"],
  // Mistakes that are set right.
  ["v=DMARC1; p=none; p=reject", "v=DMARC1; p=none"],
  ["v=DMARC1; p:none", "v=DMARC1; p=none"],
  ["v=DMARC1; p=none sp=reject", "v=DMARC1; p=none; sp=reject"],
  ["v=DMARC1; p=none, sp=reject", "v=DMARC1; p=none; sp=reject"],
  ['v=DMARC1; p="none"', "v=DMARC1; p=none"],
  ["v=DMARC1; p=none\r\n", "v=DMARC1; p=none"],
  ["v=DMARC1;\u00a0p=none", "v=DMARC1; p=none"],
  ["v=DMARC1; p=none; oops", "v=DMARC1; p=none"],
  ["v=dmarc1; p=none", "v=DMARC1; p=none"],
  [" v=DMARC1; p=none", "v=DMARC1; p=none"],
  ['"v=DMARC1; p=none"', "v=DMARC1; p=none"],
  ["v=DMARC1 p=none", "v=DMARC1; p=none"],
  ["v=DMARC1, p=none", "v=DMARC1; p=none"],
  ["p=none; v=DMARC1", "v=DMARC1; p=none"],
  ["v=DMARC1; p = = none", "v=DMARC1; p=none"],
  ["v=DMARC1; p=none; note＝\r\n=x", "v=DMARC1; p=none; note=x"],
  ["v=DMARC1 policy=none P=None", "v=DMARC1; p=none"],
  ["v=DMARC1 rua= = p=none", "v=DMARC1; p=none"],
  ["v=DMARC1\\; p=none\\;", "v=DMARC1; p=none"],
  // What nobody can set right stays, so that nothing of it is lost, and is named.
  ["v=DMARC1; p=none; sp=blok", "v=DMARC1; p=none; sp=blok"],
  ["v=DMARC1; p=monitor", "v=DMARC1; p=monitor"],
  ["v=DMARC1; p=none; adkim=strict", "v=DMARC1; p=none; adkim=strict"],
  ["v=DMARC1; p=none; pct=half", "v=DMARC1; p=none; pct=half"],
])("adds the address to %j, which stays %j", (published, kept) => {
  expect(amendedValue(published)).toBe(`${kept}; rua=mailto:new@shop.example`);
});

it.each([
  ["mailto:a@b.example", "mailto:a@b.example"],
  ["mailto:a@b.example,", "mailto:a@b.example"],
  [" ,=,mailto:a@b.example", "mailto:a@b.example"],
  [",mailto:a@b.example", "mailto:a@b.example"],
  ["mailto:a@b.example , mailto:c@b.example", "mailto:a@b.example,mailto:c@b.example"],
  ["mailto:a@b.example mailto:c@b.example", "mailto:a@b.example,mailto:c@b.example"],
  ["mailto:a@b.example;mailto:c@b.example", "mailto:a@b.example,mailto:c@b.example"],
  ["mailto:a@b.example,mailto:a@b.example", "mailto:a@b.example"],
  ["mailto:a@b.example!10m", "mailto:a@b.example!10m"],
  ["mailto:a@b.example!10mb", "mailto:a@b.example"],
  ["mailto: a@b.example", "mailto:a@b.example"],
  ["mailto://a@b.example", "mailto:a@b.example"],
  ["mailto:<a@b.example>", "mailto:a@b.example"],
  ["a@b.example", "mailto:a@b.example"],
  ['"mailto:a@b.example"', "mailto:a@b.example"],
  ["MAILTO:A@B.example", "MAILTO:A@B.example"],
  ["mailto:a%2Cb@b.example", "mailto:a%2Cb@b.example"],
  ["mailto:a@b.example?subject=x", "mailto:a@b.example?subject=x"],
  ["https://b.example/rua", "https://b.example/rua"],
  ["https://b.example/rua,mailto:a@b.example", "https://b.example/rua,mailto:a@b.example"],
  ["mailto:postmaster", "mailto:postmaster"],
])("adds the address behind those of rua=%s", (uris, kept) => {
  expect(amendedValue(`v=DMARC1; p=none; rua=${uris}`)).toBe(`v=DMARC1; p=none; rua=${kept},mailto:new@shop.example`);
});

it.each([
  "v=DMARC1;p=none;rua=mailto:a@b.example, mailto:new@shop.example",
  "v=DMARC1; p=none; rua=MAILTO:New@Shop.example; x=1",
  "v=DMARC1; p=none; rua=mailto:new@shop.example!10m;",
  "v=DMARC1; rua=mailto:new@shop.example; p=none; sp=blok",
])("leaves %s alone, which names the address", (published) => {
  expect(amend({ dmarc: [published] })[0]).toMatchObject({
    value: published,
    sentence: "Published: the DMARC record names this address.",
  });
});

it("says what it leaves out, what is to be corrected, and that receivers will begin to reject", () => {
  const said = (published: string) => amend({ dmarc: [published] })[0]?.sentence ?? "";
  expect(said("v=DMARC1; p=none; p=reject; oops")).toContain(
    "Left out, because receivers can't use it: p=reject; oops.",
  );
  expect(said("v=DMARC1; p=none; sp=blok")).toContain("Correct sp=blok, which is no valid value.");
  const begins = "with reject mail that fails is no longer delivered as before. Write p=none until";
  for (const ignored of ["v=dmarc1; p=reject", "v=DMARC1; p=reject; sp=", "v=DMARC1; p:reject", "p=reject; v=DMARC1"]) {
    expect(said(ignored)).toContain(begins);
  }
  expect(said("v=DMARC1; p=reject; adkim=x")).not.toContain(begins);
  expect(said("v=DMARC1; p=none; rua=mailto:new@shop.example; oops")).toContain("which names this address, set right");
});

it("a subdomain keeps strict alignment from above, and the sentence says that its reports no longer go to the addresses there", () => {
  const inherited = { policy: "reject", from: "shop.example", isStrictDkim: true, isStrictSpf: true } as const;
  const [record] = amend({ inherited }, "mail.shop.example");
  expect(record?.value).toBe("v=DMARC1; p=reject; adkim=s; aspf=s; rua=mailto:new@shop.example");
  expect(record?.sentence).toContain("no longer go to the addresses in the record of shop.example");
});

it("an address above a subdomain with the only record is permitted for those who follow RFC 9990", () => {
  const names = (organization: string | undefined) =>
    amend({ organization }, "mail.shop.example").map(({ name }) => name);
  expect(names("mail.shop.example")).toContain("mail.shop.example._report._dmarc.shop.example");
  expect(names("shop.example").filter((name) => name.includes("_report"))).toEqual([]);
  expect(names(undefined).filter((name) => name.includes("_report"))).toEqual([]);
});

it.each([
  [
    ["v=TLSRPTv1;rua=mailto:a@b.example;ext=1"],
    "v=TLSRPTv1; rua=mailto:a@b.example,mailto:new@shop.example; ext=1",
    "added",
  ],
  [
    ["v=TLSRPTv1; rua=https://b.example/tls,"],
    "v=TLSRPTv1; rua=https://b.example/tls,mailto:new@shop.example",
    "added",
  ],
  [
    ["v=TLSRPTv1; rua=mailto:a@b.example", "v=TLSRPTv1; rua=mailto:c@b.example"],
    "v=TLSRPTv1; rua=mailto:a@b.example,mailto:new@shop.example",
    "In place of all 2 records",
  ],
  [
    ["v=tlsrptv1; rua=mailto:a@b.example"],
    "v=TLSRPTv1; rua=mailto:new@shop.example",
    "In place of the record that is there",
  ],
])("a record of TLS reports keeps its other fields: %j", (tls, value, said) => {
  const record = amend({ tls }).at(-1);
  expect(record?.value).toBe(value);
  expect(record?.sentence).toContain(said);
});

describe("of any record", () => {
  const value = fc.stringMatching(/^[a-z0-9][a-z0-9:_.-]{0,30}$/);
  const policy = fc.constantFrom("none", "quarantine", "reject", "Reject");
  const tag = fc.oneof(
    fc.tuple(fc.constantFrom("p", "sp", "np"), fc.oneof(policy, value)),
    fc.tuple(fc.constantFrom("adkim", "aspf"), fc.constantFrom("r", "s", "x")),
    fc.tuple(fc.constant("t"), fc.constantFrom("y", "n")),
    fc.tuple(fc.constantFrom("pct", "ri", "fo", "note", "x-1", "extension"), value),
    fc.tuple(
      fc.constantFrom("rua", "ruf"),
      fc
        .array(fc.stringMatching(/^mailto:[a-z0-9+]{1,40}@[a-z0-9]{1,20}\.example(![0-9]{1,3}m)?$/), {
          minLength: 1,
          maxLength: 6,
        })
        .map((uris) => uris.join(",")),
    ),
  );
  const separator = fc.constantFrom(";", "; ", " ;", ";;", " ; ");
  const clean = fc.tuple(fc.uniqueArray(tag, { selector: ([name]) => name, maxLength: 8 }), separator);
  const odd = fc.constantFrom(
    "oops",
    "p",
    "=",
    "p=",
    "rua=",
    "p:reject",
    '"',
    "\u00a0",
    "\r\n",
    "\\;",
    "v=DMARC1",
    ",",
    "mailto:a@b.example",
  );
  const mistyped = fc.constantFrom(
    "constructor=x",
    "p=none",
    "P=None",
    "policy=none",
    "v = DMARC1",
    "a@b.example",
    "mailto:",
    "mailto://",
    "mailto:c@d.example!10mb",
    "<mailto:e@f.example>",
    "email=",
    "ruf=",
    "note=",
    ";",
    "; ",
    " ",
    "\t",
    "==",
    ":",
    "# note",
    "&nbsp;",
    "\uff1d",
    "\uff1b",
    "\u2013",
    "\u201c",
    "\u200b",
    "?",
    "@",
    ".",
    "\ud800",
  );
  const ugly = fc.tuple(
    fc.array(
      fc.oneof(
        tag.map(([name, text]) => `${name}=${text}`),
        odd,
      ),
      { maxLength: 8 },
    ),
    fc.constantFrom(";", "; ", " ", ", ", ";;"),
  );
  const textOf = (tags: readonly (readonly [string, string])[], between: string) =>
    ["v=DMARC1", ...tags.map(([name, text]) => `${name}=${text}`)].join(between);

  it("keeps every tag and changes rua alone", () => {
    fc.assert(
      fc.property(clean, ([tags, between]) => {
        const before = readDmarcRecord(textOf(tags, between));
        const after = readDmarcRecord(amendedValue(before.text));
        const others = (record: typeof before) => record.tags.filter(({ name }) => name !== "rua");
        expect(others(after)).toEqual(others(before));
        const uris = [...new Set(before.rua.map(({ text }) => text))];
        expect(after.rua.map(({ text }) => text)).toEqual([...uris, "mailto:new@shop.example"]);
        expect(after.malformed).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("names the address, has no tag twice, stays as it is when amended again, and fits the strings of a zone file", () => {
    fc.assert(
      fc.property(ugly, ([parts, between]) => {
        const published = ["v=DMARC1", ...parts].join(between);
        const [record] = amend({ dmarc: [published] });
        const text = record?.value ?? "";
        const read = readDmarcRecord(text);
        expect(isDmarcRecord(text)).toBe(true);
        expect(read.rua.map(({ address }) => address)).toContain("new@shop.example");
        expect(read.tags.filter(({ standing, value: one }) => standing === "repeated" || one === "")).toEqual([]);
        expect(read.malformed).toEqual([]);
        const [again] = amend({ dmarc: [text] });
        expect(again).toMatchObject({ value: text, sentence: "Published: the DMARC record names this address." });
        const strings = [...quotedTxt(text).matchAll(/"((?:[^"\\]|\\.)*)"(?: |$)/g)].map(([, one = ""]) =>
          one.replaceAll(/\\(.)/g, "$1"),
        );
        expect(strings.join("")).toBe(text);
        expect(strings.every((one) => Buffer.byteLength(one) <= 255)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("is repaired as well as it can be at once, however it is mistyped", () => {
    const typed = fc
      .array(fc.oneof(odd, mistyped), { maxLength: 14 })
      .chain((parts) => fc.constantFrom("v=DMARC1; ", "v=DMARC1 ", "v=DMARC1", "").map((v) => v + parts.join("")));
    fc.assert(
      fc.property(typed, (published) => {
        const repaired = repairedDmarc(published);
        expect(repairedDmarc(repaired)).toBe(repaired);
        const amendedOnce = amendedValue(published);
        expect(amendedValue(amendedOnce)).toBe(amendedOnce);
        const meant = mistakenRecord(published)?.meant;
        if (meant === undefined) return;
        expect(isDmarcRecord(meant)).toBe(true);
        expect(repairedDmarc(meant)).toBe(meant);
      }),
      { numRuns: 1000 },
    );
  });

  it("names an address that begins with slashes", () => {
    const [record] = recordsToPublish("shop.example", "//@shop.example");
    expect(record?.value).toContain("rua=mailto:%2F%2F@shop.example");
    expect(readDmarcRecord(record?.value ?? "").rua.map(({ address }) => address)).toEqual(["//@shop.example"]);
  });

  it("names the address itself, whatever signs its local part has", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{1,40}$/), (local) => {
        const address = `${local}@shop.example`;
        const [record] = recordsToPublish("shop.example", address);
        const { rua, malformed } = readDmarcRecord(record?.value ?? "");
        expect(rua.map((uri) => uri.address)).toEqual([address]);
        expect(malformed).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("never makes receivers stricter without a word", () => {
    const rank = (policy: Policy | undefined) => POLICIES.indexOf(policy ?? "none");
    fc.assert(
      fc.property(ugly, ([parts, between]) => {
        const published = ["v=DMARC1", ...parts].join(between);
        const [record] = amend({ dmarc: [published] });
        const now = isDmarcRecord(published) ? effectivePolicy(readDmarcRecord(published), "domain") : undefined;
        const then = effectivePolicy(readDmarcRecord(record?.value ?? ""), "domain");
        expect(record?.sentence.includes("Its policy then holds")).toBe(rank(then) > rank(now));
      }),
      { numRuns: 500 },
    );
  });
});
