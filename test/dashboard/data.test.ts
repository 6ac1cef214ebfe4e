import { describe, expect, it } from "vitest";
import { hasPass, readAuthResults, readReasons } from "../../shared/guidance/auth-results.ts";
import { KNOWN_FORWARDERS, MAILBOX_PROVIDERS } from "../../shared/guidance/known-forwarders.ts";
import { KNOWN_SERVICES, knownService } from "../../shared/guidance/known-services.ts";
import { SERVICES } from "../../shared/guidance/service-domains.ts";
import { identifySource, isNewSource, mergeSources } from "../../shared/guidance/sources.ts";
import type { SourceGroup } from "../../shared/ledger/sources.ts";
import { DASHBOARD_LIMITS } from "../../shared/limits.ts";
import { organizationalDomain } from "../../shared/organizational-domain.ts";
import { parseDay } from "../../shared/report-day.ts";
import { isoDay, isoHour, isoMinute } from "../../workers/dashboard/data/days.ts";
import { partsOfPeriod, periodBefore, readPeriod } from "../../workers/dashboard/data/period.ts";
import { asksToReject, describePolicy, shortPolicy } from "../../workers/dashboard/data/policy.ts";
import { reportersToChoose } from "../../workers/dashboard/data/reporters.ts";
import fc from "../support/properties.ts";

const TODAY = parseDay("2026-11-21") ?? 0;

describe("days", () => {
  it.each(["2026-02-29", "2026-13-01", "26-01-01", "2026-1-1", "", "2026-01-01T00:00"])("refuse %j", (text) => {
    expect(parseDay(text)).toBeUndefined();
  });

  it("are written and read back unchanged, and never throw", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 100_000 }), (day) => parseDay(isoDay(day)) === day));
    expect([isoDay(Number.NaN), isoDay(1e12), isoMinute(Number.POSITIVE_INFINITY), isoMinute(0)]).toEqual([
      "",
      "",
      "",
      "",
    ]);
  });
});

describe("hours", () => {
  it("are named as times of the day, UTC", () => {
    const day = 24 * (parseDay("2026-11-21") ?? 0);
    expect([isoHour(day), isoHour(day + 23)]).toEqual(["00:00 UTC", "23:00 UTC"]);
  });
});

describe("a period", () => {
  const read = (query: string) => readPeriod(new URLSearchParams(query), TODAY);

  it("is the last 30 days unless the link says otherwise", () => {
    expect(read("")).toEqual({ ok: true, value: { firstDay: TODAY - 29, lastDay: TODAY, preset: 30 } });
    expect(read("days=7")).toMatchObject({ value: { firstDay: TODAY - 6, lastDay: TODAY, preset: 7 } });
    expect(read("from=2026-11-01&to=2026-11-02")).toEqual({
      ok: true,
      value: { firstDay: TODAY - 20, lastDay: TODAY - 19 },
    });
  });

  it.each(["from=yesterday", "to=2026-02-30", "from=2026-11-02&to=2026-11-01", "from=1999-01-01", "days=0", "days=x"])(
    "refuses %s in a sentence",
    (query) => expect(read(query)).toMatchObject({ ok: false, error: expect.stringMatching(/\.$/) }),
  );

  it("is preceded by a period of the same length", () => {
    for (const query of ["", "days=7", "from=2026-01-01&to=2026-03-01"]) {
      const period = read(query);
      if (!period.ok) throw new Error(period.error);
      const before = periodBefore(period.value);
      expect(before.lastDay + 1).toBe(period.value.firstDay);
      expect(before.lastDay - before.firstDay).toBe(period.value.lastDay - period.value.firstDay);
    }
  });
});

describe("the parts of a period", () => {
  it.each([1, 7, 30, 31, 90, 732])("of %i days are at most thirty and cover each day once", (days) => {
    const period = { firstDay: TODAY, lastDay: TODAY + days - 1 };
    const parts = partsOfPeriod(period);
    expect(parts.length).toBeLessThanOrEqual(30);
    expect(parts[0]?.[0]).toBe(period.firstDay);
    expect(parts.at(-1)?.[1]).toBe(period.lastDay);
    for (const [i, [first]] of parts.slice(1).entries()) expect(first).toBe((parts[i]?.[1] ?? 0) + 1);
  });
});

