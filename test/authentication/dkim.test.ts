/** DKIM: the RFCs' own mails, mails that a second implementation signs and verifies, and what may prove nothing. */
import { generateKeyPairSync } from "node:crypto";
import { dkimSign } from "mailauth/lib/dkim/sign.js";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { describe, expect, it } from "vitest";
import { mulberry32 } from "../../local/random.ts";
import { verifyDkim } from "../../shared/authentication/dkim.ts";
import type { Resolver } from "../../shared/dns/resolver.ts";
import { AUTHENTICATION_LIMITS } from "../../shared/limits.ts";
import { RFC_6376, RFC_8463, RFC_KEYS } from "../support/dkim-vectors.ts";
import { constantResolver, txtResolver } from "../support/resolvers.ts";

const NOW = 1_800_000_000;

async function resultsOf(
  mail: string,
  resolver: Resolver = txtResolver(RFC_KEYS),
  nowSeconds = NOW,
): Promise<string[]> {
  const bytes = new Uint8Array(Buffer.from(mail, "latin1"));
  const results = await verifyDkim(bytes, { resolver, nowSeconds });
  return results.map(({ result, domain, reason }) => [result, domain, reason].filter((text) => text !== "").join(" "));
}

describe("the example mails of the RFCs", () => {
  it("verify", async () => {
    expect(await resultsOf(RFC_6376)).toEqual(["pass example.com"]);
    expect(await resultsOf(RFC_8463)).toEqual(["pass football.example.com", "pass football.example.com"]);
  });

  it("verify from a file that lost its carriage returns", async () => {
    expect(await resultsOf(RFC_8463.replaceAll("\r\n", "\n"))).toEqual([
      "pass football.example.com",
      "pass football.example.com",
    ]);
  });

  it("do not verify after the header or body changes", async () => {
    const header = RFC_8463.replace("Is dinner ready?", "Is lunch ready?");
    expect(await resultsOf(header)).toEqual([
      "fail football.example.com the signature is not of this key and header",
      "fail football.example.com the signature is not of this key and header",
    ]);
    expect(await resultsOf(RFC_6376.replace("lost", "won "))).toEqual(["fail example.com the body was changed"]);
    // Simple keeps white space as it is, relaxed does not mind.
    expect(await resultsOf(RFC_6376.replace("Hi.", "Hi. "))).toEqual(["fail example.com the body was changed"]);
    expect(await resultsOf(RFC_8463.replace("Hi.", "Hi. \t"))).toEqual([
      "pass football.example.com",
      "pass football.example.com",
    ]);
    expect(await resultsOf(`${RFC_8463}\r\n\r\n`)).toEqual(["pass football.example.com", "pass football.example.com"]);
  });

  it("do not verify with an extra From on top when From is signed twice", async () => {
    expect(await resultsOf(`From: someone@else.example\r\n${RFC_8463}`)).toEqual([
      "fail football.example.com the signature is not of this key and header",
      "fail football.example.com the signature is not of this key and header",
    ]);
  });
});

/** Keys made here, with the records that a domain would publish. */
function makeKeys() {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const bare = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const short = generateKeyPairSync("rsa", { modulusLength: 768 });
  const ed25519 = generateKeyPairSync("ed25519");
  const spki = (key: typeof rsa.publicKey): string => key.export({ type: "spki", format: "der" }).toString("base64");
  const records = {
    "rsa._domainkey.signer.example": `v=DKIM1; k=rsa; p=${spki(rsa.publicKey)}`,
    "bare._domainkey.signer.example": `p=${bare.publicKey.export({ type: "pkcs1", format: "der" }).toString("base64")}`,
    "short._domainkey.signer.example": `p=${spki(short.publicKey)}`,
    "ed._domainkey.signer.example": `k=ed25519; p=${ed25519.publicKey.export({ type: "spki", format: "der" }).subarray(12).toString("base64")}`,
  };
  const pem = (key: typeof rsa.privateKey): string => key.export({ type: "pkcs8", format: "pem" }).toString();
  const signers: Record<string, string> = {
    rsa: pem(rsa.privateKey),
    bare: pem(bare.privateKey),
    short: pem(short.privateKey),
    ed: pem(ed25519.privateKey),
  };
  return { records, signers };
}

const { records: RECORDS, signers: SIGNERS } = makeKeys();

const MAIL = [
  "Received: from somewhere",
  "From: Reports <reports@signer.example>",
  "To: dmarc@acme.example",
  "Subject: Report Domain: acme.example",
  "Date: Wed, 15 Nov 2023 06:00:00 +0000",
  "Message-ID: <1@signer.example>",
  "Content-Type: text/plain",
  "",
  "A report.",
  "",
].join("\r\n");

