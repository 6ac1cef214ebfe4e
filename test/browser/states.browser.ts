/**
 * Every state of the verdict and of each check of the published records in a real browser, over a seeded ledger: nothing
 * wrong by axe-core in light and dark, nothing off the screen of a phone. With STATE_PICTURES=FOLDER it keeps a picture of
 * each.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium, launchBrowser } from "../../scripts/browser.ts";
import { CHECK_KINDS, type CheckState } from "../../shared/guidance/check.ts";
import type { StoredCheck } from "../../shared/guidance/stored-check.ts";
import { change } from "../../shared/ledger/database.ts";
import { keepCheck } from "../../shared/ledger/domain-checks.ts";
import { API_TOKEN, type Dashboard, startDashboard } from "../dashboard/harness.ts";
import { aggregateReport, commitSamples, sampleRecord } from "../support/ledger-fill.ts";
import { STATE_DOMAINS, seedVerdicts } from "../support/verdict-domains.ts";
import { axeFindings, offScreen } from "./support.ts";

const TODAY = Math.floor(Date.now() / 86_400_000);
const nowSeconds = Math.floor(Date.now() / 1000);
const iso = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);
const CHECK_STATES: readonly CheckState[] = ["good", "attention", "broken", "unknown"];
const LOOKS = [
  { name: "desktop-light", colorScheme: "light", viewport: { width: 1280, height: 800 } },
  { name: "phone-dark", colorScheme: "dark", viewport: { width: 390, height: 780 } },
] as const;

/** Its next step is about as long as one gets. */
const LONG_DOMAIN = "customer-newsletters.long-company-name.example";

/** Phones whose first screen, without scrolling, must show the verdict with its next step. */
const FIRST_SCREENS = [
  { width: 390, height: 844 },
  { width: 360, height: 740 },
];

const folder = process.env.STATE_PICTURES ?? "";
const isMissing = findChromium() === undefined && process.env.CI === undefined;

