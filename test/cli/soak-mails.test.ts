/** The mails of a soak run: the same for the same seed, and what each is to come to is what reading it offline gives. */
import { expect, it } from "vitest";
import { addSent, differences, emptySent } from "../../bench/soak/balance.ts";
import { ADDRESSES, type SoakMail, soakMails } from "../../bench/soak/mails.ts";
import { parseFile } from "../../cli/parse-file.ts";
import { RecordBudget, readObject } from "../../shared/batch/read-object.ts";
import { bytesSource } from "../../shared/report/source.ts";

const PLAN = { count: 400, seed: 7 };
const MAILS = [...soakMails(PLAN)];

function bytesOf(mails: Iterable<SoakMail>): string[] {
  return [...mails].map(({ raw, to }) => `${to} ${raw.toString("latin1")}`);
}

it("the same seed gives the same mails, another seed gives others", () => {
  expect(bytesOf(soakMails(PLAN))).toEqual(bytesOf(MAILS));
  expect(bytesOf(soakMails({ ...PLAN, seed: 8 }))).not.toEqual(bytesOf(MAILS));
});

it("every kind is present, including large reports", () => {
  expect(new Set(MAILS.map(({ kind }) => kind)).size).toBe(11);
  const sizes = new Set(MAILS.map(({ expected }) => expected.records));
  expect(sizes).toContain(300);
  expect(sizes).toContain(5000);
});

it("each mail matches its kind", async () => {
  for (const { kind, raw, expected } of MAILS) {
    const { reports, problems } = await parseFile(kind, bytesSource(raw), { nowSeconds: Date.now() / 1000 });
    const aggregates = reports.filter((report) => report.kind === "aggregate");
    const sum = (name: "records" | "messages" | "passed"): number =>
      aggregates.reduce((total, report) => total + report[name], 0);
    const found = { kind, records: sum("records"), messages: sum("messages"), passed: sum("passed") };
    const { records, messages, passed } = expected;
    if (expected.reports > 0) expect(found).toEqual({ kind, records, messages, passed });
    if (kind !== "unknownRua")
      expect({ kind, problems: problems.length }).toEqual({ kind, problems: expected.deadLetters });
    // A repeated report is read like any other; that it adds nothing is for the ledger to find.
    const isReport = !["notReport", "truncated", "hostile"].includes(kind);
    expect({ kind, reports: reports.length }).toEqual({ kind, reports: isReport ? 1 : 0 });
  }
});

it("a repeated report is a duplicate, a conflict or of another account, according to its kind", async () => {
  const contents = new Map<string, string>();
  for (const { kind, raw, to, expected } of MAILS) {
    const account = ADDRESSES.find(({ rua }) => rua === to)?.account;
    if (account === undefined) continue;
    const origin = {
      account,
      receivedSeconds: Date.now() / 1000,
      objectsOfMail: 1,
      file: { name: "", mimeType: "", tlsReportDomain: "" },
    };
    const found = { kind, reports: 0, repeated: 0, conflicts: 0 };
    const { findings } = await readObject(bytesSource(raw), origin, new RecordBudget());
    for (const finding of findings) {
      if ("problem" in finding) continue;
      const known = contents.get(finding.uid);
      if (known === undefined) {
        contents.set(finding.uid, finding.contentHash);
        found.reports++;
      } else if (known === finding.contentHash) found.repeated++;
      else found.conflicts++;
    }
    // The same mail once more is the same object: it adds no duplicate.
    const repeated = kind === "again" ? 1 : expected.duplicates;
    expect(found).toEqual({ kind, reports: expected.reports, repeated, conflicts: expected.conflicts });
  }
});

it("the sums of sent mails are compared and differences found", () => {
  const sent = emptySent();
  for (const mail of MAILS) addSent(sent, mail);
  expect(sent.delivered + sent.rejected).toBe(PLAN.count);
  expect(sent.rejected).toBe(MAILS.filter(({ kind }) => kind === "unknownRua").length);
  const right = { name: "right", expected: 3, found: 3 };
  const wrong = { name: "wrong", expected: 3, found: 4 };
  expect(differences([right, wrong])).toEqual([wrong]);
});
