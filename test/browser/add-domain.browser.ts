/** Adding domains in a real browser, from the first run to the first report: DNS answers as zones change, the report comes by SMTP. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { findChromium } from "../../scripts/browser.ts";
import { SETUP_LIMITS } from "../../shared/limits.ts";
import { type DnsServer, startDnsServer, type Zones } from "../support/dns-server.ts";
import { report } from "./reports.ts";
import { axeFindings, type BrowserStack, startBrowserStack } from "./support.ts";

const WAIT = { timeout: 90_000, interval: 500 };
const isMissing = findChromium() === undefined && process.env.CI === undefined;
const DOMAIN = "shop.test";
/** Where PICTURES names a folder, pages are pictured as they come. */
const FOLDER = process.env.PICTURES;

describe.skipIf(isMissing)("adding a domain", () => {
  const zones: Zones = {};
  let dns: DnsServer;
  let site: BrowserStack;
  let page: Page;
  let rua = "";

  beforeAll(async () => {
    dns = await startDnsServer(zones);
    site = await startBrowserStack({ dnsUrl: dns.url });
  });
  afterAll(async () => {
    await site?.stop();
    await dns?.[Symbol.asyncDispose]();
  });

  /** Nothing wrong by axe, nothing wider than a phone's screen, no fault of the page. */
  async function clean(name: string): Promise<void> {
    expect(await axeFindings(page)).toEqual([]);
    expect(site.faults).toEqual([]);
    const size = page.viewportSize() ?? { width: 1280, height: 800 };
    for (const width of [size.width, 390]) {
      await page.setViewportSize({ width, height: size.height });
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
      if (FOLDER !== undefined) await page.screenshot({ path: `${FOLDER}/${name}-${width}.png`, fullPage: true });
    }
    await page.setViewportSize(size);
  }

  /** The page's own clock runs ahead until it says this, so that nobody waits until it loads itself again. */
  async function showsByItself(expected: string): Promise<void> {
    await vi.waitUntil(async () => {
      const loaded = page.waitForEvent("load");
      await page.clock.fastForward(SETUP_LIMITS.pageRefreshSeconds * 1000);
      await loaded;
      return (await page.textContent("#progress"))?.includes(expected);
    }, WAIT);
  }

  async function checkNow(expected: string): Promise<void> {
    await page.click("button:has-text('Check now')");
    expect(await page.textContent("#progress")).toContain(expected);
  }

  it("starts on the page of the first run, with a name as it is pasted", async () => {
    page = await site.open("/");
    await page.clock.install();
    await clean("first-run");
    await page.fill("#add-domain", `https://${DOMAIN.toUpperCase()}/welcome`);
    await page.click("button:has-text('Add domain')");
    expect(await page.textContent("h1")).toContain(DOMAIN);
    expect(await page.textContent("#progress")).toContain("DMARC record not found");
    rua = (await page.textContent("code[title=address]"))?.trim() ?? "";
    expect(rua).toMatch(/^[a-z2-9]{16}@rua\.example\.com$/);
    await clean("setup-not-found");
  });

  it("copies a record to publish by its button", async () => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: site.origin });
    const value = page.locator(`code[title='value of _dmarc.${DOMAIN}'] + button`);
    await value.click();
    await vi.waitUntil(async () => (await value.textContent()) === "Copied", WAIT);
    // Asked of the browser itself: pages may write to the clipboard, and not read it.
    const pasted = await page.context().newPage();
    await pasted.setContent("<textarea></textarea>");
    await pasted.focus("textarea");
    await pasted.keyboard.press("Control+V");
    expect(await pasted.inputValue("textarea")).toBe(`v=DMARC1; p=none; rua=mailto:${rua}`);
    await pasted.close();
    expect(site.faults).toEqual([]);
  });

  it("has no button to copy where no script runs", async () => {
    const context = await site.openContext({ javaScriptEnabled: false });
    const plain = await context.newPage();
    await plain.goto(`${site.origin}/domains/${DOMAIN}/setup`);
    expect(await plain.textContent("main")).toContain(rua);
    await expect.poll(() => plain.locator("button.copy").count()).toBe(0);
    await context.close();
  });

  it("is on the page Domains before its first report, and tells what is in its way", async () => {
    await page.goto(`${site.origin}/`);
    expect(await page.textContent("#domains tbody tr")).toContain("DMARC record not found");
    await clean("domains-setting-up");
    await page.click(`#domains >> text=${DOMAIN}`);
    zones[`_dmarc.${DOMAIN}`] = ["TXT v=DMARC1; p=none; rua=mailto:somebody@shop.test"];
    await checkNow("wrong address");
    expect(await page.textContent("#records ~ .to-publish")).toContain(`mailto:somebody@shop.test,mailto:${rua}`);
    await clean("setup-wrong-address");
    zones[`_dmarc.${DOMAIN}`] = [`TXT v=DMARC1; p=none; rua=mailto:somebody@shop.test,mailto:${rua}`];
    await checkNow("permission missing");
  });

  it("sees by itself that everything is published", async () => {
    zones["*._report._dmarc.rua.example.com"] = ["TXT v=DMARC1;"];
    zones[`${DOMAIN}._report._dmarc.rua.example.com`] = ["TXT v=DMARC1;"];
    await showsByItself("waiting");
    await clean("setup-waiting");
  });

  it("sees by itself the first report, which came by SMTP", async () => {
    await site.send({ to: rua, name: "report.xml", content: report({ reportId: "first", domain: DOMAIN }) });
    await showsByItself("coming in");
    await clean("setup-receiving");
    await page.click("text=See the overview");
    expect(await page.textContent(".figures")).toContain("108");
    await page.goto(`${site.origin}/`);
    expect(await page.textContent("#domains tbody tr")).toContain("108");
  });

  it("adds a list, each line with its result, and says what is none", async () => {
    await page.click("text=Add domains");
    await clean("add");
    await page.fill("#add-domains", `one.test\n${DOMAIN}\nno name\nb\u00fccher.test`);
    await page.click("button:has-text('Add')");
    await page.waitForSelector("table tbody tr");
    const rows = await page.locator("table tbody tr").allTextContents();
    expect(rows.map((text) => text.replace(/\s+/g, " "))).toEqual([
      expect.stringContaining("one.test✓ added"),
      expect.stringContaining(`${DOMAIN}✓ added before`),
      expect.stringContaining("is not a domain name"),
      expect.stringContaining("bücher.test"),
    ]);
    await clean("added-list");
    await page.click("text=Domains being set up");
    await expect.poll(() => page.locator("#domains tbody tr").count()).toBe(2);
    await clean("domains-filtered");
  });

  it("refuses what is no name, and keeps what was typed", async () => {
    await page.goto(`${site.origin}/add`);
    await page.fill("#add-domains", "no name");
    await site.refused(page, () => page.click("button:has-text('Add')"));
    expect(await page.textContent("[role=alert]")).toContain("is not a domain name");
    expect(await page.inputValue("#add-domains")).toBe("no name");
  });

  it("takes an address of one's own", async () => {
    await page.fill("#add-domains", "own.test");
    await page.fill("#add-rua", "dmarc@own.test");
    await page.click("button:has-text('Add')");
    expect(await page.textContent("code[title=address]")).toContain("dmarc@own.test");
  });

  it("asks before a domain is removed", async () => {
    await page.click("button:has-text('Remove domain')");
    await page.waitForSelector("#confirm-remove");
    await clean("setup-remove");
    await page.click("text=Keep");
    await expect.poll(() => page.locator("#confirm-remove").count()).toBe(0);
    await page.click("button:has-text('Remove domain')");
    await page.click("button:has-text('Remove own.test')");
    expect(await page.textContent(".note.done")).toContain("own.test is removed");
    expect(await page.textContent("#domains")).not.toContain("own.test");
    await expect(site.send({ to: "dmarc@own.test", name: "r.xml", content: "" })).rejects.toThrow(/550/);
  });

  it("lets an administrator add to the own account only", async () => {
    await site.becomeAdministrator(["acme", "beta"]);
    await vi.waitUntil(async () => {
      await page.goto(`${site.origin}/`);
      return (await page.textContent(".who"))?.includes("administrator");
    }, WAIT);
    await clean("first-run-owner");
    await page.fill("#add-domain", "customer.test");
    await page.selectOption("#add-account", "beta");
    await page.click("button:has-text('Add domain')");
    expect(await page.textContent("h1")).toContain("customer.test");
    await page.goto(`${site.origin}/add`);
    await expect.poll(() => page.locator("#add-rua").count()).toBe(0);
    await page.goto(`${site.origin}/domains/${DOMAIN}/setup`);
    expect(await page.textContent("main")).not.toContain(rua);
  });
});
