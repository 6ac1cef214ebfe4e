/** Senders to decide about: the list, suggestions, one press; the API's answer; who may. Over a ledger in workerd's D1. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { putAddressNames } from "../../shared/ledger/address-names.ts";
import { change } from "../../shared/ledger/database.ts";
import { putSenderDecision, type SenderDecision } from "../../shared/ledger/sender-decisions.ts";
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import { aggregateReport, commitSamples, type Sample, sampleRecord } from "../support/ledger-fill.ts";
import { TODAY } from "../support/today.ts";
import { API_TOKEN, apiOf, type Dashboard, pageOf, startDashboard } from "./harness.ts";

const nowSeconds = Math.floor(Date.now() / 1000);
const DOMAIN = "asked.example";
const SMALL = "small.example";
const FAILING: Partial<AggregateRecord> = { dkim: "fail", spf: "fail", dkimResults: [], spfResults: [] };

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await startDashboard({ vars: { API_TOKEN } });
  const samples = Array.from({ length: 30 }, (_, i): Sample => {
    const records = [
      sampleRecord(DOMAIN, { count: 100, spf: "pass", spfResults: [spf(DOMAIN)] }),
      sampleRecord(DOMAIN, { ...FAILING, count: 7, sourceIp: "203.0.113.3" }),
      sampleRecord(DOMAIN, { ...FAILING, count: 5, sourceIp: "203.0.113.4" }),
      sampleRecord(DOMAIN, {
        ...FAILING,
        count: 4,
        sourceIp: "198.51.100.7",
        spfResults: [spf("bounce.sendgrid.net")],
      }),
    ];
    const day = TODAY - 29 + i;
    return {
      account: "acme",
      uid: i.toString(16).padStart(32, "0"),
      report: aggregateReport(DOMAIN, { day, records, p: "none" }),
      records,
      receivedSeconds: nowSeconds,
    };
  });
  await commitSamples(dashboard.ledger, samples, { nowSeconds });
  await seedManySmall(dashboard);
  const records = ["2001:db8:1:2::5", "2001:db8:1:2:9::", "2001:db8:1:3::1"].map((sourceIp) =>
    sampleRecord("six.example", { sourceIp, count: 10 }),
  );
  const report = aggregateReport("six.example", { day: TODAY - 1, records });
  const six: Sample = { account: "acme", uid: "f".repeat(32), report, records, receivedSeconds: nowSeconds };
  await commitSamples(dashboard.ledger, [six], { nowSeconds });
  const name = { address: "203.0.113.3", host: `crm.${DOMAIN}`, asn: 64500, holder: "HOSTER", country: "DE" };
  const [first, , third] = records;
  const others = [first, third].map((record, i) => ({
    address: record?.sourceIp ?? "",
    host: `mx${i}.pool.hoster.example`,
    asn: 0,
    holder: "",
    country: "",
  }));
  await change(dashboard.ledger, [putAddressNames([name, ...others], nowSeconds + 86_400)]);
});

/** A domain with two senders, each too small to be asked about by itself. */
async function seedManySmall({ ledger }: Dashboard): Promise<void> {
  const samples = Array.from({ length: 30 }, (_, i): Sample => {
    const small = ["one.example", "two.example"].map((name) =>
      sampleRecord(SMALL, { ...FAILING, count: 2, sourceIp: "198.51.100.9", spfResults: [spf(name)] }),
    );
    const records = [sampleRecord(SMALL, { count: 100 }), ...(i === 9 ? small : [])];
    return {
      account: "acme",
      uid: (1000 + i).toString(16).padStart(32, "0"),
      report: aggregateReport(SMALL, { day: TODAY - 29 + i, records, p: "none" }),
      records,
      receivedSeconds: nowSeconds,
    };
  });
  await commitSamples(ledger, samples, { nowSeconds });
}

afterAll(() => dashboard.close());

function spf(domain: string) {
  return { domain, scope: "mfrom", result: "pass", rawResult: "pass", humanResult: "" } as const;
}

