/**
 * An operator's decisions in a real browser: conflicts, and a job cancelled while it runs. What they come to is read
 * from the ledger.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { findChromium } from "../../scripts/browser.ts";
import { RUA, report } from "./reports.ts";
import { axeFindings, type BrowserStack, startBrowserStack } from "./support.ts";

const WAIT = { timeout: 90_000, interval: 300 };
const isMissing = findChromium() === undefined && process.env.CI === undefined;

/** What the ledger counts. */
interface Counts {
  reports: number;
  messages: number;
}

/** Its domain, what is pressed, and the reports and messages that count afterwards: 108 of the first version, 113 of the other. */
const DECISIONS = [
  { domain: "keep.example", button: "Keep current", done: "current version stays", reports: 1, messages: 108 },
  { domain: "replace.example", button: "Use new version", done: "replaces the current one", reports: 1, messages: 113 },
  { domain: "both.example", button: "Count both", done: "separate report", reports: 2, messages: 221 },
];

describe.skipIf(isMissing)("an operator", () => {
  let site: BrowserStack;
  let page: Page;

  beforeAll(async () => {
    site = await startBrowserStack();
    await site.api(`/registry/${RUA}`, { method: "PUT", body: JSON.stringify({ account: "acme" }) });
  });
  afterAll(() => site?.stop());

  async function read<T>(path: string): Promise<T> {
    return (await (await site.api(path)).json()) as T;
  }

  async function countsOf(domain: string): Promise<Counts> {
    const { reports, messages } = await read<Counts>(`/stats?domain=${domain}`);
    return { reports, messages };
  }

  async function clean(): Promise<void> {
    expect(await axeFindings(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    expect(site.faults).toEqual([]);
  }

  it("sees both sides of each conflict, on a phone too", async () => {
    for (const { domain } of DECISIONS) {
      await site.send({ to: RUA, name: "first.xml", content: report({ reportId: "same", domain }) });
      await vi.waitUntil(async () => (await countsOf(domain)).reports === 1, WAIT);
      const other = report({ reportId: "same", domain }).replace("<count>80<", "<count>85<");
      await site.send({ to: RUA, name: "other.xml", content: other });
    }
    await vi.waitUntil(async () => (await read<{ items: object[] }>("/conflicts")).items.length === 3, WAIT);
    page = await site.open("/operations/conflicts");
    await expect.poll(() => page.locator("#conflicts tbody tr").count()).toBe(3);
    await clean();
    await page.click("#conflicts tbody tr:first-child a");
    const text = (await page.textContent("main")) ?? "";
    for (const shown of ["Counts now", "108 messages", "New version", "113 messages", "reporter@reporter.example"])
      expect(text).toContain(shown);
    expect(await page.textContent("#differences tbody")).toMatch(/192\.0\.2\.1[\s\S]*80[\s\S]*85[\s\S]*\+5/);
    await clean();
    await page.setViewportSize({ width: 390, height: 780 });
    await clean();
    await page.goto(`${site.origin}/operations/conflicts`);
    await clean();
    await page.close();
  });

  it.each(DECISIONS)("decides $domain: $button", async ({ domain, button, done, ...counts }) => {
    page = await site.open("/operations/conflicts");
    await page.click(`#conflicts tbody tr:has-text("${domain}") a`);
    expect(await page.textContent("h1")).toContain(domain);
    await page.fill("input[name=reason]", "a test");
    await page.click(`button:has-text("${button}")`);
    expect(await page.textContent(".note.done")).toContain(done);
    await vi.waitUntil(async () => {
      await page.goto(`${site.origin}/operations/conflicts`);
      return (await page.locator(`#conflicts tbody tr:has-text("${domain}")`).count()) === 0;
    }, WAIT);
    expect(await countsOf(domain)).toEqual(counts);
    expect(site.faults).toEqual([]);
    await page.close();
  });

  it("cancels a job that runs: what it had sent is skipped, and the sums stay", async () => {
    // So many that the job still runs when Cancel is pressed: a stack processes some 170 a second.
    const before = 4 + 800;
    for (let mail = 0; mail < 16; mail++) {
      const attachments = Array.from({ length: 50 }, (_, i) => ({
        name: `${mail}-${i}.xml`,
        content: report({ reportId: `job-${mail}-${i}` }),
      }));
      await site.send({ to: RUA, attachments });
    }
    await vi.waitUntil(async () => (await read<Counts>("/stats")).reports === before, WAIT);
    const { messages } = await read<Counts>("/stats");
    page = await site.open("/operations/jobs");
    // The question whether everything is meant is an answer of 422.
    await site.refused(page, () => page.click("button:has-text('Start')"));
    await page.waitForSelector("#confirm-all");
    await page.click("button:has-text('Reprocess everything')");
    await vi.waitUntil(async () => {
      const { items } = await read<{ items: { enqueued: number }[] }>("/jobs");
      return (items[0]?.enqueued ?? 0) > 0;
    }, WAIT);
    await page.goto(`${site.origin}/operations/jobs`);
    await page.click("#jobs button:has-text('Cancel')");
    expect(await page.textContent(".note.done")).toContain("Cancelled");
    await vi.waitUntil(async () => {
      const { items } = await read<{ items: { enqueued: number; finished: number; skipped: number }[] }>("/jobs");
      const [job] = items;
      return job !== undefined && job.skipped > 0 && job.finished + job.skipped === job.enqueued;
    }, WAIT);
    await page.reload();
    expect(await page.textContent("#jobs")).toMatch(/cancelled[\s\S]*\d+ of \d+ files, \d+ skipped/);
    expect(await read("/stats")).toMatchObject({ reports: before, messages });
    await clean();
  });
});
