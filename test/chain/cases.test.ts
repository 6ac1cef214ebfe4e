/** Mails of the kinds that people reported trouble with elsewhere, through a whole local stack: figures, pages, dead letters. */
import { expect, it } from "vitest";
import { freePorts } from "../local/support.ts";
import { ownCaseFiles, runCaseMails } from "../support/case-mails.ts";

it("every case ends as expected", { timeout: 300_000 }, async () => {
  const [http = 0, smtp = 0, sql = 0] = await freePorts(3);
  const results = await runCaseMails(ownCaseFiles(), [http, smtp, sql]);
  expect(results.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
  expect(results).toHaveLength(9);
});