interface Signing {
  selector?: string;
  canonicalization?: string;
  maxBodyLength?: number;
  expires?: Date;
  mail?: string;
}

/** @returns the mail signed by mailauth */
async function signed({
  selector = "rsa",
  canonicalization = "relaxed/relaxed",
  maxBodyLength,
  expires,
  mail = MAIL,
}: Signing) {
  const key = { signingDomain: "signer.example", selector, privateKey: SIGNERS[selector] ?? "" };
  const { signatures, errors } = await dkimSign(Buffer.from(mail, "latin1"), {
    canonicalization,
    signTime: new Date((NOW - 60) * 1000),
    ...(expires === undefined ? {} : { expires }),
    ...key,
    // Its types want the key above, it reads the one here.
    signatureData: [{ ...key, ...(maxBodyLength === undefined ? {} : { maxBodyLength }) }],
  });
  expect(errors).toEqual([]);
  return signatures + mail;
}

const KEYS = txtResolver(RECORDS);

describe("mails signed by mailauth", () => {
  it.each(["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"])(
    "verify with %s",
    async (canonicalization) => {
      for (const selector of ["rsa", "bare", "ed"]) {
        const mail = await signed({ selector, canonicalization });
        expect(await resultsOf(mail, KEYS), selector).toEqual(["pass signer.example"]);
      }
    },
  );

  it("verify with any white space and line endings that canonicalization allows", async () => {
    const random = mulberry32(20_261_127);
    const pick = (texts: readonly string[]): string => texts[Math.floor(random() * texts.length)] ?? "";
    const some = (count: number, texts: readonly string[]): string =>
      Array.from({ length: count }, () => pick(texts)).join("");
    let passed = 0;
    for (let round = 0; round < 150; round++) {
      const subject = some(6, ["a", " ", "\t", "\r\n ", "  ", "\u00e9", ":"]);
      const body = some(14, ["word", " ", "\t", "\r\n", "\r\n\r\n", "  ", "\u00ff", "."]);
      const mail = MAIL.replace("Report Domain: acme.example", `x${subject}x`).replace("A report.", body);
      const canonicalization = `${pick(["simple", "relaxed"])}/${pick(["simple", "relaxed"])}`;
      const given = await signed({ selector: pick(["rsa", "ed"]), canonicalization, mail });
      const changed = random() < 0.4 ? given.replace(pick([" ", "word", "\t", "Report"]), pick(["", " ", "w"])) : given;
      const second = await dkimVerify(Buffer.from(changed, "latin1"), {
        resolver: async (name: string) => [[RECORDS[name as keyof typeof RECORDS] ?? ""]],
        curTime: new Date(NOW * 1000),
      });
      const theirs = second.results.map(({ status }) => status.result === "pass");
      const ours = (await resultsOf(changed, KEYS)).map((result) => result.startsWith("pass"));
      expect(ours, JSON.stringify(changed)).toEqual(theirs.length === 1 ? theirs : []);
      if (ours[0] === true) passed++;
    }
    expect(passed).toBeGreaterThan(60);
    expect(passed).toBeLessThan(150);
  });

  it("are rejected after they expire", async () => {
    const mail = await signed({ expires: new Date(NOW * 1000) });
    expect(await resultsOf(mail, KEYS, NOW)).toEqual(["pass signer.example"]);
    expect(await resultsOf(mail, KEYS, NOW + 1)).toEqual(["fail signer.example expired"]);
  });

  it("do not cover content appended after the signed part of the body", async () => {
    const mail = await signed({ maxBodyLength: 11 });
    expect(mail).toContain("l=11");
    expect(await resultsOf(mail, KEYS)).toEqual(["pass signer.example"]);
    expect(await resultsOf(`${mail}<feedback/>\r\n`, KEYS)).toEqual([
      "policy signer.example part of the body is not signed",
    ]);
    expect(await resultsOf(mail.replace("A report.\r\n", ""), KEYS)).toEqual([
      "neutral signer.example l= is beyond the body",
    ]);
  });

  it("do not verify with a short, revoked, testing, wrong-type or wrong-service key", async () => {
    expect(await resultsOf(await signed({ selector: "short" }), KEYS)).toEqual([
      "neutral signer.example the key cannot be used",
    ]);
    const mail = await signed({});
    const key = RECORDS["rsa._domainkey.signer.example"];
    const cases: [string, string][] = [
      [key.replace(/p=.*/, "p="), "fail signer.example the key was revoked"],
      [`${key}; t=y`, "policy signer.example the domain only tests DKIM"],
      [`${key}; t=s`, "pass signer.example"],
      [`${key}; s=*`, "pass signer.example"],
      [`${key}; s=tlsrpt`, "neutral signer.example not for mail"],
      [`${key}; h=sha1`, "neutral signer.example not for SHA-256"],
      [`${key}; k=rsa`, "neutral signer.example not a tag list"],
      [key.replace("k=rsa", "k=ed25519"), "neutral signer.example a key of another type"],
      [key.replace("DKIM1", "DKIM2"), "neutral signer.example another version"],
      [key.replace(/p=.{20}/, "p=!!!!"), "neutral signer.example the key cannot be used"],
      ["v=spf1 -all", "neutral signer.example another version"],
    ];
    for (const [record, result] of cases) {
      const resolver = constantResolver({ status: "answers", records: [record] });
      expect(await resultsOf(mail, resolver), record).toEqual([result]);
    }
    const both = constantResolver({ status: "answers", records: ["v=spf1 -all", key] });
    expect(await resultsOf(mail, both)).toEqual(["pass signer.example"]);
  });

  it("are unknown if the key lookup fails, and invalid if there is no key", async () => {
    const mail = await signed({});
    for (const status of ["servfail", "timeout", "unknown"] as const) {
      expect(await resultsOf(mail, constantResolver({ status }))).toEqual([
        `unknown signer.example the key was asked for: ${status}`,
      ]);
    }
    for (const status of ["nxdomain", "nodata"] as const) {
      expect(await resultsOf(mail, constantResolver({ status }))).toEqual([
        "neutral signer.example there is no such key",
      ]);
    }
  });
});

