/** Each rule at its bounds: what it finds, what it leaves alone, and what it takes for the cause. */
import { expect, it } from "vitest";
import type { StoredCheck } from "../../shared/guidance/stored-check.ts";
import type { Verdict } from "../../shared/guidance/verdict.ts";
import { whatIf } from "../../shared/guidance/what-if.ts";
import type { Evidence } from "../../shared/ledger/sources.ts";
import { SECONDS_PER_DAY } from "../../shared/report-day.ts";
import type { DayFigures, Figures, Sender } from "../../shared/watch/figures.ts";
import type { Finding, RuleCode } from "../../shared/watch/finding.ts";
import { findPipelineBehind } from "../../shared/watch/rules/pipeline-behind.ts";
import { announcedStateAfter } from "../../shared/watch/rules/verdict-changed.ts";
import { findAll } from "../../shared/watch/rules.ts";

const TODAY = 20_000;
const NOW = TODAY * SECONDS_PER_DAY + 12 * 3600;
const DOMAIN = "shop.example";
const KEY = `k1._domainkey.${DOMAIN}`;

function verdict(changes: Partial<Verdict> = {}): Verdict {
  return {
    domain: DOMAIN,
    state: "ready",
    reasons: [],
    days: 30,
    messages: 10_000,
    ownMessages: 9000,
    letThrough: 0,
    wouldHit: whatIf([], DOMAIN),
    policy: "p=none",
    stage: { p: "none", isTest: false },
    missing: [],
    sources: [],
    ...changes,
  };
}

function figures(changes: Partial<Figures> = {}): Figures {
  return {
    domain: DOMAIN,
    today: TODAY,
    nowSeconds: NOW,
    senders: [],
    dataSince: TODAY - 100,
    verdict: verdict(),
    stateSinceSeconds: NOW,
    toldState: "ready",
    policies: [{ policy: "p=none", firstDay: TODAY - 100, lastDay: TODAY - 1 }],
    reporters: [],
    ruaAddresses: ["rua@reports.example"],
    check: undefined,
    changes: [],
    refusedAddresses: new Set(),
    tlsDays: [],
    tlsReasons: [],
    openedSeconds: () => undefined,
    ...changes,
  };
}

function day(before: number, changes: Partial<DayFigures> = {}): DayFigures {
  return { day: TODAY - before, messages: 50, passed: 50, letThrough: 0, refused: 0, ...changes };
}

/** Five weeks of days; the newest are given. */
function days(newest: Partial<DayFigures>, usual: Partial<DayFigures> = {}): DayFigures[] {
  return Array.from({ length: 34 }, (_, i) => day(34 - i, 34 - i === 1 ? newest : usual));
}

function evidence(changes: Partial<Evidence>): Evidence {
  return {
    sourceIp: "",
    disposition: "none",
    dkim: "pass",
    spf: "fail",
    dkimResults: `${DOMAIN} k1 pass`,
    spfResults: "bounce.mailer.example mfrom pass",
    headerFrom: DOMAIN,
    reasons: "",
    messages: 1000,
    activeParts: 1023,
    firstDay: TODAY - 30,
    lastDay: TODAY - 2,
    ...changes,
  };
}

function sender(changes: Partial<Sender> = {}): Sender {
  return {
    name: "mailer.example",
    kind: "other",
    service: "",
    role: "own",
    reason: "passesDmarc",
    firstDay: TODAY - 100,
    activeParts: 10,
    days: days({}),
    evidence: [evidence({})],
    ...changes,
  };
}

const FAILS = { dkim: "fail", dkimResults: `${DOMAIN} k1 fail`, messages: 50, lastDay: TODAY - 1 } as const;

function failing(changes: Partial<Evidence> = {}, daily: Partial<DayFigures> = {}): Sender {
  return sender({
    days: days({ passed: 0, ...daily }),
    evidence: [evidence({}), evidence({ ...FAILS, ...changes })],
  });
}

function codes(found: readonly Finding[]): string[] {
  return found.map(({ rule, subject }) => `${rule} ${subject}`);
}

function change(name: string, before: string[], after: string[], daysAgo = 1) {
  return { type: "TXT", name, before, after, seenSeconds: NOW - daysAgo * SECONDS_PER_DAY };
}

it("finds nothing if nothing changes", () => {
  expect(findAll(figures({ senders: [sender()] }))).toEqual([]);
  expect(findAll(figures())).toEqual([]);
});

