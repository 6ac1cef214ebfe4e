import { describe, expect, test } from "vitest";
import { viewLine } from "../../local/log-lines.ts";

const KEY = `raw/2026/11/21/${"0123456789abcdef".repeat(4)}/report.xml.gz`;

describe("one readable line per event is made from wrangler's output", () => {
  test("for a Worker's JSON line: what happened, to whom, and how long it took", () => {
    const record = {
      event: "report",
      outcome: "accepted",
      rua: "dmarc@example.com",
      key: KEY,
      attempts: 2,
      milliseconds: 12.6,
    };
    expect(viewLine(JSON.stringify(record))).toEqual({
      kind: "event",
      text: "process   report accepted     dmarc@example.com  raw/2026/11/21/01234567…/report.xml.gz  attempt 2  13 ms",
      isRoutine: true,
    });
  });

  test("for one about all ordinary mail of a batch", () => {
    const record = {
      event: "report",
      outcome: "accepted",
      ruas: ["dmarc@example.com"],
      keys: [KEY, KEY.replace("report", "other"), KEY.replace("report", "third")],
      milliseconds: 40,
    };
    expect(viewLine(JSON.stringify(record))).toEqual({
      kind: "event",
      text: "process   report accepted     dmarc@example.com  raw/2026/11/21/01234567…/report.xml.gz and 2 more  40 ms",
      isRoutine: true,
    });
  });

  test("for a line of ingest, and for one logged as an error", () => {
    expect(viewLine('{"event":"mail","ms":3}')).toEqual({
      kind: "event",
      text: expect.stringMatching(/^ingest .*mail +3 ms$/),
      isRoutine: true,
    });
    expect(viewLine('✘ [ERROR] {"event":"fault","error":"Error: R2 is down"}')).toEqual({
      kind: "event",
      text: expect.stringMatching(/fault +Error: R2 is down$/),
      isRoutine: false,
    });
  });

  test("in which text from a mail cannot move the cursor or fill the screen", () => {
    const view = viewLine(JSON.stringify({ event: "mail", rua: `\u001b[2Ja\r\nb\u202e${"x".repeat(500)}` }));
    const text = view.kind === "event" ? view.text : "";
    expect(text).toMatch(/\[2Ja b xxx/);
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text.length).toBeLessThan(250);
  });

  test("for real errors", () => {
    expect(viewLine("✘ [ERROR] Uncaught TypeError: x")).toEqual({
      kind: "error",
      text: "Uncaught TypeError: x",
    });
  });

  test.each([
    "[wrangler:warn] Unable to fetch the `Request.cf` object! Falling back to a default placeholder...",
    "Error: getaddrinfo ENOTFOUND workers.cloudflare.com",
    "    at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:123:26)",
    "▲ [WARNING] Processing wrangler.process.toml configuration:",
    "[wrangler:info] QUEUE dmarc-reports 1/1 (12ms)",
    '{"event":"points","points":240}',
    "{not json}",
    "",
  ])("but not for %s", (line) => {
    expect(viewLine(line)).toEqual({ kind: "hidden" });
  });
});