describe.skipIf(isMissing)("every state", () => {
  let dashboard: Dashboard;
  let browser: Browser;
  let windows: { look: (typeof LOOKS)[number]; page: Page }[];

  beforeAll(async () => {
    dashboard = await startDashboard({ vars: { API_TOKEN } });
    await seedVerdicts(dashboard.ledger, TODAY, nowSeconds);
    await seedLongStep();
    for (const state of CHECK_STATES) await seedChecks(state);
    browser = await launchBrowser();
    windows = await Promise.all(
      LOOKS.map(async (look) => {
        const { colorScheme, viewport } = look;
        const extraHTTPHeaders = { authorization: `Bearer ${API_TOKEN}` };
        const context = await browser.newContext({ colorScheme, viewport, extraHTTPHeaders });
        return { look, page: await context.newPage() };
      }),
    );
    if (folder !== "") mkdirSync(folder, { recursive: true });
  });
  afterAll(async () => {
    await browser?.close();
    await dashboard?.close();
  });

  async function seedChecks(state: CheckState): Promise<void> {
    const domain = `${state}-records.example`;
    const records = [sampleRecord(domain, { count: 100 })];
    const report = aggregateReport(domain, { day: TODAY - 1, records });
    const uid = `c${CHECK_STATES.indexOf(state)}`.padStart(32, "0");
    await commitSamples(dashboard.ledger, [{ account: "acme", uid, report, records, receivedSeconds: nowSeconds }], {
      nowSeconds,
    });
    const changed = {
      name: `_dmarc.${domain}`,
      type: "TXT",
      before: ["v=DMARC1; p=none"],
      after: ["v=DMARC1; p=reject"],
    };
    const kept = { account: "acme", domain, checkedSeconds: nowSeconds, check: checkOf(domain, state) };
    await change(dashboard.ledger, keepCheck(kept, [changed]));
  }

  async function seedLongStep(): Promise<void> {
    const server = { sourceIp: "2001:db8:1234:5678:9abc:def0:1234:5678", dkim: "fail" } as const;
    const records = [
      sampleRecord(LONG_DOMAIN, { count: 40_000 }),
      sampleRecord(LONG_DOMAIN, { count: 2000, disposition: "reject", dkimResults: [], ...server }),
    ];
    const samples = Array.from({ length: 30 }, (_, ago) => ({
      account: "acme",
      uid: `d${ago.toString(16)}`.padStart(32, "0"),
      report: aggregateReport(LONG_DOMAIN, { day: TODAY - ago, records, p: "reject" }),
      records,
      receivedSeconds: nowSeconds,
    }));
    await commitSamples(dashboard.ledger, samples, { nowSeconds });
  }

  async function look(path: string, name: string, says: string): Promise<void> {
    await Promise.all(
      windows.map(async ({ look: { name: look, viewport }, page }) => {
        await page.setViewportSize(viewport);
        await page.goto(dashboard.url + path);
        expect(await page.textContent("main"), path).toContain(says);
        if (folder !== "") await page.screenshot({ path: join(folder, `${name}-${look}.png`), fullPage: true });
        expect(await axeFindings(page), `${path} ${look}`).toEqual([]);
        for (const width of viewport.width < 720 ? [390, 320] : []) {
          await page.setViewportSize({ width, height: 780 });
          expect(await offScreen(page), `${path} ${width}`).toEqual([]);
        }
      }),
    );
  }

  it.each(Object.entries(STATE_DOMAINS))("of the verdict: %s", (state, domain) =>
    look(`/domains/${domain}`, `verdict-${state}`, "Messages by day"),
  );

  it("of the verdict: silent", () =>
    look(
      `/domains/${STATE_DOMAINS.ready}?from=${iso(TODAY - 200)}&to=${iso(TODAY - 190)}`,
      "verdict-silent",
      "No reports in this period",
    ));

  it.each(FIRST_SCREENS)("of the verdict, with its next step on the first screen of $width × $height", async (size) => {
    const silent = `${STATE_DOMAINS.ready}?from=${iso(TODAY - 200)}&to=${iso(TODAY - 190)}`;
    const context = await browser.newContext({
      viewport: size,
      hasTouch: true,
      isMobile: true,
      extraHTTPHeaders: { authorization: `Bearer ${API_TOKEN}` },
    });
    const page = await context.newPage();
    const below: string[] = [];
    for (const domain of [...Object.values(STATE_DOMAINS), silent, LONG_DOMAIN]) {
      await page.goto(`${dashboard.url}/domains/${domain}`);
      const box = await page.locator(".next-step").boundingBox();
      if (box === null || box.y + box.height > size.height) below.push(`${domain}: ${JSON.stringify(box)}`);
    }
    await context.close();
    expect(below).toEqual([]);
  });

  it.each(CHECK_STATES)("of the records: %s, on their card and on their page", async (state) => {
    const domain = `${state}-records.example`;
    await look(`/domains/${domain}`, `card-${state}`, state);
    await look(`/domains/${domain}/records`, `records-${state}`, `The check says ${state}.`);
  });
});

/** Every kind of check in one state. */
function checkOf(domain: string, state: CheckState): StoredCheck {
  const findings =
    state === "good"
      ? []
      : [
          {
            code: "example",
            state,
            sentence: `The check says ${state}.`,
            rule: "RFC 9989 section 4.7",
            publish: {
              name: `_dmarc.${domain}`,
              type: "TXT" as const,
              value: `v=DMARC1; p=none; rua=mailto:${"long".repeat(15)}@${domain}`,
            },
          },
        ];
  return {
    domain,
    state,
    organizationalDomain: domain,
    policyDomain: domain,
    policies: { domain: "reject", subdomain: "reject", nonexistent: "reject" },
    olderPolicies: { domain: "reject", subdomain: "reject", nonexistent: "reject" },
    destinations: [],
    spfLookups: 3,
    keys: [],
    checks: CHECK_KINDS.map((kind) => ({
      kind,
      state,
      summary: `The check says ${state}.`,
      findings,
      asked: [{ name: `_dmarc.${domain}`, type: "TXT", status: "answers", records: ["v=DMARC1; p=reject"] }],
    })),
  };
}