const api = () => apiOf(dashboard);

let decidedSeconds = nowSeconds;

function decide(source: string, decision: SenderDecision): Promise<unknown> {
  const decided = { account: "acme", domain: DOMAIN, source, decision, note: "", decidedBy: "me" };
  return change(dashboard.ledger, [putSenderDecision({ ...decided, decidedSeconds: ++decidedSeconds })]);
}

const page = (path: string): Promise<string> => pageOf(dashboard, path);

async function listed(undecided?: boolean): Promise<string[]> {
  const answer = await api().ask("senders", { domain: DOMAIN, ...(undecided === undefined ? {} : { undecided }) });
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value.items.map(({ source, role }) => `${source} ${role}`);
}

describe("the API", () => {
  it("has small senders that are too much together, as the verdict counts them", async () => {
    const verdict = await api().ask("verdict", { domain: SMALL });
    expect(verdict).toMatchObject({ ok: true, value: { state: "notYet", wouldHit: { reject: { undecided: 4 } } } });
    const senders = await api().ask("senders", { domain: SMALL, undecided: true });
    if (!senders.ok) throw new Error(senders.error.message);
    expect(senders.value.items.map(({ source }) => source).sort()).toEqual(["one.example", "two.example"]);
    expect(await page(`/domains/${SMALL}/senders`)).toContain("one.example");
  });

  it("has names in its sentences as far as they are known, and the page has networks", async () => {
    const verdict = await api().ask("verdict", { domain: DOMAIN });
    if (!verdict.ok) throw new Error(verdict.error.message);
    expect(verdict.value.nextStep).toContain(`Find out whether 203.0.113.3 (crm.${DOMAIN}) is your server`);
    expect(await page(`/domains/${DOMAIN}/senders`)).toContain("AS64500 HOSTER, DE");
  });

  it("lists each sender with volume, first day, and a suggestion with its reason", async () => {
    const answer = await api().ask("senders", { domain: "ASKED.example", undecided: true });
    if (!answer.ok) throw new Error(answer.error.message);
    const firstSeen = new Date((TODAY - 29) * 86_400_000).toISOString().slice(0, 10);
    expect(answer.value).toMatchObject({ domain: DOMAIN, account: "acme", isComplete: true });
    expect(answer.value.items).toMatchObject([
      {
        source: "203.0.113.3",
        kind: "none",
        role: "undecided",
        reason: { code: "ownName" },
        messages: 210,
        hit: 210,
        firstSeen,
        decision: null,
        suggestion: { source: "203.0.113.0/24", decision: "mine", code: "ownHost" },
      },
      { source: "203.0.113.4", messages: 150, suggestion: null },
      {
        source: "sendgrid.net",
        service: "Twilio SendGrid",
        suggestion: { source: "service:Twilio SendGrid", decision: "mine", code: "sendingService" },
      },
    ]);
    expect(answer.value.items[0]?.suggestion?.sentence).toContain(`crm.${DOMAIN}`);
    expect(await listed()).toEqual([
      `${DOMAIN} own`,
      "203.0.113.3 undecided",
      "203.0.113.4 undecided",
      "sendgrid.net undecided",
    ]);
  });

  it("suggests the same on the page of a sender as in the list, until it is decided", async () => {
    const sentence = `Probably yours: its reverse name is crm.${DOMAIN}.`;
    expect(await page(`/domains/${DOMAIN}/senders`)).toContain(sentence);
    const address = await page(`/domains/${DOMAIN}/addresses/203.0.113.3`);
    expect(address).toContain(sentence);
    expect(address).toMatch(/name="subject" value="203\.0\.113\.0\/24"/);
    expect(await page(`/domains/${DOMAIN}/sources/sendgrid.net`)).toContain("sends mail for its customers");
    expect(await page(`/domains/${DOMAIN}/addresses/203.0.113.4`)).not.toContain("Probably");
    await decide("203.0.113.3", "mine");
    expect(await page(`/domains/${DOMAIN}/addresses/203.0.113.3`)).not.toContain("Probably");
    await decide("203.0.113.3", "undecided");
  });

  it("lists no senders for a domain without reports, and refuses an invalid period", async () => {
    expect(await api().ask("senders", { domain: "nobody.example" })).toMatchObject({
      ok: true,
      value: { account: null, items: [] },
    });
    const wrong = { domain: DOMAIN, from: "2026-02-30", to: "2026-03-01" };
    expect(await api().ask("senders", wrong)).toMatchObject({ ok: false, error: { code: "bad_request" } });
  });
});