describe("a policy summary", () => {
  it("lists the differences from the defaults", () => {
    expect(shortPolicy("p=none; sp=none; np=none; adkim=r; aspf=r; pct=100")).toBe("p=none");
    expect(shortPolicy("p=reject; sp=none; np=none; adkim=s; aspf=s; pct=50; fo=1; t=y")).toBe(
      "p=reject; sp=none; adkim=s; aspf=s; pct=50; t=y",
    );
    expect(shortPolicy("")).toBe("p=unknown");
    expect(describePolicy("p=quarantine; pct=20")).toContain("20 %");
    expect(describePolicy("nonsense")).toContain("do not say");
  });

  it("tells whether all failing mail, a part of it, or none yet is to be refused", () => {
    const policies = ["p=reject", "p=reject; pct=50", "p=reject; t=y", "p=quarantine", ""];
    expect(policies.map(asksToReject)).toEqual([true, false, false, false, false]);
  });
});

describe("the reporters to choose from", () => {
  it("are listed once, in order, and few enough to choose from", () => {
    expect(reportersToChoose(["b", "a", "b"], "")).toEqual(["a", "b"]);
    const many = Array.from({ length: 5000 }, (_, place) => `reporter ${place}`);
    expect(reportersToChoose(many, "")).toHaveLength(DASHBOARD_LIMITS.maxReporters);
    expect(reportersToChoose(many, "reporter 4999")[0]).toBe("reporter 4999");
  });
});

describe("sources", () => {
  const evidence = (dkimResults: string, spfResults: string) => ({ dkimResults, spfResults, sourceIp: "192.0.2.1" });

  it.each([
    ["mail.example.co.uk", "example.co.uk"],
    ["EXAMPLE.com", "example.com"],
    ["co.uk", "co.uk"],
    ["192.0.2.1", "192.0.2.1"],
    ["", ""],
    ["a b", "a b"],
  ])("the organizational domain of %j is %j", (host, expected) => {
    expect(organizationalDomain(host)).toBe(expected);
  });

  it("are named by who authenticated the mail: another organization first, then the owner, then the address", () => {
    const own = "a.example.com s1 pass";
    expect(identifySource(evidence(own, "b.example.com mfrom pass"), "example.com")).toEqual({
      name: "example.com",
      kind: "own",
    });
    expect(identifySource(evidence(`${own}\nmx.sender.test k pass`, ""), "example.com")).toEqual({
      name: "sender.test",
      kind: "other",
    });
    expect(identifySource(evidence(own, "bounce.sender.test mfrom pass"), "example.com").name).toBe("sender.test");
    expect(identifySource(evidence("sender.test k fail", "sender.test mfrom softfail"), "example.com")).toEqual({
      name: "192.0.2.1",
      kind: "none",
    });
    expect(identifySource({ dkimResults: "", spfResults: "", sourceIp: "" }, "example.com").name).toBe("unknown");
  });

  it("never throw for any report", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (dkim, spf, domain) => {
        expect(identifySource(evidence(dkim, spf), domain).name).not.toBe("");
      }),
    );
  });

  it("sum up their groups and know services", () => {
    const sources = mergeSources(
      [
        group({ dkimResults: "a.amazonses.com s pass", messages: 5, passed: 5, firstDay: 10, lastDay: 12 }),
        group({ spfResults: "b.amazonses.com mfrom pass", messages: 7, firstDay: 8, lastDay: 9 }),
        group({ sourceIp: "192.0.2.9", messages: 1 }),
      ],
      "example.com",
    );
    expect(sources).toMatchObject([
      {
        name: "amazonses.com",
        service: "Amazon SES",
        messages: 12,
        passed: 5,
        dkimPassed: 5,
        spfPassed: 7,
        firstDay: 8,
        lastDay: 12,
      },
      { name: "192.0.2.9", kind: "none", service: "" },
    ]);
    const [ses] = sources;
    if (ses === undefined) throw new Error("no source");
    expect(isNewSource(ses, { firstDay: 8, dataSince: 7 })).toBe(true);
    expect(isNewSource(ses, { firstDay: 8, dataSince: 8 })).toBe(false);
    expect(isNewSource(ses, { firstDay: 9, dataSince: 1 })).toBe(false);
  });

  it("keep results and reasons as written, even if they are cut", () => {
    expect(readAuthResults("a s pass\n- - fail\nb")).toEqual([
      { domain: "a", detail: "s", result: "pass" },
      { domain: "", detail: "", result: "fail" },
      { domain: "b", detail: "", result: "" },
    ]);
    expect([hasPass("a s fail"), hasPass("a pass fail"), hasPass("a s pass")]).toEqual([false, false, true]);
    expect(readReasons("forwarded\nother because of it")).toEqual([
      { type: "forwarded", comment: "" },
      { type: "other", comment: "because of it" },
    ]);
  });
});

