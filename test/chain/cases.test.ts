/** Mails of the kinds that people reported trouble with elsewhere, through a whole local stack: figures, pages, dead letters. */
import { expect, it } from "vitest";
import { ownCaseFiles, runCaseMails } from "../support/case-mails.ts";
import { freeStackPorts } from "../support/ports.ts";

it("every case ends as expected", { timeout: 300_000 }, async () => {
  const results = await runCaseMails(ownCaseFiles(), await freeStackPorts());
  expect(results.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
  expect(results).toHaveLength(9);
});
