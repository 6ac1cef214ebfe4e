/** What a channel may be: mail addresses, and https URLs of public hosts. */
import { describe, expect, it } from "vitest";
import { validSettings } from "../../shared/forward/target.ts";
import { shownTarget, validTarget } from "../../shared/notify/channel.ts";
import { dueDigestDay } from "../../shared/notify/digest-day.ts";

describe("targets", () => {
  it.each([
    "https://hooks.example.com/dmarc?x=1",
    "https://alerts.example.com:8443/",
    "https://xn--bcher-kva.example/hook",
  ])("include %s", (url) => {
    expect(validTarget("webhook", url, "")).toEqual({ ok: true, value: new URL(url).href });
  });

  it.each([
    "http://hooks.example.com/",
    "https://user:secret@hooks.example.com/",
    "https://localhost/",
    "https://localhost./",
    "https://printer/",
    "https://metadata.google.internal/",
    "https://nas.local/",
    "https://127.0.0.1/",
    "https://0x7f.1/",
    "https://2130706433/",
    "https://10.0.0.1:8443/x",
    "https://[::1]/",
    "https://[fd00::1]/",
    "ftp://hooks.example.com/",
    "javascript:alert(1)",
    "not a url",
  ])("refuses %s", (url) => {
    expect(validTarget("webhook", url, "").ok).toBe(false);
  });

  it("are called by their name where they are not a webhook's", () => {
    const wrong = {
      kind: "http",
      name: "",
      withRecords: false,
      url: "http://collector.example.com/",
      secret: "",
      region: "",
      accessKeyId: "",
    } as const;
    expect(validSettings(wrong, "")).toEqual({
      ok: false,
      error: "The URL of a target has to begin with https://.",
    });
    const named = validTarget("webhook", wrong.url, "");
    expect(named).toEqual({ ok: false, error: "A webhook's URL has to begin with https://." });
  });

  it("have secrets that a header can hold: all others would end each attempt", () => {
    const settings = {
      kind: "s3",
      name: "n",
      url: "https://b.example.com/",
      region: "auto",
      accessKeyId: "A1",
    } as const;
    const hold = (changes: object) =>
      validSettings({ ...settings, secret: "s+/=", withRecords: false, ...changes }, "").ok;
    expect(hold({})).toBe(true);
    for (const text of ["a\nb", "a b", "caf\u00e9", "a\u200b", "a\0"]) {
      expect([hold({ secret: text }), hold({ region: text }), hold({ accessKeyId: text })]).toEqual([
        false,
        false,
        false,
      ]);
    }
  });

  it("include the one configured local origin, but not its other ports", () => {
    expect(validTarget("slack", "http://127.0.0.1:9443/x", "http://127.0.0.1:9443").ok).toBe(true);
    expect(validTarget("slack", "http://127.0.0.1:9444/x", "http://127.0.0.1:9443").ok).toBe(false);
  });

  it.each(["ann@example.com", "ann.lee+dmarc@mail.example"])("include the mail address %s", (address) => {
    expect(validTarget("email", address, "").ok).toBe(true);
  });

  it.each([
    "ann",
    "ann@",
    "ann@example.com, bob@example.com",
    "Ann <ann@example.com>",
    "ann@example.com\r\nBcc: x@y.z",
  ])("refuses %s as a mail address", (address) => {
    expect(validTarget("email", address, "").ok).toBe(false);
  });

  it("are shown by host only if they are URLs", () => {
    const target = "https://hooks.slack.com/services/T0/B0/secret";
    expect(shownTarget({ kind: "slack", target })).toBe("https://hooks.slack.com/…");
    expect(shownTarget({ kind: "email", target: "ann@example.com" })).toBe("ann@example.com");
  });
});

describe("days of digests", () => {
  const seconds = (text: string): number => Date.parse(text) / 1000;
  const channel = { timeZone: "Europe/Berlin", createdSeconds: seconds("2026-11-01T00:00:00Z") };

  it("are every day from 8:00 local time for a daily digest", () => {
    const daily = { ...channel, digest: "daily" as const };
    expect(dueDigestDay(daily, seconds("2026-11-20T06:59:59Z"))).toBe("2026-11-19");
    expect(dueDigestDay(daily, seconds("2026-11-20T07:00:00Z"))).toBe("2026-11-20");
  });

  it("follow daylight saving time", () => {
    const daily = { ...channel, digest: "daily" as const, createdSeconds: 0 };
    expect(dueDigestDay(daily, seconds("2026-07-20T05:59:59Z"))).toBe("2026-07-19");
    expect(dueDigestDay(daily, seconds("2026-07-20T06:00:00Z"))).toBe("2026-07-20");
  });

  it("are Mondays for a weekly digest", () => {
    const weekly = { ...channel, digest: "weekly" as const };
    expect(dueDigestDay(weekly, seconds("2026-11-22T12:00:00Z"))).toBe("2026-11-16");
    expect(dueDigestDay(weekly, seconds("2026-11-23T07:00:00Z"))).toBe("2026-11-23");
    expect(dueDigestDay(weekly, seconds("2026-11-29T23:00:00Z"))).toBe("2026-11-23");
  });

  it("are the first of the month for a monthly digest", () => {
    const monthly = { ...channel, digest: "monthly" as const };
    expect(dueDigestDay(monthly, seconds("2026-11-30T12:00:00Z"))).toBe("2026-11-01");
    expect(dueDigestDay(monthly, seconds("2026-12-01T06:59:59Z"))).toBe("2026-11-01");
    expect(dueDigestDay(monthly, seconds("2026-12-01T07:00:00Z"))).toBe("2026-12-01");
  });

  it("begin after the channel was created", () => {
    const daily = { ...channel, digest: "daily" as const, createdSeconds: seconds("2026-11-20T09:00:00Z") };
    expect(dueDigestDay(daily, seconds("2026-11-20T20:00:00Z"))).toBeUndefined();
    expect(dueDigestDay(daily, seconds("2026-11-21T07:00:00Z"))).toBe("2026-11-21");
    expect(dueDigestDay({ ...daily, digest: "none" }, seconds("2026-11-21T07:00:00Z"))).toBeUndefined();
  });
});
