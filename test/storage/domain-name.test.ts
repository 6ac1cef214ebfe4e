import { describe, expect, it } from "vitest";
import { domainName, domainOfAddress, readDomainList, readDomainName } from "../../shared/domain-name.ts";
import { isPublicSuffix, organizationalDomain } from "../../shared/organizational-domain.ts";
import { acceptsDomain } from "../../shared/registry.ts";
import { toULabels } from "../../shared/u-labels.ts";
import { shownName } from "../../shared/unicode-name.ts";
import fc from "../support/properties.ts";

describe("a domain name", () => {
  it.each(["line1\nline2", "a\tb.example", "a b.example", "bü\ncher.example"])("is not read from %j", (text) => {
    expect(domainName(text)).toBe(text.toLowerCase());
  });

  it.each([
    ["ACME.Example.", "acme.example"],
    ["B\u00fccher.example", "xn--bcher-kva.example"],
    ["xn--bcher-kva.EXAMPLE", "xn--bcher-kva.example"],
    ["stra\u00dfe.de", "xn--strae-oqa.de"],
    ["\u65e5\u672c\u8a9e\u3002jp", "xn--wgv71a119e.jp"],
    ["_dmarc.b\u00fccher.example", "_dmarc.xn--bcher-kva.example"],
    ["", ""],
    // No names: left as they are, never read as a path, a port or an IPv4 address.
    ["b\u00fc/cher", "b\u00fc/cher"],
    ["b\u00fc:80", "b\u00fc:80"],
    ["\uff11.\uff12", "\uff11.\uff12"],
    ["a b", "a b"],
  ])("%j is compared as %j", (text, name) => {
    expect(domainName(text)).toBe(name);
  });

  it.each([
    ["dmarc@Reporter.Example", "reporter.example"],
    ["Reports <dmarc@reporter.example>", "reporter.example"],
    ["no address", ""],
  ])("is taken from the address %j as %j", (text, name) => {
    expect(domainOfAddress(text)).toBe(name);
  });

  it("matches an entry that lists it in another form", () => {
    const entry = { account: "acme", domains: ["b\u00fccher.example"] };
    expect(acceptsDomain(entry, "xn--bcher-kva.example")).toBe(true);
    expect(acceptsDomain(entry, "mail.xn--bcher-kva.example")).toBe(true);
    expect(acceptsDomain(entry, "notxn--bcher-kva.example")).toBe(false);
  });
});

describe("a typed domain", () => {
  it.each([
    ["https://m\u00fcnchen.example/path?x=1#y", "xn--mnchen-3ya.example"],
    ["http://user:pw@host.example:8080/", "host.example"],
    ["Name <a@b.example>", "b.example"],
    ["_dmarc.example.com", "example.com"],
    ["_mta-sts.example.com", "example.com"],
    ["_smtp._tls.example.com.", "example.com"],
    ["s1._domainkey.example.com", "example.com"],
    ["default._bimi.example.com", "example.com"],
    ["_dmarc._dmarc.example.com", "example.com"],
    // Of a website's address the domain is meant; www alone may be meant as it stands.
    ["https://www.example.com/", "example.com"],
    ["http://www.example.co.uk:8080", "example.co.uk"],
    ["https://www.com/", "www.com"],
    ['"example.com"', "example.com"],
    ["'example.com';", "example.com"],
    ["example.com,", "example.com"],
  ])("is taken out of %j", (text, name) => {
    expect(readDomainName(text)).toMatchObject({ ok: true, value: { name, takenFrom: text } });
  });

  it.each([
    ["*.example.com", "leave out the *, and name example.com itself."],
    ["example.com;example.net", "it holds several; put each on a line of its own."],
    ["example.com, example.net", "it holds several; put each on a line of its own."],
  ])("is not %j, and what is meant is said", (text, words) => {
    const read = readDomainName(text);
    expect(read.ok ? "" : read.error).toContain(words);
  });

  it("is kept as it stands where only www is before it", () => {
    expect(readDomainName("www.example.com")).toMatchObject({
      value: { name: "www.example.com", takenFrom: undefined },
    });
  });

  it.each(["*.example.com", "example.com, example.net", "192.0.2.1", "localhost", "_dmarc", "xn--zz.example"])(
    "is not %j",
    (text) => {
      expect(readDomainName(text).ok).toBe(false);
    },
  );
});

it("a list is read with comments, marks and several names a line; what is no name stays a separate line", () => {
  const text =
    '\ufeffa.example\r\n# one\r\n; two\n\nB.Example. # three\rc.example; "d.example",e.example\nName <f@g.example>\nno name\n*.h.example\n';
  expect(readDomainList(text)).toEqual([
    "a.example",
    "B.Example.",
    "c.example",
    '"d.example"',
    "e.example",
    "Name <f@g.example>",
    "no name",
    "*.h.example",
  ]);
});

describe("of any labels", () => {
  const label = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_]([A-Za-z0-9-]{0,8}[A-Za-z0-9])?$/),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 }),
    fc.constantFrom("_dmarc", "s._domainkey", "www", "co", "uk", "github", "io", "com"),
    fc.constantFrom(
      "b\u00fccher",
      "xn--bcher-kva",
      "\u7d44",
      "\u00df",
      "\u0130",
      "xn--zca",
      "e\u0301",
      "\uff11",
      "a\u200db",
    ),
  );
  const typed = fc
    .tuple(fc.array(label, { minLength: 1, maxLength: 5 }), fc.constantFrom("", ".", " "))
    .map(([labels, end]) => labels.join(".") + end);
  /** The names among what was typed, as they are read. */
  const name = typed
    .map((text) => readDomainName(text))
    .filter((read) => read.ok)
    .map((read) => read.value.name);

  it("a name that was read is read as itself, and so are its U-labels", () => {
    fc.assert(
      fc.property(name, (read) => {
        expect(domainName(read)).toBe(read);
        expect(readDomainName(read)).toEqual({ ok: true, value: { name: read, takenFrom: undefined } });
        expect(domainName(toULabels(read) ?? "none")).toBe(read);
        expect(domainOfAddress(`someone@${read}`)).toBe(read);
        expect(readDomainList(`${read}\n${read} ${read}`)).toEqual([read, read, read]);
        const shown = shownName(read);
        if (shown !== undefined) expect([domainName(shown.first), domainName(shown.beside)]).toEqual([read, read]);
      }),
      { numRuns: 2000 },
    );
  });

  it("an organizational domain is its own, and that of all names below it", () => {
    fc.assert(
      fc.property(name, (read) => {
        const organization = organizationalDomain(read);
        expect(`.${read}`.endsWith(`.${organization}`)).toBe(true);
        expect(organizationalDomain(organization)).toBe(organization);
        if (!isPublicSuffix(read)) expect(organizationalDomain(`mail.${read}`)).toBe(organization);
      }),
      { numRuns: 2000 },
    );
  });
});
