import { describe, expect, test } from "vitest";
import { mendMail } from "../../local/smtp/mail.ts";

const COMPLETE = "From: a@reporter.example\r\nMessage-ID: <1@reporter.example>\r\nSubject: x\r\n\r\nbody\r\n";

function mend(text: string, sender = "bounce@reporter.example"): string {
  return mendMail(Buffer.from(text, "latin1"), sender).toString("latin1");
}

describe("a mail's header is mended as a mail server does", () => {
  test("a complete mail stays byte for byte, also one that is not ASCII", () => {
    const mail = Buffer.from(`${COMPLETE}\xff\xfe\x00 binary`, "latin1");
    expect(mendMail(mail, "x@y.example")).toBe(mail);
  });

  test("a missing Message-ID is the same for the same mail, and another for another mail", () => {
    const without = (subject: string): string => mend(`From: a@b.example\r\nSubject: ${subject}\r\n\r\nbody`);
    expect(without("x")).toMatch(
      /^Message-ID: <[0-9a-f]{32}@localhost>\r\nFrom: a@b\.example\r\nSubject: x\r\n\r\nbody$/,
    );
    expect(without("x")).toBe(without("x"));
    expect(without("x").slice(0, 60)).not.toBe(without("y").slice(0, 60));
  });

  test("an empty Message-ID counts as missing, a folded one does not", () => {
    expect(mend("From: a@b.example\nMessage-ID:\nSubject: x\n\nbody")).toMatch(/^Message-ID: <[0-9a-f]{32}/);
    const folded = "From: a@b.example\r\nMessage-ID:\r\n <1@b.example>\r\n\r\nbody";
    expect(mend(folded)).toBe(folded);
  });

  test("a missing From is the envelope sender, also the null one", () => {
    const mail = "Message-ID: <1@b.example>\r\n\r\nbody";
    expect(mend(mail)).toBe(`From: <bounce@reporter.example>\r\n${mail}`);
    expect(mend(mail, "")).toBe(`From: <>\r\n${mail}`);
  });

  test("an mbox line in front goes", () => {
    expect(mend(`From a@b.example Mon Jan  5 00:00:00 2026\r\n${COMPLETE}`)).toBe(COMPLETE);
  });

  test("lines of white space in front go", () => {
    expect(mend(`   \r\n \t\r\n${COMPLETE}`)).toBe(COMPLETE);
    expect(mend(`From a@b.example Mon Jan  5 00:00:00 2026\r\n  \r\n${COMPLETE}`)).toBe(COMPLETE);
  });

  test("a line that is no field continues the one before", () => {
    const mail =
      "From: a@b.example\r\nMessage-ID: <1@b.example>\r\nSubject: one\r\ntwo three\r\nX: y\r\n\r\nbody\r\nno field";
    expect(mend(mail)).toBe(mail.replace("\r\ntwo", "\r\n two"));
  });

  test("a mail without a header keeps its text as body", () => {
    expect(mend("no header here\r\n\r\nmore")).toMatch(
      /^Message-ID: <[0-9a-f]{32}@localhost>\r\nFrom: <bounce@reporter\.example>\r\n\r\nno header here\r\n\r\nmore$/,
    );
    expect(mend("\r\nbody")).toMatch(/From: <bounce@reporter\.example>\r\n\r\nbody$/);
    expect(mend("")).toMatch(/From: <bounce@reporter\.example>\r\n\r\n$/);
  });

  test("of too many fields the ones that matter stay fields", () => {
    const padding = Array.from({ length: 2000 }, (_, place) => `X-Pad-${place}: y\r\n`).join("");
    const mended = mend(
      `${padding}From: a@b.example\r\nMessage-ID: <1@b.example>\r\nContent-Type: text/xml\r\n\r\nbody`,
    );
    const header = mended.slice(0, mended.indexOf("\r\n\r\n")).split("\r\n");
    const fields = header.filter((line) => !line.startsWith(" "));
    expect(fields).toHaveLength(903);
    expect(fields.slice(-3)).toEqual(["From: a@b.example", "Message-ID: <1@b.example>", "Content-Type: text/xml"]);
    expect(header).toHaveLength(2003);
  });
});
