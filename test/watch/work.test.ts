/** What is to be done about a domain, and the worklist over many: causes, weights, lines, bounds, and how much mail they cover. */
import { beforeEach, describe, expect, it } from "vitest";
import { simulateWork } from "../../bench/worklist/fleet.ts";
import { mailBySender } from "../../shared/guidance/mail-by-sender.ts";
import { judge } from "../../shared/guidance/verdict.ts";
import { ask } from "../../shared/ledger/database.ts";
import { workDomainsQuery, worklistQuery } from "../../shared/ledger/worklist.ts";
import { WORK_LIMITS } from "../../shared/limits.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import { WORK_CODES, type WorkItem, workOf } from "../../shared/watch/work.ts";
import { workWords } from "../../shared/watch/work-words.ts";
import { evidenceOf, sumEvidence } from "../support/evidence.ts";
import { sampleRecord } from "../support/ledger-fill.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";
import { putWork } from "../support/work-fill.ts";

const DOMAIN = "acme.example";
const PERIOD = { firstDay: 20_000, lastDay: 20_029 };
const FINDING = { rule: "recordBroke", subject: "spf syntax", link: `/domains/${DOMAIN}/records` } as const;

function verdictOf(
  records: readonly AggregateRecord[],
  policy = "p=none",
  ofDay: (day: number) => readonly AggregateRecord[] = () => [],
) {
  const dated = Array.from({ length: 30 }, (_, i) =>
    [...records, ...ofDay(i)].map((record) => ({ day: PERIOD.firstDay + i, record })),
  );
  const evidence = evidenceOf(dated.flat(), PERIOD);
  return judge({
    domain: DOMAIN,
    period: PERIOD,
    mail: mailBySender(evidence, DOMAIN),
    totals: sumEvidence(evidence),
    days: dated.map((_, i) => PERIOD.firstDay + i),
    policies: [{ policy, firstDay: PERIOD.firstDay - 100, lastDay: PERIOD.lastDay }],
    ruaAddresses: [],
    decide: () => undefined,
  });
}

const signature = (domain: string, result: "pass" | "fail") => {
  return { domain, selector: "s1", result, rawResult: result, humanResult: "" } as const;
};

function sendgrid(count: number, more: Partial<AggregateRecord> = {}): AggregateRecord {
  const results = [signature("sendgrid.net", "pass")];
  return sampleRecord(DOMAIN, { count, dkim: "fail", spf: "fail", dkimResults: results, spfResults: [], ...more });
}

const own = (count: number): AggregateRecord => sampleRecord(DOMAIN, { count });

describe("the work for a domain", () => {
  it("names a service that does not sign for it, with the weekly loss", () => {
    const [first] = workOf({ verdict: verdictOf([own(1000), sendgrid(10)]), days: 30, findings: [] });
    expect(first).toEqual({
      code: "service",
      subject: "Twilio SendGrid",
      messages: 70,
      refused: 0,
      weight: 70,
      link: `/domains/${DOMAIN}/sources/sendgrid.net`,
    });
  });

  it("weighs refused mail twice, and recognises a key that does not verify", () => {
    const broken = sendgrid(10, {
      disposition: "reject",
      dkimResults: [signature(DOMAIN, "fail"), signature("sendgrid.net", "pass")],
    });
    const [first] = workOf({ verdict: verdictOf([own(1000), broken], "p=reject"), days: 30, findings: [] });
    expect(first).toMatchObject({ code: "serviceKey", messages: 70, refused: 70, weight: 140 });
  });

  it("recognises the key of a service that nobody knows, where it is the owner's", () => {
    const passing: Partial<AggregateRecord> = { dkim: "pass", dkimResults: [signature(DOMAIN, "pass")] };
    const path = {
      domain: "bounce.crm.example",
      scope: "mfrom",
      result: "pass",
      rawResult: "pass",
      humanResult: "",
    } as const;
    const crm = { spfResults: [path], dkimResults: [signature(DOMAIN, "fail")] };
    const passes = sendgrid(90, { ...crm, ...passing });
    const fails = sendgrid(30, crm);
    const stops = verdictOf([own(1000)], "p=reject", (day) => [day < 24 ? passes : fails]);
    expect(workOf({ verdict: stops, days: 30, findings: [] })[0]).toMatchObject({
      code: "serviceKey",
      subject: "crm.example",
      messages: 42,
    });
    // A key that goes on verifying is right: that mail was changed on its way.
    const changed = verdictOf([own(1000)], "p=reject", () => [passes, fails]);
    // Of a stranger it may as well be a forwarder's work.
    const stranger = verdictOf([own(1000), fails], "p=reject");
    // Nor do a few messages say anything.
    const few = verdictOf([own(1000)], "p=reject", (day) => [
      day < 24 ? { ...passes, count: 9 } : { ...fails, count: 1 },
    ]);
    for (const verdict of [changed, stranger, few]) {
      const codes = workOf({ verdict, days: 30, findings: [] }).map(({ code }) => code);
      expect(codes).not.toContain("serviceKey");
    }
  });

  it("has the next record when it is due, and is empty when nothing needs doing", () => {
    expect(workOf({ verdict: verdictOf([own(1000)]), days: 30, findings: [] })).toMatchObject([
      { code: "publish", subject: "p=quarantine; t=y", link: `/domains/${DOMAIN}` },
    ]);
    expect(workOf({ verdict: verdictOf([own(1000)], "p=reject"), days: 30, findings: [] })).toEqual([]);
    const open = verdictOf([own(1000)], "p=reject; sp=reject; np=none");
    expect(workOf({ verdict: open, days: 30, findings: [] })).toMatchObject([
      { code: "publish", subject: "np=reject" },
    ]);
  });

  it("includes findings other than a sender's mail, by kind of record", () => {
    const second = { ...FINDING, subject: "spf lookups" };
    const other = { ...FINDING, rule: "newSender", subject: "a.example" } as const;
    const items = workOf({ verdict: verdictOf([own(1000)], "p=reject"), days: 30, findings: [FINDING, second, other] });
    expect(items).toMatchObject([{ code: "recordBroke", subject: "spf" }]);
  });

  it("is limited to the most important senders of a domain", () => {
    const records = Array.from({ length: WORK_LIMITS.itemsPerDomain + 5 }, (_, i) =>
      sendgrid(i + 5, { dkimResults: [signature(`mailer${i}.example`, "pass")] }),
    );
    const items = workOf({ verdict: verdictOf([own(10_000), ...records]), days: 30, findings: [] });
    expect(items).toHaveLength(WORK_LIMITS.itemsPerDomain);
    expect(items[0]?.subject).toBe(`mailer${records.length - 1}.example`);
  });

  it("has a text for every code", () => {
    for (const code of WORK_CODES) expect(Object.values(workWords({ code, subject: "x" })).join("")).not.toBe("");
  });
});