describe("a decision about each kind of subject", () => {
  it.each([
    ["203.0.113.3", ["203.0.113.4", "sendgrid.net"]],
    ["203.0.113.0/24", ["sendgrid.net"]],
    ["sendgrid.net", ["203.0.113.3", "203.0.113.4"]],
    ["service:Twilio SendGrid", ["203.0.113.3", "203.0.113.4"]],
  ])("%s changes the list and the verdict", async (subject, left) => {
    const verdict = async (): Promise<number> => {
      const answer = await api().ask("verdict", { domain: DOMAIN });
      return answer.ok ? answer.value.wouldHit.reject.undecided : Number.NaN;
    };
    expect(await verdict()).toBe(480);
    await decide(subject, "notMine");
    expect(await listed(true)).toEqual(left.map((name) => `${name} undecided`));
    expect(await verdict()).toBeLessThan(480);
    const text = await page(`/domains/${DOMAIN}/senders`);
    const shown = subject.startsWith("service:") ? "all of Twilio SendGrid" : subject;
    expect(text.slice(text.indexOf('id="decisions"'))).toContain(shown);
    await decide(subject, "undecided");
    expect(await verdict()).toBe(480);
  });

  it("about a prefix or a service is shown on the pages of the sources it covers", async () => {
    await decide("203.0.113.0/24", "forwarder");
    expect(await page(`/domains/${DOMAIN}/addresses/203.0.113.4`)).toContain("by the decision about 203.0.113.0/24");
    await decide("203.0.113.0/24", "undecided");
    const text = await page(`/domains/${DOMAIN}/sources/sendgrid.net`);
    expect(text).toContain('<option value="service:Twilio SendGrid">all of Twilio SendGrid</option>');
    expect(text).toContain("Not decided yet");
  });
});

it("both monthly reports say what was decided and by whom", async () => {
  await decide("203.0.113.4", "forwarder");
  const month = new Date(decidedSeconds * 1000).toISOString().slice(0, 7);
  expect(await page(`/report?account=acme&month=${month}`)).toContain(
    `${DOMAIN}: decided that 203.0.113.4 forwards our mail (me)`,
  );
  expect(await page(`/domains/${DOMAIN}/report?month=${month}`)).toContain(
    "Decided: 203.0.113.4 forwards our mail (me)",
  );
  await decide("203.0.113.4", "undecided");
});

describe("grouped sources", () => {
  async function rows(group: string, domain = DOMAIN): Promise<[string, number, number][]> {
    const text = await page(`/domains/${domain}/sources?group=${group}&export=json&table=sources`);
    const found: { source: string; addresses: number; messages: number }[] = JSON.parse(text);
    return found.map(({ source, addresses, messages }) => [source, addresses, messages]);
  }

  it("by address, service, organization, network or reverse domain add up to all mail", async () => {
    const own = sampleRecord(DOMAIN).sourceIp;
    expect(await rows("address")).toEqual([
      [own, 1, 3000],
      ["203.0.113.3", 1, 210],
      ["203.0.113.4", 1, 150],
      ["198.51.100.7", 1, 120],
    ]);
    expect(await rows("service")).toEqual([
      [DOMAIN, 1, 3000],
      ["203.0.113.3", 1, 210],
      ["203.0.113.4", 1, 150],
      ["Twilio SendGrid", 1, 120],
    ]);
    // One address of the /24 was looked up; the others are known by their prefix.
    expect(await rows("network")).toEqual([
      [own.replace(/\d+$/, "0/24"), 1, 3000],
      ["AS64500 HOSTER", 1, 210],
      ["203.0.113.0/24", 1, 150],
      ["198.51.100.0/24", 1, 120],
    ]);
    expect(await rows("network", "six.example")).toEqual([
      ["2001:db8:1:2::/64", 2, 20],
      ["2001:db8:1:3::/64", 1, 10],
    ]);
    // Two networks, one reverse domain; an address without a name stays alone.
    expect(await rows("reverse", "six.example")).toEqual([
      ["hoster.example", 2, 20],
      ["2001:db8:1:2:9::", 1, 10],
    ]);
    expect(await rows("reverse")).toEqual([
      [own, 1, 3000],
      [DOMAIN, 1, 210],
      ["203.0.113.4", 1, 150],
      ["198.51.100.7", 1, 120],
    ]);
    const text = await page(`/domains/${DOMAIN}/sources?group=network`);
    expect(text).toContain('aria-current="true">Network</a>');
  });
});