describe("services", () => {
  it.each([
    ["amazonses.com", "Amazon SES"],
    ["em1234.sendgrid.net", "Twilio SendGrid"],
    ["acme.onmicrosoft.com", "Microsoft 365"],
    ["acme-example.20230601.gappssmtp.com", "Google Workspace"],
    ["mail42.SUW15.mcsv.net", "Mailchimp"],
    ["pm.mtasv.net", "Postmark"],
    ["notsendgrid.net", undefined],
    ["sendgrid.net.evil.example", undefined],
    ["eu-west-1.amazonses.com", "Amazon SES"],
    ["notamazonses.com", undefined],
    ["amazonses.com.acme.example", undefined],
    ["amazonses.acme.example", undefined],
    ["u123.wl.sendgrid.net", "Twilio SendGrid"],
    ["mail-db8eur05on2101.outbound.protection.outlook.com", "Microsoft 365"],
    ["acme-example.mail.protection.outlook.com", "Microsoft 365"],
    ["protection.outlook.com.acme.example", undefined],
    ["outlook.com.br", undefined],
    // A domain of the customer's own at a service is the customer's.
    ["mg.acme.example", undefined],
    ["mailgun.acme.example", undefined],
    ["m42-8.mailgun.net", "Mailgun"],
    ["mail-wr1-f41.google.com", "Google"],
    ["google.com.acme.example", undefined],
    ["mail-sor-f41.googlegroups.com", "Google Groups"],
    ["o1.ptr1234.freshdesk.com", "Freshworks"],
    ["Mout.GMX.net", "GMX"],
    ["constructor", undefined],
    ["net", undefined],
  ])("%s is %s", (domain, service) => expect(knownService(domain)).toBe(service));

  it("are identified by the organizational domains that name sources", () => {
    for (const domain of KNOWN_SERVICES.keys()) expect(organizationalDomain(`bounce.${domain}`)).toBe(domain);
    for (const domain of KNOWN_FORWARDERS.keys()) expect(organizationalDomain(`bounce.${domain}`)).toBe(domain);
  });

  it("have each domain once, and every mailbox provider among them", () => {
    const domains = Object.values(SERVICES).flat();
    expect(new Set(domains).size).toBe(domains.length);
    const names = new Set(KNOWN_SERVICES.values());
    for (const provider of MAILBOX_PROVIDERS) expect(names).toContain(provider);
  });

  it("include the widely used ones", () => {
    const names = [...new Set(KNOWN_SERVICES.values())].join("\n");
    for (const name of WIDELY_USED) expect(names).toContain(name);
  });
});

const WIDELY_USED = [
  ...["Google", "Microsoft 365", "Amazon SES", "SendGrid", "Mailchimp", "Mandrill", "Mailgun", "Postmark", "SparkPost"],
  ...["Salesforce", "HubSpot", "Zendesk", "Brevo", "Mailjet", "Klaviyo", "Constant Contact", "Campaign Monitor"],
  ...["Zoho", "Fastmail", "Proton", "OVH", "IONOS", "Cloudflare Email", "Help Scout", "Pipedrive", "Barracuda"],
  ...[
    "CleverReach",
    "Braze",
    "Emarsys",
    "Resend",
    "MailChannels",
    "GMX",
    "Yandex",
    "T-Online",
    "Namecheap",
    "Bluehost",
  ],
];

function group(given: Partial<SourceGroup>): SourceGroup {
  return {
    dkimResults: "",
    spfResults: "",
    sourceIp: "",
    messages: 0,
    passed: 0,
    dkimAligned: 0,
    spfAligned: 0,
    quarantined: 0,
    rejected: 0,
    spared: 0,
    uncounted: 0,
    firstDay: 1,
    lastDay: 1,
    ...given,
  };
}