describe("the worklist", () => {
  let ledger: SqliteLedger;
  const item = (code: WorkItem["code"], subject: string, weight: number): WorkItem => {
    return { code, subject, messages: weight, refused: 0, weight, link: "/domains/x" };
  };

  beforeEach(() => {
    ledger = new SqliteLedger();
  });

  it("has one line for the same cause across domains, the most important first", async () => {
    const work = Array.from({ length: 30 }, (_, n) => ({
      account: n < 20 ? "acme" : "globex",
      domain: `d${n}.example`,
      items: [item("service", "Brevo", n), ...(n === 3 ? [item("recordBroke", "spf", 5000)] : [])],
    }));
    await putWork(ledger, work);
    const lines = await ask(ledger, worklistQuery(["acme", "globex"]));
    expect(lines.map(({ code, domains, messages }) => [code, domains, messages])).toEqual([
      ["recordBroke", 1, 5000],
      ["service", 30, 435],
    ]);
    expect(lines[1]?.unfolded.map(({ domain }) => domain)).toEqual(
      Array.from({ length: WORK_LIMITS.domainsUnfolded }, (_, i) => `d${29 - i}.example`),
    );
    const [page] = await ask(
      ledger,
      workDomainsQuery(["acme"], { code: "service", subject: "Brevo" }, { limit: 5, offset: 0 }),
    );
    expect(page?.matching).toBe(20);
  });

  it("has nothing of other accounts", async () => {
    await putWork(ledger, [{ account: "globex", domain: "theirs.example", items: [item("service", "Brevo", 1)] }]);
    expect(await ask(ledger, worklistQuery(["acme"]))).toEqual([]);
    const cause = { code: "service", subject: "Brevo" } as const;
    expect(await ask(ledger, workDomainsQuery(["acme"], cause, { limit: 5, offset: 0 }))).toEqual([]);
  });

  it("combines senders of few domains, and gives a sender of several its own line", async () => {
    const work = Array.from({ length: WORK_LIMITS.fewSenders }, (_, n) => ({
      account: "acme",
      domain: `d${n}.example`,
      items: [
        ...(n < WORK_LIMITS.sharedDomains ? [item("organization", "shared.example", 10)] : []),
        item("organization", `only${n}.example`, 1),
      ],
    }));
    await putWork(ledger, work);
    const lines = await ask(ledger, worklistQuery(["acme"]));
    expect(lines.map(({ subject, domains, messages }) => [subject, domains, messages])).toEqual([
      ["shared.example", WORK_LIMITS.sharedDomains, 10 * WORK_LIMITS.sharedDomains],
      ["", WORK_LIMITS.fewSenders, WORK_LIMITS.fewSenders],
    ]);
    // One fewer, and each has a line of its own.
    await putWork(ledger, [{ account: "acme", domain: "d9.example", items: [] }]);
    expect(await ask(ledger, worklistQuery(["acme"]))).toHaveLength(WORK_LIMITS.fewSenders);
  });

  it("is limited in length", async () => {
    const items = Array.from({ length: WORK_LIMITS.lines + 1 }, (_, i) => item("service", `service ${i}`, i + 1));
    await putWork(ledger, [{ account: "acme", domain: "d.example", items }]);
    const lines = await ask(ledger, worklistQuery(["acme"]));
    expect(lines).toHaveLength(WORK_LIMITS.lines);
    expect(lines[0]?.subject).toBe(`service ${WORK_LIMITS.lines}`);
  });

  it("covers 95 % of failing legitimate mail in 50 lines, for simulated domains", async () => {
    const simulated = Array.from({ length: 100 }, (_, number) => simulateWork(7, number));
    await putWork(
      ledger,
      simulated.map(({ domain, items }) => ({ account: "acme", domain, items })),
    );
    const lines = (await ask(ledger, worklistQuery(["acme"]))).slice(0, WORK_LIMITS.linesOnPage);
    const told = new Set(lines.map(({ code, subject }) => `${code} ${subject}`));
    const sums = { failing: 0, covered: 0 };
    for (const { cause, messages } of simulated.flatMap(({ failing }) => failing)) {
      sums.failing += messages;
      if (cause === undefined) continue;
      if (told.has(`${cause.code} ${cause.subject}`) || told.has(`${cause.code} `)) sums.covered += messages;
    }
    expect(sums.failing).toBeGreaterThan(1000);
    expect(sums.covered / sums.failing).toBeGreaterThanOrEqual(0.95);
  });
});
