/** Long texts, long lists and long JSON of strangers, without a page: each is cut at its limit, and what acts is gone. */
import { describe, expect, it } from "vitest";
import { DASHBOARD_LIMITS } from "../../shared/limits.ts";
import { escapeActing } from "../../shared/report/problems.ts";
import {
  FirstOf,
  ForeignJson,
  ForeignText,
  Name,
  plainForeignText,
} from "../../workers/dashboard/parts/foreign-text.tsx";
import { textsOf } from "../support/html.ts";

const { maxTextChars, maxNameChars, maxJsonChars, maxListed, maxUnfolded } = DASHBOARD_LIMITS;
const shown = (html: unknown): string =>
  textsOf(String(html))
    .map(({ text }) => text)
    .join("");

describe("text from reports", () => {
  it("is cut at a character boundary", () => {
    expect(shown(ForeignText({ text: "x".repeat(300_000) }))).toBe(`${"x".repeat(maxTextChars)}…`);
    expect(shown(Name({ text: "a.".repeat(300_000) }))).toBe(`${"a.".repeat(maxNameChars / 2)}…`);
    expect(plainForeignText("ü".repeat(maxNameChars + 1))).toBe(`${"ü".repeat(maxNameChars)}…`);
    expect(shown(ForeignText({ text: `${"x".repeat(maxTextChars - 1)}😀` })).isWellFormed()).toBe(true);
    expect(String(ForeignText({ text: "<script>" }))).toBe("<bdi>&lt;script&gt;</bdi>");
  });

  it("keeps every character in JSON up to its limit, escaping the dangerous ones", () => {
    const value = { key: "raw/\u202e\u0007\u200b\u0085x", list: ["\ufeff"] };
    const text = shown(ForeignJson({ value }));
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202e\ufeff]/);
    expect(JSON.parse(text)).toEqual(value);
    expect(JSON.parse(escapeActing(JSON.stringify(value)))).toEqual(value);
    expect(shown(ForeignJson({ value: "x".repeat(200_000) })).length).toBe(maxJsonChars + 1);
  });

  it("is shown on separate lines in a list, the first ones only", () => {
    const view = (text: string) => ForeignText({ text });
    const items = Array.from({ length: 10_000 }, (_, place) => `line ${place}`);
    const html = String(FirstOf({ items, view }));
    expect(textsOf(html).map(({ text }) => text)).toEqual([
      ...items.slice(0, maxListed),
      "and 9,980 more",
      ...items.slice(maxListed, maxListed + maxUnfolded),
      "and 9,880 more, in CSV and JSON",
    ]);
    expect(String(FirstOf({ items: ["one"], view }))).toBe("<span><bdi>one</bdi></span>");
  });
});
