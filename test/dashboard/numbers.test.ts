import { expect, test } from "vitest";
import { partWord } from "../../shared/mail/part-words.ts";
import { changeOfCount, formatBytes, formatDuration } from "../../workers/dashboard/data/numbers.ts";

test.each([
  [999, "999 B"],
  [2048, "2.0 KB"],
  [815_100, "815.1 KB"],
  [999_950, "1.0 MB"],
  [500_000_000, "500.0 MB"],
  [999_999_999, "1.0 GB"],
  [10_000_000_000, "10.0 GB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [7199, "120 min"],
  [10_799, "3 h 0 min"],
  [172_799, "48 h 0 min"],
])("%d seconds are %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test("a change of more than a thousand percent has its digits in groups", () => {
  expect(changeOfCount(1_250_100, 100)).toBe("↑ 1,250,000 % from 100");
  expect(changeOfCount(100, 8)).toBe("↑ 1,150 % from 8");
});

test.each([
  ["accepted", 3, "accepted"],
  ["dead_letter", 1, "dead letter"],
  ["dead_letter", 2, "dead letters"],
  ["text", 6, "texts"],
  ["calendar", 2, "calendar items"],
  ["evidence", 8, "returned mails"],
  ["evidence", 1, "returned mail"],
  ["resource_fork", 2, "system files"],
])("parts that are stored as %s, %i of them, are %s", (name, count, word) => {
  expect(partWord(name, count)).toBe(word);
});