it("finds an own sender that starts to fail, but not one that fails a little, always failed, or is not the owner's", () => {
  const found = findAll(figures({ senders: [failing()] }));
  expect(codes(found)).toEqual(["ownSenderFails mailer.example"]);
  expect(found[0]?.evidence[0]).toContain("50 messages of 50 failed");
  const few = sender({ days: days({ passed: 46 }), evidence: failing().evidence });
  const always = sender({ days: days({ passed: 20 }, { passed: 20 }) });
  const foreign = { ...failing(), role: "foreign" } as const;
  const forwarded = sender({ days: days({ passed: 0, letThrough: 50 }) });
  const weekly = sender({ days: days({ passed: 0 }).map((one) => (one.day % 7 === 0 ? { ...one, passed: 0 } : one)) });
  for (const one of [few, always, foreign, forwarded, weekly]) expect(findAll(figures({ senders: [one] }))).toEqual([]);
});

it("keeps an incident open while it fails or nothing new comes", () => {
  const opened = NOW - 5 * SECONDS_PER_DAY;
  const open = (senders: Sender[]) =>
    codes(findAll(figures({ senders, openedSeconds: (rule) => (rule === "ownSenderFails" ? opened : undefined) })));
  const since = days({ passed: 0 }).map((one) => (one.day >= TODAY - 6 ? { ...one, passed: 40 } : one));
  expect(open([sender({ days: since })])).toEqual(["ownSenderFails mailer.example"]);
  expect(open([sender({ days: days({}).filter((one) => one.day < TODAY - 8) })])).toEqual([
    "ownSenderFails mailer.example",
  ]);
  expect(open([sender()])).toEqual([]);
});

it.each([
  ["dkimKeyGone", {}, [change(KEY, ["v=DKIM1; p=MII"], [])]],
  ["dkimKeyGone", {}, [change(KEY, ["v=DKIM1; p=MII"], ["v=DKIM1; p="])]],
  ["dkimKeyChanged", {}, [change(KEY, ["v=DKIM1; p=MII"], ["v=DKIM1; p=MIJ"])]],
  ["newSelector", { dkimResults: `${DOMAIN} k2 permerror` }, []],
  ["signingStopped", { dkimResults: "mailer.example own pass" }, []],
  ["signatureBroken", {}, []],
] as const)("names %s as the cause, from the failing mail and DNS", (code, changes, records) => {
  const [found] = findAll(figures({ senders: [failing(changes)], changes: [...records] }));
  expect(found?.causes[0]?.code).toBe(code);
});

it("blames an SPF change only for a sender that passed by SPF alone", () => {
  const spf = change(DOMAIN, ["v=spf1 include:a.example include:b.example -all"], ["v=spf1 include:a.example -all"]);
  const bySpf = { dkim: "fail", spf: "pass", dkimResults: "", spfResults: `${DOMAIN} mfrom pass` } as const;
  const alone = sender({
    days: days({ passed: 0 }),
    evidence: [
      evidence(bySpf),
      evidence({ ...bySpf, spf: "fail", spfResults: `${DOMAIN} mfrom fail`, lastDay: TODAY - 1 }),
    ],
  });
  const [found] = findAll(figures({ senders: [alone], changes: [spf] })).filter(
    ({ rule }) => rule === "ownSenderFails",
  );
  expect(found?.causes[0]).toMatchObject({ code: "spfChanged" });
  expect(found?.causes[0]?.sentence).toContain("include:b.example");
  const [signed] = findAll(figures({ senders: [failing()], changes: [spf] }));
  expect(signed?.causes.map(({ code }) => code)).not.toContain("spfChanged");
});

it("finds, as urgent, own mail refused after the policy was tightened", () => {
  const refused = sender({
    role: "undecided",
    reason: "knownService",
    days: days({ passed: 0, refused: 50 }, { passed: 0 }),
    evidence: [evidence({ dkim: "fail", dkimResults: "mailer.example own pass", disposition: "reject" })],
  });
  const policies = [
    { policy: "p=reject", firstDay: TODAY - 1, lastDay: TODAY - 1 },
    { policy: "p=none", firstDay: TODAY - 100, lastDay: TODAY - 2 },
  ];
  const [found, ...others] = findAll(figures({ senders: [refused], policies }));
  expect(others).toEqual([]);
  expect(found).toMatchObject({ rule: "ownMailRefused", severity: "urgent", causes: [{ code: "policyTightened" }] });
  expect(findAll(figures({ senders: [{ ...refused, reason: "identifiedSender" }], policies }))).toEqual([]);
});