describe("limits", () => {
  it("check only the topmost signatures, with one DNS question per key", async () => {
    const mail = await signed({});
    const [signature = ""] = mail.split("Received:");
    const resolver = txtResolver(RECORDS);
    const results = await resultsOf(signature.repeat(200) + mail, resolver);
    expect(results).toHaveLength(AUTHENTICATION_LIMITS.maxSignatures);
    expect(resolver.asked).toHaveLength(AUTHENTICATION_LIMITS.maxSignatures);
  });

  it("refuse a mail or header that is too large", async () => {
    const mail = await signed({});
    const header = `X-Filler: ${"x".repeat(AUTHENTICATION_LIMITS.maxHeaderBytes)}\r\n`;
    expect(await resultsOf(header + mail, KEYS)).toEqual([]);
    expect(await resultsOf(mail + "x".repeat(AUTHENTICATION_LIMITS.maxSignedBytes), KEYS)).toEqual([]);
  });

  it("refuse a signature over too many fields", async () => {
    const names = ":to".repeat(AUTHENTICATION_LIMITS.maxSignedFields);
    const mail = `DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=from${names}; bh=eA==; b=eA==\r\n${MAIL}`;
    expect(await resultsOf(mail, KEYS)).toEqual(["neutral too many fields"]);
  });
});

it("an invalid signature gives a reason and never throws", async () => {
  const base = "v=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=eA==; b=eA==";
  const cases: [string, string][] = [
    ["", "no v="],
    ["v=1; v=1", "not a tag list"],
    [base.replace("v=1", "v=2"), "another version"],
    [base.replace("sha256", "sha1"), "an algorithm that proves nothing"],
    [`${base}; c=nice`, "c= is unknown"],
    [`${base}; i=@b.example`, "i= is not of d="],
    [`${base}; i=@nota.example`, "i= is not of d="],
    [base.replace("h=from", "h=to"), "From is not signed"],
    [`${base}; q=file`, "q= is unknown"],
    [`${base}; l=-1`, "a field that should be a number"],
    [`${base}; x=soon`, "a field that should be a number"],
  ];
  for (const [value, reason] of cases) {
    expect(await resultsOf(`DKIM-Signature: ${value}\r\n${MAIL}`, KEYS), value).toEqual([`neutral ${reason}`]);
  }
  const astray = base
    .replace("s=s", "s=a b")
    .replace("bh=eA==", `bh=${"L7hoo2YHTQ/Nqgvy5C4nX/zeBZDTj1GDyKaDYoBMQ8E="}`);
  expect((await resultsOf(`DKIM-Signature: ${astray}\r\n${MAIL}`, KEYS))[0]).toMatch(/^(fail|neutral) a\.example/);
});
