/** What the receiver of a mail wrote on top of it, as distinct from what a sender wrote (RFC 8601), and what is kept of it. */
import { describe, expect, it } from "vitest";
import {
  noteAuthentication,
  readAuthenticationNote,
  receiverResults,
} from "../../shared/authentication/authentication-results.ts";
import { fromDomain } from "../../shared/authentication/from-domain.ts";
import { AUTHENTICATION_LIMITS, STORAGE_LIMITS } from "../../shared/limits.ts";

const OURS = "mx.cloudflare.net";

/** What Email Routing puts on top, in its order. */
const STAMP = [
  "Received: from mail-1.reporter.example (192.0.2.1)",
  "        by cloudflare-email.net (cloudflare) id Abc123",
  "        for <dmarc@acme.example>; Sun, 14 Jun 2026 21:02:54 +0000",
  "ARC-Seal: i=1; a=rsa-sha256; s=cf2024-1; d=cloudflare-email.net; cv=none; b=AAAA;",
  "ARC-Message-Signature: i=1; a=rsa-sha256; s=cf2024-1; d=cloudflare-email.net; b=AAAA;",
  `ARC-Authentication-Results: i=1; ${OURS};`,
  "\tdkim=pass header.d=arc.example",
  `Received-SPF: pass (${OURS}: domain of a@reporter.example designates 192.0.2.1 as permitted sender)`,
  `\treceiver=${OURS}; client-ip=192.0.2.1;`,
];

const RESULTS = [
  `Authentication-Results: ${OURS};`,
  "\tdkim=pass header.d=reporter.example header.s=s1 header.b=L6CZ3OJ0;",
  "\tdmarc=pass header.from=reporter.example policy.dmarc=reject;",
  `\tspf=none (${OURS}: no SPF records found for postmaster@mail-1.reporter.example) smtp.helo=mail-1.reporter.example;`,
  `\tspf=pass (${OURS}: domain of a@bounce.reporter.example designates 192.0.2.1) smtp.mailfrom=a@bounce.reporter.example;`,
  '\tarc=none smtp.remote-ip="2001:db8::1"',
];

const SENT = ["Received: from inside.reporter.example", "From: Reports <a@reporter.example>", "Subject: a report", ""];

function resultsOf(lines: string[], id = OURS): string[] | undefined {
  const bytes = new TextEncoder().encode(`${lines.join("\r\n")}\r\nbody`);
  return receiverResults(bytes, id)?.map(({ method, result, domain }) => `${method}=${result}/${domain}`);
}

function header(value: string): string[] {
  return [...STAMP, `Authentication-Results: ${value}`, ...SENT];
}

const FORGED = `Authentication-Results: ${OURS}; dmarc=pass header.from=bank.example`;

describe("the receiver's results", () => {
  it("are read from the headers that Email Routing adds to the top", () => {
    expect(resultsOf([...STAMP, ...RESULTS, ...SENT])).toEqual([
      "dkim=pass/reporter.example",
      "dmarc=pass/reporter.example",
      "spf=none/mail-1.reporter.example",
      "spf=pass/bounce.reporter.example",
    ]);
  });

  it("are read with bare line feeds, in any letter case and with a version", () => {
    const bytes = new TextEncoder().encode([...STAMP, ...RESULTS, ...SENT].join("\n"));
    expect(receiverResults(bytes, OURS)).toHaveLength(4);
    expect(
      resultsOf(["AUTHENTICATION-RESULTS: MX.Cloudflare.NET. 1; DMARC=Pass Header.From=Reporter.Example", ""]),
    ).toEqual(["dmarc=pass/reporter.example"]);
  });

  it.each([
    [
      "comments in every place",
      `(a) ${OURS} (b;c) ; (d) dmarc (e) = (f) pass (g (h\\) i)) header.from (j) = (k) a.example (l)`,
    ],
    ["quoted values", `"${OURS}"; dmarc="pass" header.from="a.example"`],
    ["a version of the method", `${OURS}; dmarc/1=pass header.from=a.example`],
    ["a reason with a semicolon", `${OURS}; dmarc=pass reason="x; dmarc=fail" header.from=a.example`],
    ["a value with equals signs", `${OURS}; dmarc=pass header.b=ab== header.from=a.example`],
    ["folding", `${OURS}\r\n\t;\r\n dmarc\r\n =\r\n pass\r\n header.from=a.example`],
  ])("are read with %s", (_, value) => {
    expect(resultsOf(header(value))).toEqual(["dmarc=pass/a.example"]);
  });

  it.each([
    ["of another server", header("mx.reporter.example; dmarc=pass header.from=a.example")],
    ["of a name that begins like ours", header(`${OURS}.evil.example; dmarc=pass header.from=a.example`)],
    ["of a name in a comment", header(`(${OURS}) evil.example; dmarc=pass header.from=a.example`)],
    ["below those of another server", [...STAMP, "Authentication-Results: evil.example; none", FORGED, ...SENT]],
    ["below what a server before wrote", [...STAMP, ...SENT.slice(0, 1), FORGED, ...SENT]],
    ["below a field of the sender", [...STAMP, "Subject: a report", FORGED, ...SENT]],
    ["below the sender's signature", [...STAMP, "DKIM-Signature: v=1", FORGED, ...SENT]],
    ["in the body", [...STAMP, ...SENT, FORGED]],
    ["that are not well-formed", header(`${OURS}; dmarc=pass (header.from=a.example`)],
    ["with a quote that never ends", header(`${OURS}; dmarc=pass header.from="a.example`)],
    ["with two ids", header(`${OURS} evil.example; dmarc=pass header.from=a.example`)],
  ])("are ignored when they are %s", (_, lines) => {
    expect(resultsOf(lines)).toBeUndefined();
  });

  it("are the topmost ones, even if the sender forged others below", () => {
    const lines = [
      ...STAMP,
      `Authentication-Results: ${OURS}; dmarc=fail header.from=bank.example`,
      FORGED,
      FORGED,
      ...SENT,
    ];
    expect(resultsOf(lines)).toEqual(["dmarc=fail/bank.example"]);
  });

  it("are ignored when no receiver is trusted", () => {
    expect(resultsOf([FORGED, ...SENT], "")).toBeUndefined();
  });

  it("never name an invalid domain", () => {
    expect(resultsOf(header(`${OURS}; dmarc=pass header.from="a b/c"`))).toEqual(["dmarc=pass/"]);
    expect(resultsOf(header(`${OURS}; none`))).toEqual([]);
  });

  it("are limited in methods and in bytes searched", () => {
    const many = "; dkim=pass header.d=a.example".repeat(100);
    expect(resultsOf(header(OURS + many))).toHaveLength(AUTHENTICATION_LIMITS.maxMethods);
    const filler = `X-Filler: ${"x".repeat(AUTHENTICATION_LIMITS.maxResultsBytes)}`;
    expect(resultsOf([filler, ...RESULTS, ...SENT])).toBeUndefined();
  });
});

