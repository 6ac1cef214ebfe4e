/** Support: a domain in each state of the verdict, as reports of the last 30 days tell of it. */
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import { aggregateReport, commitSamples, type Sample, sampleRecord } from "./ledger-fill.ts";

/** State → the domain in it. */
export const STATE_DOMAINS = {
  beingRejected: "refused.example",
  notYet: "not-yet.example",
  ready: "ready.example",
  protected: "protected.example",
  tooEarly: "too-early.example",
  notInUse: "parked.example",
} as const;

const OWN_SPF = { scope: "mfrom", result: "pass", rawResult: "pass", humanResult: "" } as const;

interface Plan {
  p: "none" | "quarantine" | "reject";
  days: number;
  records(day: number): AggregateRecord[];
}

function own(domain: string, count: number): AggregateRecord {
  return sampleRecord(domain, { count, spf: "pass", spfResults: [{ ...OWN_SPF, domain }] });
}

function service(domain: string, count: number, disposition: "none" | "reject"): AggregateRecord {
  return sampleRecord(domain, {
    count,
    disposition,
    sourceIp: "198.51.100.7",
    dkim: "fail",
    dkimResults: [{ domain: "sendgrid.net", selector: "s1", result: "pass", rawResult: "pass", humanResult: "" }],
    spfResults: [{ ...OWN_SPF, domain: "bounce.sendgrid.net" }],
  });
}

function spoofed(domain: string, day: number, disposition: "none" | "reject"): AggregateRecord {
  const sourceIp = `203.0.${day % 200}.${1 + (day % 7)}`;
  return sampleRecord(domain, { count: 3, disposition, sourceIp, dkim: "fail", dkimResults: [] });
}

function forwarded(domain: string, count: number): AggregateRecord {
  return sampleRecord(domain, {
    count,
    sourceIp: "203.0.113.200",
    dkim: "fail",
    dkimResults: [{ domain, selector: "s1", result: "fail", rawResult: "fail", humanResult: "" }],
    spfResults: [{ ...OWN_SPF, domain: "alumni.example" }],
    reasons: [{ type: "forwarded", rawType: "forwarded", comment: "" }],
  });
}

const PLANS: Record<keyof typeof STATE_DOMAINS, Plan> = {
  beingRejected: {
    p: "reject",
    days: 30,
    records: (day) => [
      own("refused.example", 300),
      service("refused.example", 143, "reject"),
      spoofed("refused.example", day, "reject"),
    ],
  },
  notYet: {
    p: "none",
    days: 30,
    records: (day) => [
      own("not-yet.example", 300),
      service("not-yet.example", 12, "none"),
      { ...service("not-yet.example", 2, "none"), headerFrom: "news.not-yet.example" },
      spoofed("not-yet.example", day, "none"),
    ],
  },
  ready: {
    p: "none",
    days: 30,
    records: (day) => [own("ready.example", 300), forwarded("ready.example", 2), spoofed("ready.example", day, "none")],
  },
  protected: {
    p: "reject",
    days: 30,
    records: (day) => [own("protected.example", 300), spoofed("protected.example", day, "reject")],
  },
  tooEarly: { p: "none", days: 6, records: () => [own("too-early.example", 40)] },
  notInUse: { p: "none", days: 30, records: (day) => [spoofed("parked.example", day, "none")] },
};

/** Writes their reports, one a day up to `today`. */
export async function seedVerdicts(ledger: LedgerDatabase, today: number, nowSeconds: number): Promise<void> {
  let number = 0;
  const samples: Sample[] = [];
  for (const [state, domain] of Object.entries(STATE_DOMAINS)) {
    const { p, days, records } = PLANS[state as keyof typeof STATE_DOMAINS];
    for (let day = today - days + 1; day <= today; day++) {
      number++;
      const rows = records(day);
      samples.push({
        account: "acme",
        uid: number.toString(16).padStart(32, "0"),
        report: aggregateReport(domain, { day, records: rows, p }),
        records: rows,
        receivedSeconds: (day + 1) * 86_400,
      });
    }
  }
  for (let i = 0; i < samples.length; i += 25) await commitSamples(ledger, samples.slice(i, i + 25), { nowSeconds });
}