it("finds a new sender above a threshold for an established domain, but not a forwarder or mailbox provider", () => {
  const fresh = (changes: Partial<Sender>, messages = 10) =>
    sender({
      role: "undecided",
      firstDay: TODAY - 1,
      days: [day(1, { messages, passed: 0 })],
      evidence: [],
      ...changes,
    });
  const asked = (one: Sender, changes: Partial<Figures> = {}) =>
    codes(findAll(figures({ senders: [one], ...changes })));
  expect(asked(fresh({}))).toEqual(["newSender mailer.example"]);
  expect(asked(fresh({}, 9))).toEqual([]);
  expect(asked(fresh({ role: "forwarder" }))).toEqual([]);
  expect(asked(fresh({ role: "foreign" }))).toEqual([]);
  // Foreign only because nothing of the domain passes.
  expect(asked(fresh({ role: "foreign", reason: "oneOff" }))).toEqual(["newSender mailer.example"]);
  expect(asked(fresh({ role: "foreign", reason: "oneOff" }, 9))).toEqual([]);
  // Too small to be asked about yet: 10 of 12,000 messages, and of 13,000.
  const small = fresh({ role: "foreign", reason: "smallSender" });
  const of = (ownMessages: number): Partial<Figures> => ({ verdict: verdict({ ownMessages }) });
  expect(asked(small, of(12_000))).toEqual(["newSender mailer.example"]);
  expect(asked(small, of(13_000))).toEqual([]);
  expect(asked(fresh({ role: "foreign", reason: "smallSender" }, 9), of(9000))).toEqual([]);
  expect(asked(fresh({ name: "groups.io" }))).toEqual([]);
  expect(asked(fresh({ reason: "decided" }))).toEqual([]);
  expect(asked(fresh({ firstDay: TODAY - 8 }))).toEqual([]);
  expect(asked(fresh({}), { dataSince: TODAY - 10 })).toEqual([]);
  expect(asked(fresh({ role: "own", days: [day(1, { messages: 5, passed: 5 })] }))).toEqual([
    "newSender mailer.example",
  ]);
});

it("finds spoofing far above earlier days of an established domain, unless it has p=reject", () => {
  const spoofer = (newest: number) =>
    sender({
      name: "",
      kind: "none",
      role: "foreign",
      days: days({ messages: newest, passed: 0 }, { messages: 40, passed: 0 }),
      evidence: [],
    });
  expect(codes(findAll(figures({ senders: [spoofer(120)] })))).toEqual(["spoofingRises spoofing"]);
  expect(findAll(figures({ senders: [spoofer(119)] }))).toEqual([]);
  expect(findAll(figures({ senders: [spoofer(120)], dataSince: TODAY - 20 }))).toEqual([]);
  const protectedBy = verdict({ stage: { p: "reject", isTest: false } });
  expect(findAll(figures({ senders: [spoofer(120)], verdict: protectedBy }))).toMatchObject([{ severity: "info" }]);
});

it("finds a drop of the pass rate that no single sender explains", () => {
  const many = Array.from({ length: 10 }, (_, i) =>
    sender({ name: `s${i}.example`, days: days({ messages: 7, passed: 3 }, { messages: 7, passed: 7 }), evidence: [] }),
  );
  expect(codes(findAll(figures({ senders: many })))).toEqual(["passRateDrops domain"]);
  const young = many.map((one) => ({ ...one, days: one.days.slice(-14) }));
  expect(findAll(figures({ senders: young }))).toEqual([]);
});

function check(
  changes: Partial<StoredCheck>,
  finding?: { kind: "dmarc" | "spf" | "mtaSts"; code: string; asked: string },
) {
  const checks: StoredCheck["checks"] =
    finding === undefined
      ? []
      : [
          {
            kind: finding.kind,
            state: "broken",
            summary: "",
            findings: [{ code: finding.code, state: "broken", sentence: "It is broken.", rule: "" }],
            asked: [{ type: "TXT", name: finding.asked, status: "answers", records: [] }],
          },
        ];
  return {
    domain: DOMAIN,
    state: "good",
    organizationalDomain: DOMAIN,
    policyDomain: DOMAIN,
    policies: {},
    olderPolicies: {},
    destinations: [{ uri: "mailto:rua@reports.example", host: "reports.example", outcome: "authorized" }],
    spfLookups: 0,
    keys: [],
    checks,
    ...changes,
  } satisfies StoredCheck;
}