function noteOf(lines: string[], id: string): string {
  return noteAuthentication(new TextEncoder().encode(`${lines.join("\r\n")}\r\nbody`), id);
}

describe("the text stored with a raw object", () => {
  it("holds the results, DMARC first, and reads back unchanged", () => {
    const note = noteOf([...STAMP, ...RESULTS, "DKIM-Signature: v=1", ...SENT], OURS);
    expect(note).toBe(
      "expected signed results dmarc=pass/reporter.example dkim=pass/reporter.example spf=none/mail-1.reporter.example spf=pass/bounce.reporter.example",
    );
    expect(readAuthenticationNote(note)).toEqual({
      isExpected: true,
      isSigned: true,
      results: [
        { method: "dmarc", result: "pass", domain: "reporter.example" },
        { method: "dkim", result: "pass", domain: "reporter.example" },
        { method: "spf", result: "none", domain: "mail-1.reporter.example" },
        { method: "spf", result: "pass", domain: "bounce.reporter.example" },
      ],
    });
  });

  it("distinguishes missing results, an untrusted receiver, and no note at all", () => {
    expect(noteOf(SENT, OURS)).toBe("expected");
    expect(noteOf(["DKIM-Signature: v=1", ...SENT], "")).toBe("signed");
    expect(noteOf(SENT, "")).toBe("unsigned");
    expect(readAuthenticationNote("unsigned")).toEqual({ isExpected: false, isSigned: false, results: undefined });
    expect(readAuthenticationNote("")).toBeUndefined();
  });

  it("is never cut inside a name, which would make it another name", () => {
    const long = `${"a".repeat(60)}.`.repeat(3);
    const methods = Array.from({ length: 9 }, (_, i) => `dkim=pass header.d=${long}s${i}.example`);
    const note = noteOf(header(`${OURS}; ${methods.join("; ")}; dmarc=pass header.from=a.example`), OURS);
    expect(encodeURIComponent(note).length).toBeLessThan(STORAGE_LIMITS.maxMetadataValueBytes);
    const [first, ...others] = readAuthenticationNote(note)?.results ?? [];
    expect(first).toEqual({ method: "dmarc", result: "pass", domain: "a.example" });
    expect(others.length).toBeGreaterThan(1);
    expect(others.every(({ domain }) => domain.endsWith(".example"))).toBe(true);
  });
});

it.each([
  ["a@b.example", "b.example"],
  ["Reports <a@B.Example.>", "b.example"],
  ['"x@evil.example" <a@b.example>', "b.example"],
  ["a@b.example (x@evil.example)", "b.example"],
  ['"a\\"@x"@b.example', "b.example"],
  ["Bücher <a@bücher.example>", "xn--bcher-kva.example"],
  ["a@b.example, c@d.example", ""],
  ["<a@b.example> <c@d.example>", ""],
  ["a@b.example <c@d.example", ""],
  ["a@b@c.example", ""],
  ["group: a@b.example;", ""],
  ["nobody", ""],
  ["", ""],
])("the domain of the author in %s is %s", (from, domain) => {
  expect(fromDomain(from)).toBe(domain);
});