describe("the Senders page", () => {
  it("shows undecided senders, the largest first, each decided with one click", async () => {
    const text = await page(`/domains/${DOMAIN}/senders`);
    const places = ["203.0.113.3", "203.0.113.4", "sendgrid.net"].map((name) =>
      text.indexOf(`name="subject" value="${name}"`),
    );
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(text).toContain('name="accept" value="mine 203.0.113.0/24"');
    expect(text).toContain('name="accept" value="mine service:Twilio SendGrid"');
    expect(text).toContain(`Probably yours: its reverse name is crm.${DOMAIN}.`);
  });

  it.each([
    ["nothing chosen", "decision=mine&note=why+not", "Choose at least one sender."],
    ["no name of a sender", "decision=mine&note=why+not&subject=203.0.113.3&other=%25%25%25", "is not a domain name"],
    ["a prefix of many owners", "decision=mine&note=why+not&other=10.0.0.0%2F8", "a shorter one has many owners"],
  ])("says what is wrong with %s, beside what was typed", async (_, fields, sentence) => {
    const origin = new URL(dashboard.url).origin;
    const headers = { accept: "text/html", origin, "content-type": "application/x-www-form-urlencoded" };
    const sent = { method: "POST", headers, body: `account=acme&${fields}` };
    const answer = await dashboard.ask(`/domains/${DOMAIN}/senders`, sent);
    expect(answer.status).toBe(422);
    const text = (await answer.text()).replaceAll(/<\/?bdi[^>]*>|<wbr\/?>/g, "");
    expect(text).toContain("Which senders are yours?");
    expect(text).toContain(sentence);
    expect(text).toContain('value="why not"');
    const typed = new URLSearchParams(fields);
    if (typed.has("other")) expect(text).toContain(`value="${typed.get("other")}"`);
    for (const name of typed.getAll("subject")) expect(text).toMatch(new RegExp(`value="${name}" checked`));
  });

  it("says what a press decided, once, and leads on to the verdict", async () => {
    const said = async (done: string): Promise<string> => {
      const text = await page(`/domains/${DOMAIN}/senders?done=${done}`);
      expect(text).not.toContain("done=");
      return /role="status"[^>]*>(.*?)<\/div>/s.exec(text)?.[1]?.replaceAll(/<[^>]*>/g, "") ?? "";
    };
    await decide("203.0.113.0/24", "mine");
    expect(await said("decided")).toBe("Saved: 203.0.113.0/24 – Mine. See the verdict");
    await decide("203.0.113.0/24", "undecided");
    expect(await said("undone")).toBe("The decision was undone. See the verdict");
    expect(await said("anything-else")).toBe("");
  });

  it("is linked from the overview and from Sources with their number", async () => {
    for (const path of [`/domains/${DOMAIN}`, `/domains/${DOMAIN}/sources`]) {
      const text = await page(path);
      expect(text).toContain(`href="/domains/${DOMAIN}/senders"`);
      expect(text).toContain("3 senders wait for your decision");
    }
  });
});
