/** Domain names as people type and see them. */
import { describe, expect, it } from "vitest";
import { readDomainName } from "../../shared/domain-name.ts";
import { normalizeRua, RegistryValueError, ruaCandidates, validRegistration } from "../../shared/registry.ts";
import { shownName, withBothForms } from "../../shared/unicode-name.ts";
import { cpuTimer } from "../support/cpu-time.ts";

const IDN = "xn--bcher-kva.example";

describe("a typed domain name", () => {
  it.each([
    ["Example.COM.", "example.com"],
    ["  bücher.example ", IDN],
    ["XN--BCHER-KVA.example", IDN],
    ["_x.acme.example", "_x.acme.example"],
    ["日本語。jp", "xn--wgv71a119e.jp"],
  ])("%j is %j", (typed, name) => expect(readDomainName(typed)).toEqual({ ok: true, value: { name } }));

  it.each([
    ["https://www.example.com/path?q=1", "example.com"],
    ["http://user:secret@mail.example:8443/", "mail.example"],
    ["HTTPS://Bücher.example", IDN],
    ["example.com/contact", "example.com"],
    ["example.com:25", "example.com"],
    ["dmarc@example.com", "example.com"],
    ["mailto:dmarc@Bücher.example", IDN],
    ["Reports <dmarc@example.com>", "example.com"],
    ["_dmarc.example.com", "example.com"],
    ["//m\u00fcller.example/path", "xn--mller-kva.example"],
    ["https://M\u00fcller.example/path", "xn--mller-kva.example"],
  ])("%j is read as %j with a note", (typed, name) =>
    expect(readDomainName(typed)).toEqual({ ok: true, value: { name, takenFrom: typed } }),
  );

  it.each([
    ["", "it is empty"],
    ["https://", "it is empty"],
    ["not a domain", "letters, digits, hyphens"],
    ["*.example.com", "leave out the *"],
    ["exa$mple.com", "letters, digits, hyphens"],
    ["example", "one label"],
    ["example..com", "an empty part"],
    [".example.com", "an empty part"],
    ["-a.example", "hyphen"],
    ["a-.example", "hyphen"],
    ["192.0.2.1", "IP address"],
    ["https://192.0.2.1/", "IP address"],
    ["[2001:db8::1]", "letters, digits, hyphens"],
    [`${"a".repeat(64)}.example`, "63 characters"],
    [`${"a.".repeat(130)}example`, "253 characters"],
    ["xn--a.example", "not valid"],
  ])("%j is refused: %s", (typed, reason) => {
    const read = readDomainName(typed);
    expect(read).toMatchObject({ ok: false, error: expect.stringContaining("is not a domain name: ") });
    expect(read).toMatchObject({ ok: false, error: expect.stringContaining(reason) });
  });

  it("is read in linear time", () => {
    const took = cpuTimer();
    for (const piece of ["@", "a@", "://", ":1", "<", "xn--", ".", "ü"]) readDomainName(piece.repeat(100_000));
    expect(took()).toBeLessThan(2000);
  });
});

describe("the registry", () => {
  it("keeps each domain once as A-labels, and explains a refusal", () => {
    const domains = ["Bücher.example", IDN, "https://acme.example/"];
    expect(validRegistration("a@b.example", { account: "acme", domains })).toEqual({
      rua: "a@b.example",
      entry: { account: "acme", domains: [IDN, "acme.example"] },
    });
    expect(() => validRegistration("a@b.example", { account: "acme", domains: ["acme example"] })).toThrow(
      new RegistryValueError(
        "'acme example' is not a domain name: a label has letters, digits, hyphens and underscores only.",
      ),
    );
  });

  it("knows an address by its A-labels, with a local part of any script in one form", () => {
    expect(normalizeRua("<DMARC@Bücher.example>")).toBe(`dmarc@${IDN}`);
    expect(normalizeRua("mailto:dmarc@example.com.")).toBe("dmarc@example.com");
    expect(normalizeRua("berichte-für@bücher.example")).toBe(normalizeRua("berichte-fu\u0308r@bu\u0308cher.example"));
    expect(ruaCandidates("reports+x@BÜCHER.example")).toEqual([`reports+x@${IDN}`, `reports@${IDN}`]);
  });
});

describe("a displayed name", () => {
  it.each([
    [IDN, "bücher.example", IDN],
    ["bücher.example", "bücher.example", IDN],
    ["_dmarc.xn--bcher-kva.example", "_dmarc.bücher.example", "_dmarc.xn--bcher-kva.example"],
    ["xn--wgv71a119e.jp", "日本語.jp", "xn--wgv71a119e.jp"],
    ["xn--e1afmkfd.example", "пример.example", "xn--e1afmkfd.example"],
    ["xn--mgbh0fb.example", "مثال.example", "xn--mgbh0fb.example"],
    [`dmarc@${IDN}`, "dmarc@bücher.example", `dmarc@${IDN}`],
  ])("%s starts with its letters: %s", (name, first, beside) => expect(shownName(name)).toEqual({ first, beside }));

  it.each([
    ["Latin and Cyrillic in one label", "xn--pypal-4ve.com", "p\u0430ypal.com"],
    ["nothing but Cyrillic that looks Latin", "xn--80ak6aa92e.com", "\u0430\u0440\u0440\u04cf\u0435.com"],
    ["signs no name is made of", "xn--ls8h.example", "\u{1f4a9}.example"],
  ])("%s starts with its A-labels", (_, name, beside) => expect(shownName(name)).toEqual({ first: name, beside }));

  it.each([
    ["example.com"],
    ["xn--a.example"],
    ["xn--"],
    ["no name: xn--bcher-kva.example"],
    // Spells "example" itself: a name that is written so is no name.
    ["xn--example-.com"],
    [""],
  ])("%j has one form", (text) => expect(shownName(text)).toBeUndefined());

  it("in a text has both forms, and the rest of the text is unchanged", () => {
    expect(withBothForms(`Reports about ${IDN}, 2026`)).toBe(`Reports about bücher.example (${IDN}), 2026`);
    expect(withBothForms("Reports about xn--a.example")).toBe("Reports about xn--a.example");
  });
});
