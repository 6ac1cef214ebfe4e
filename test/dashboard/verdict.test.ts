/** The verdict on the overview and by the API, over a ledger in workerd's D1: each state, numbers that link to their rows. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { change } from "../../shared/ledger/database.ts";
import { keepCheck } from "../../shared/ledger/domain-checks.ts";
import { putSenderDecision, type SenderDecision } from "../../shared/ledger/sender-decisions.ts";
import { checkWith } from "../support/stored-check.ts";
import { TODAY } from "../support/today.ts";
import { STATE_DOMAINS, seedVerdicts } from "../support/verdict-domains.ts";
import { API_TOKEN, apiOf, type Dashboard, pageOf, startDashboard } from "./harness.ts";

const nowSeconds = Math.floor(Date.now() / 1000);

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await startDashboard({ vars: { API_TOKEN } });
  await seedVerdicts(dashboard.ledger, TODAY, nowSeconds);
});

afterAll(() => dashboard.close());

const page = (path: string): Promise<string> => pageOf(dashboard, path);

const api = () => apiOf(dashboard);

describe("every state", () => {
  it.each(Object.entries(STATE_DOMAINS))("%s comes first on the page, and the API agrees", async (state, domain) => {
    const answer = await api().ask("verdict", { domain });
    expect(answer).toMatchObject({ ok: true, value: { domain, state } });
    if (!answer.ok) return;
    const text = await page(`/domains/${domain}`);
    const { headline, nextStep, nextRecord } = answer.value;
    const places = [headline, nextStep, 'class="figures"'].map((part) => text.indexOf(part));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(text).toContain(`card verdict ${state}`);
    if (nextRecord !== null) expect(text).toContain(nextRecord);
  });

  it("says how far the domain is on the way to p=reject, unless it sends nothing", async () => {
    expect(await page(`/domains/${STATE_DOMAINS.ready}`)).toContain(
      'Stage 1 of 5: <span class="result" aria-current="step">p=none</span> → <span class="nowrap">p=quarantine; t=y</span>',
    );
    expect(await page(`/domains/${STATE_DOMAINS.protected}`)).toMatch(
      /Stage 5 of 5: .* → <span class="result" aria-current="step">p=reject<\/span><\/p>/,
    );
    expect(await page(`/domains/${STATE_DOMAINS.notInUse}`)).not.toContain("Stage ");
  });

  it("ready: says how many days it is based on and what may be missing", async () => {
    const answer = await api().ask("verdict", { domain: STATE_DOMAINS.ready });
    if (!answer.ok) throw new Error(answer.error.message);
    const unknown = "It covers receivers that send reports, not the others. Mail sent less often may be missing.";
    const basis = `Based on ${answer.value.days} days. ${unknown}`;
    const text = await page(`/domains/${STATE_DOMAINS.ready}`);
    const places = ['<h2 id="verdict">', basis, 'class="figures"'].map((part) => text.indexOf(part));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(await page(`/domains/${STATE_DOMAINS.notYet}`)).not.toContain("Mail sent less often may be missing.");
  });

  it("ready: the record to publish keeps what DNS has, once the records have been checked", async () => {
    const domain = STATE_DOMAINS.ready;
    const before = await page(`/domains/${domain}`);
    expect(before).toContain("Keep other rua and ruf addresses of the current record");
    const published = `v=DMARC1; p=none; rua=mailto:r@rua.example,mailto:x@other.example; ruf=mailto:f@other.example; x=1`;
    const check = checkWith(domain, { kind: "dmarc", name: `_dmarc.${domain}`, records: [published] });
    await change(dashboard.ledger, keepCheck({ account: "acme", domain, checkedSeconds: nowSeconds, check }, []));
    const answer = await api().ask("verdict", { domain });
    if (!answer.ok) throw new Error(answer.error.message);
    expect(answer.value.nextRecord).toMatch(
      /^v=DMARC1; p=\w+; (t=y; )?rua=mailto:r@rua\.example,mailto:x@other\.example; ruf=mailto:f@other\.example; x=1$/,
    );
    const text = await page(`/domains/${domain}`);
    expect(text).toContain(answer.value.nextRecord ?? "none");
    expect(text).toContain("Only the policy differs from the current record, as last checked.");
  });

  it("silent: a domain has no reports in the period", async () => {
    const from = new Date((TODAY - 200) * 86_400_000).toISOString().slice(0, 10);
    const to = new Date((TODAY - 190) * 86_400_000).toISOString().slice(0, 10);
    expect(await api().ask("verdict", { domain: STATE_DOMAINS.ready, from, to })).toMatchObject({
      ok: true,
      value: { state: "silent", messages: 0, nextRecord: null },
    });
    expect(await page(`/domains/${STATE_DOMAINS.ready}?from=${from}&to=${to}`)).toContain("No reports in this period");
  });

  it("an invalid period is refused", async () => {
    const answer = await api().ask("verdict", { domain: "a.example", from: "2026-02-30", to: "2026-03-01" });
    expect(answer).toMatchObject({ ok: false, error: { code: "bad_request" } });
  });
});

describe("what a policy would have hit", () => {
  it.each(Object.values(STATE_DOMAINS))(
    "links each number of %s but zero to the sources and records it counts",
    async (domain) => {
      const answer = await api().ask("verdict", { domain });
      if (!answer.ok) throw new Error(answer.error.message);
      const text = await page(`/domains/${domain}`);
      const links = [...text.matchAll(/<a href="([^"]*role=(\w+)&amp;step=(\w+)[^"]*)">([\d,]+)<\/a>/g)];
      const { reject, strict, subdomains } = answer.value.wouldHit;
      const all = [reject, strict, subdomains].flatMap((counts) => Object.values(counts));
      expect(all).toHaveLength(12);
      expect(links).toHaveLength(all.filter((messages) => messages > 0).length);
      let counted = 0;
      for (const [, href = "", role = "", step = "", shown = ""] of links) {
        const path = `${href.replaceAll("&amp;", "&")}&export=json`;
        const sources: { hit: number }[] = JSON.parse(await page(`${path}&table=sources`));
        const records: { messages: number }[] = JSON.parse(await page(`${path}&table=hits`));
        const bySource = sources.reduce((sum, { hit }) => sum + hit, 0);
        const byRecord = records.reduce((sum, { messages }) => sum + messages, 0);
        const number = shown.replaceAll(",", "");
        expect(`${role} ${step} ${bySource} ${byRecord}`).toBe(`${role} ${step} ${number} ${number}`);
        counted += byRecord;
      }
      expect(counted).toBe(all.reduce((sum, messages) => sum + messages, 0));
    },
  );

  it("shows the filter of the sources, and a link to all", async () => {
    const text = await page(`/domains/${STATE_DOMAINS.notYet}/sources?role=undecided&step=reject`);
    expect(text).toContain("Only sources that are undecided");
    expect(text).toContain("sendgrid.net");
    expect(text).toContain("Records that would have been hit");
    expect(text).toContain("Show all");
    expect(await page(`/domains/${STATE_DOMAINS.notYet}/sources?role=nonsense`)).not.toContain("Only sources");
  });
});

describe("a decision of the owner", () => {
  const decide = (domain: string, decision: SenderDecision, decidedSeconds: number): Promise<unknown> => {
    const decided = {
      account: "acme",
      domain,
      source: "sendgrid.net",
      decision,
      note: "",
      decidedBy: "me",
      decidedSeconds,
    };
    return change(dashboard.ledger, [putSenderDecision(decided)]);
  };

  it("changes the verdict", async () => {
    const domain = STATE_DOMAINS.notYet;
    await decide(domain, "notMine", nowSeconds);
    expect(await api().ask("verdict", { domain })).toMatchObject({ ok: true, value: { state: "ready" } });
    expect(await page(`/domains/${domain}`)).toContain("card verdict ready");
    await decide(domain, "undecided", nowSeconds + 1);
    expect(await api().ask("verdict", { domain })).toMatchObject({ ok: true, value: { state: "notYet" } });
  });
});
