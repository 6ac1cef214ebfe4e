import { expect, test } from "vitest";
import { partWord } from "../../shared/mail/part-words.ts";
import { formatBytes } from "../../workers/dashboard/data/numbers.ts";

test.each([
  [999, "999 B"],
  [2048, "2.0 KB"],
  [815_100, "815.1 KB"],
  [500_000_000, "500.0 MB"],
  [10_000_000_000, "10.0 GB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
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
