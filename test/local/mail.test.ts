/** The stand-in for the `send_email` binding: what it refuses, and what a recipient gets of a picture. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import PostalMime from "postal-mime";
import { describe, expect, it, onTestFinished } from "vitest";
import { createTestHarness } from "wrangler";
import { openMailOut } from "../../local/mail-out.ts";
import { type MailMessage, mailRefusal } from "../../local/worker/mail.ts";
import { localWorker } from "../support/local-workers.ts";
import { TOKEN, testFolder } from "./support.ts";

const MAIL: MailMessage = {
  from: "dmarc@acme.example",
  to: "ann@acme.example",
  subject: "Nothing to do",
  text: "Text",
  html: "<p>Text</p>",
  headers: { "X-DMARC-Delivery": "1" },
  attachments: [],
};
const PICTURE = {
  disposition: "inline",
  contentId: "a@dmarc",
  filename: "a.png",
  type: "image/png",
  content: new ArrayBuffer(3),
};

describe("a mail that Email Service refuses is refused here", () => {
  const CASES: [string, Partial<MailMessage>, string][] = [
    ["without a subject", { subject: "" }, "E_FIELD_MISSING"],
    ["without a body", { text: "", html: "" }, "E_FIELD_MISSING"],
    ["to what is no address", { to: "ann" }, "E_VALIDATION_ERROR"],
    ["with a subject of 999 characters", { subject: "x".repeat(999) }, "E_VALIDATION_ERROR"],
    ["with 33 attachments", { attachments: Array(33).fill(PICTURE) }, "E_TOO_MANY_ATTACHMENTS"],
    ["with a picture nobody can name", { attachments: [{ ...PICTURE, contentId: "" }] }, "E_VALIDATION_ERROR"],
    ["with a header of the platform's", { headers: { "Message-ID": "<a@b.example>" } }, "E_HEADER_NOT_ALLOWED"],
    ["with a name that is none", { headers: { "X-A b": "1" } }, "E_HEADER_NAME_INVALID"],
    ["with a name of 101 bytes", { headers: { [`X-${"a".repeat(99)}`]: "1" } }, "E_HEADER_NAME_INVALID"],
    ["with an empty header", { headers: { "X-A": "" } }, "E_HEADER_VALUE_INVALID"],
    ["that is submitted in no known way", { headers: { "Auto-Submitted": "yes" } }, "E_HEADER_VALUE_INVALID"],
    ["with two lines in a header", { headers: { "X-A": "1\r\nBcc: all@acme.example" } }, "E_HEADER_VALUE_INVALID"],
    ["with 2,050 bytes in a header", { headers: { "X-A": "é".repeat(1025) } }, "E_HEADER_VALUE_TOO_LONG"],
    [
      "with 16 KB of headers",
      { headers: Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`X-${i}`, "a".repeat(2000)])) },
      "E_HEADERS_TOO_LARGE",
    ],
    [
      "of more than 5 MiB",
      { attachments: [{ ...PICTURE, content: new ArrayBuffer(4 * 1024 * 1024) }] },
      "E_CONTENT_TOO_LARGE",
    ],
  ];
  it.each(CASES)("%s", (_, change, code) => expect(mailRefusal({ ...MAIL, ...change })).toMatch(code));

  it.each<[string, Partial<MailMessage>]>([
    ["a subject of 998 characters", { subject: "x".repeat(998) }],
    ["32 attachments", { attachments: Array(32).fill(PICTURE) }],
    ["a program as its sender", { headers: { "Auto-Submitted": "auto-generated" } }],
    ["2,048 bytes in a header", { headers: { "X-A": "é".repeat(1024) } }],
    ["a name of 100 bytes", { headers: { [`X-${"a".repeat(98)}`]: "1" } }],
  ])("but not with %s", (_, change) => expect(mailRefusal({ ...MAIL, ...change })).toBeUndefined());
});

it("a picture arrives as it is where it is sent as bytes; as base64, what arrives is the base64, as users of the binding found", async () => {
  const folder = testFolder();
  const { url, stop } = await openMailOut({ folder, relayUrl: "", token: TOKEN });
  onTestFinished(stop);
  const server = createTestHarness({
    root: resolve(import.meta.dirname, "../.."),
    workers: [
      {
        config: {
          name: "caller",
          main: resolve(import.meta.dirname, "mail-caller.js"),
          compatibility_date: "2026-11-01",
          services: [{ binding: "SEND_EMAIL", service: "dmarc-mail-out", entrypoint: "MailOut" }],
        },
      },
      localWorker("mail-out", { vars: { LOCAL_MAIL_URL: url, LOCAL_MAIL_TOKEN: TOKEN } }),
    ],
  });
  await server.listen();
  onTestFinished(() => server.close());
  const bytes = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x00, 0xff]);
  const body = JSON.stringify({ base64: bytes.toString("base64"), mail: MAIL });
  const answer = await server.getWorker("caller").fetch("http://caller/", { method: "POST", body });
  expect(await answer.json()).toEqual(["sent", "sent", "sent"]);
  const pictures = await Promise.all(
    readdirSync(folder).map(async (name) => {
      const { attachments } = await PostalMime.parse(readFileSync(join(folder, name)));
      const [{ content } = expect.unreachable()] = attachments;
      return Buffer.from(typeof content === "string" ? content : new Uint8Array(content)).toString("latin1");
    }),
  );
  expect(pictures.sort()).toEqual(
    [bytes.toString("base64"), bytes.toString("latin1"), bytes.toString("latin1")].sort(),
  );
});