it("finds a broken record with its change, and an MTA-STS policy that blocks mail", () => {
  const spf = check({}, { kind: "spf", code: "syntax_error", asked: DOMAIN });
  const changes = [change(DOMAIN, ["v=spf1 -all"], ["v=spf1 ip4:999 -all"])];
  const found = findAll(figures({ check: spf, changes }));
  expect(codes(found).slice(0, 1)).toEqual(["recordBroke spf syntax_error"]);
  expect(found[0]?.causes[0]?.code).toBe("recordChanged");
  const mtaStsPolicy = { mode: "enforce" as const, mx: [], maxAgeSeconds: 1 };
  const uncovered = { kind: "mtaSts", code: "uncovered_host", asked: DOMAIN } as const;
  expect(findAll(figures({ check: check({ mtaStsPolicy }, uncovered) }))).toMatchObject([
    { rule: "mtaStsBreaksMail", severity: "urgent" },
  ]);
});

it("reports record changes for information, but of a domain's own TXT records only SPF", () => {
  const verification = change(DOMAIN, ["v=spf1 -all"], ["v=spf1 -all", "verification=1"]);
  expect(findAll(figures({ changes: [verification] }))).toEqual([]);
  const spf = change(DOMAIN, ["v=spf1 -all"], ["v=spf1 a -all"]);
  expect(findAll(figures({ changes: [spf] }))).toMatchObject([
    { rule: "recordChanged", severity: "info", isEvent: true },
  ]);
  expect(findAll(figures({ changes: [{ ...spf, seenSeconds: NOW - 4 * SECONDS_PER_DAY }] }))).toEqual([]);
});

const daily = (until: number) => Array.from({ length: 30 }, (_, i) => TODAY - until - 29 + i);

it.each([
  ["recordRemoved", { check: check({ policyDomain: undefined as never, destinations: [] }) }],
  ["ruaRemoved", { check: check({ destinations: [{ uri: "mailto:x@other.example", outcome: "authorized" }] }) }],
  [
    "destinationRefused",
    { check: check({ destinations: [{ uri: "mailto:rua@reports.example", outcome: "refused" }] }) },
  ],
  ["mailRefused", { check: check({}), refusedAddresses: new Set(["rua@reports.example"]) }],
  ["unknown", {}],
] as const)("finds that reports have stopped, and says which: %s", (code, changes) => {
  const found = findAll(figures({ reporters: [{ reporter: "google.com", days: daily(4) }], ...changes }));
  expect(found).toMatchObject([{ rule: "reportsStopped", severity: "urgent", causes: [{ code }] }]);
  expect(findAll(figures({ reporters: [{ reporter: "google.com", days: daily(3) }], ...changes }))).toEqual([]);
});

it("finds a reporter that stopped while others continue, but not an occasional one", () => {
  const others = { reporter: "others", days: daily(1) };
  const silent = (days: number[]) => codes(findAll(figures({ reporters: [others, { reporter: "google.com", days }] })));
  expect(silent(daily(6))).toEqual(["reporterSilent google.com"]);
  expect(silent(daily(5))).toEqual([]);
  expect(silent(daily(6).filter((_, i) => i % 3 === 0))).toEqual([]);
});

it("a reporter's name takes a part of the title only, on its line", () => {
  const others = { reporter: "others", days: daily(1) };
  const reporter = `A\r\n\r\nB ${"C".repeat(5000)}`;
  const [found] = findAll(figures({ reporters: [others, { reporter, days: daily(6) }] }));
  expect(found?.title).toMatch(/^A B C{96}… no longer reports about /);
  expect(found?.subject).toBe(reporter);
});

it("finds TLS sessions failing above the usual share, with the reported reason", () => {
  const tls = (failed: number, usual = 0) =>
    Array.from({ length: 20 }, (_, i) => ({
      day: TODAY - 20 + i,
      successful: 100,
      failed: i >= 18 ? failed : usual,
    }));
  const tlsReasons = [
    { resultType: "starttls-not-supported", sessions: 2 },
    { resultType: "certificate-expired", sessions: 20 },
  ];
  const [found] = findAll(figures({ tlsDays: tls(12), tlsReasons }));
  expect(found).toMatchObject({ rule: "tlsFails", causes: [{ code: "certificate-expired" }, {}] });
  const unknown = figures({ tlsDays: tls(12), tlsReasons: [{ resultType: "constructor", sessions: 24 }] });
  expect(findAll(unknown)[0]?.causes[0]?.sentence).toBe("Senders say constructor. (24 sessions)");
  expect(findAll(figures({ tlsDays: tls(4), tlsReasons }))).toEqual([]);
  expect(findAll(figures({ tlsDays: tls(12, 10), tlsReasons }))).toEqual([]);
});

