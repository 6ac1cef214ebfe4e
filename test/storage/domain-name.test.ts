import { describe, expect, it } from "vitest";
import { domainName, domainOfAddress, readDomainName } from "../../shared/domain-name.ts";
import { acceptsDomain } from "../../shared/registry.ts";

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
  ])("is taken out of %j", (text, name) => {
    expect(readDomainName(text)).toMatchObject({ ok: true, value: { name, takenFrom: text } });
  });

  it.each(["*.example.com", "example.com, example.net", "192.0.2.1", "localhost", "_dmarc", "xn--zz.example"])(
    "is not %j",
    (text) => {
      expect(readDomainName(text).ok).toBe(false);
    },
  );
});