/** Of 9,000 messages of the owner's, so many fail and would be hit. */
function notYet(failing: number, reasons: Verdict["reasons"] = []): Verdict {
  const none = { own: 0, undecided: 0, foreign: 0, forwarder: 0 };
  const wouldHit = { ...whatIf([], DOMAIN), reject: { ...none, own: failing } };
  return verdict({ state: "notYet", reasons, wouldHit });
}

it("reports a new verdict after a week, rejected mail at once, and nothing before the first verdict", () => {
  const held = NOW - 7 * SECONDS_PER_DAY;
  const changed = { verdict: notYet(18) };
  expect(findAll(figures({ ...changed, stateSinceSeconds: held }))).toMatchObject([
    { rule: "verdictChanged", severity: "attention" },
  ]);
  expect(findAll(figures({ ...changed, stateSinceSeconds: held + 1 }))).toEqual([]);
  expect(findAll(figures({ ...changed, stateSinceSeconds: held, toldState: "" }))).toEqual([]);
  expect(findAll(figures({ verdict: verdict({ state: "beingRejected" }) }))).toMatchObject([{ severity: "urgent" }]);
  expect(announcedStateAfter(figures({ ...changed, toldState: "" }), [])).toBe("notYet");
  expect(announcedStateAfter(figures({ ...changed }), [])).toBe("ready");
});

it("does not say that a domain is not yet ready when an incident that made it so is over", () => {
  const changed = { verdict: notYet(18), stateSinceSeconds: NOW };
  const stateSinceSeconds = NOW - 7 * SECONDS_PER_DAY;
  const announced = (rule: RuleCode, state: "open" | "resolved") =>
    announcedStateAfter(figures(changed), [{ rule, state }]);
  const told = announced("ownSenderFails", "open");
  expect(told).toBe("notYet");
  // The mail that failed is still in the verdict's period.
  expect(findAll(figures({ ...changed, stateSinceSeconds, toldState: told }))).toEqual([]);
  expect(announced("ownSenderFails", "resolved")).toBe("ready");
  expect(announced("spoofingRises", "open")).toBe("ready");
  expect(announcedStateAfter(figures(), [{ rule: "ownSenderFails", state: "open" }])).toBe("ready");
});

it("reports after a month only that a ready domain is a few failing messages above the limit", () => {
  const [week, month] = [7, 30].map((days) => ({ stateSinceSeconds: NOW - days * SECONDS_PER_DAY }));
  // 0.1 % of 9,000 is 9: twice that is clear. Two messages of 900 are more, and few.
  const near = [{ verdict: notYet(17) }, { verdict: { ...notYet(2), ownMessages: 900 } }];
  for (const one of near) {
    expect(findAll(figures({ ...one, ...week }))).toEqual([]);
    expect(announcedStateAfter(figures({ ...one, ...week }), [])).toBe("ready");
    expect(findAll(figures({ ...one, ...month }))).toMatchObject([{ rule: "verdictChanged" }]);
    // It was not announced as ready before.
    expect(findAll(figures({ ...one, ...week, toldState: "protected" }))).toMatchObject([{ rule: "verdictChanged" }]);
  }
  const few = { ...notYet(3), ownMessages: 900 };
  expect(findAll(figures({ verdict: few, ...week }))).toMatchObject([{ rule: "verdictChanged" }]);
  const spfOnly = notYet(0, [{ code: "spfOnly", messages: 5000 }]);
  expect(findAll(figures({ verdict: spfOnly, ...week }))).toMatchObject([{ rule: "verdictChanged" }]);
});

it("finds work that waits in the pipeline too long", () => {
  const databases = [{ database: 0, bytes: 399_000_000 }];
  const calm = {
    nowSeconds: NOW,
    deadLetters: 100,
    conflicts: 50,
    queues: [],
    databases,
    maxDatabaseBytes: 500_000_000,
  };
  expect(findPipelineBehind(calm)).toEqual([]);
  const queue = { queue: "dmarc-reports", messages: 3, oldestSeconds: NOW - 7 * 3600 };
  const found = findPipelineBehind({ ...calm, deadLetters: 101, conflicts: 51, queues: [queue] });
  expect(codes(found)).toEqual([
    "pipelineBehind deadLetters",
    "pipelineBehind conflicts",
    "pipelineBehind queue dmarc-reports",
  ]);
  expect(findPipelineBehind({ ...calm, databases: [{ database: 0, bytes: 400_000_000 }] })).toMatchObject([
    {
      subject: "database 0",
      title: "Database 0 holds 400 of 500 MB",
      evidence: [
        "A full database takes no report: new accounts need another, its own fewer days of details (KEEP_DETAIL_DAYS), or Workers Paid, where each may hold 10 GB.",
      ],
    },
  ]);
});
