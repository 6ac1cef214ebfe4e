/** The dashboard in a real browser: from nothing to a report seen, down to the raw file; and what strangers wrote stays text. */
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { findChromium } from "../../scripts/browser.ts";
import { fillPath, pageRoutes } from "../../workers/dashboard/routes.ts";
import { failureMail, HOSTILE, hostileReport, RUA, report, tlsReport, usualReport } from "./reports.ts";
import { axeFindings, type BrowserStack, offScreen, smallTargets, startBrowserStack } from "./support.ts";

const WAIT = { timeout: 60_000, interval: 300 };
// Where Chromium is not installed a person may go without these tests; CI may not.
const isMissing = findChromium() === undefined && process.env.CI === undefined;
if (isMissing) console.warn("Browser tests are left out: Chromium is not installed (apt-get install chromium).");

describe.skipIf(isMissing)("the dashboard", () => {
  let site: BrowserStack;
  let page: Page;

  beforeAll(async () => {
    site = await startBrowserStack();
  });
  afterAll(() => site?.stop());

  async function clean(): Promise<void> {
    expect(await axeFindings(page)).toEqual([]);
    expect(site.faults).toEqual([]);
  }

  async function reloadUntil(selector: string): Promise<void> {
    await vi.waitUntil(async () => {
      await page.reload();
      return (await page.locator(selector).count()) > 0;
    }, WAIT);
  }

  it("says what to do while there is nothing", async () => {
    page = await site.open("/");
    expect(await page.textContent("main")).toContain("three steps to the first one");
    await clean();
    const reference = await readFile("docs/cli.md", "utf8");
    const commands = (await page.locator("pre").allTextContents()).filter((text) => text.startsWith("npm run"));
    expect(commands).toHaveLength(2);
    for (const command of commands) {
      const name = /dmarc -- ([a-z ]+) /.exec(command)?.[1];
      const section = reference.split(`## dmarc ${name}\n`)[1]?.split("\n## ")[0];
      for (const option of command.match(/ --[a-z]+/g) ?? []) expect(section, command).toContain(`${option} `);
    }
  });

  it("shows a report that came by SMTP", async () => {
    await site.api(`/registry/${RUA}`, { method: "PUT", body: JSON.stringify({ account: "acme" }) });
    await site.send({ to: RUA, name: "report.xml", content: report({ reportId: "first" }) });
    await reloadUntil("text=acme.example");
    await page.click("text=acme.example");
    await page.waitForSelector("#volume");
    expect(await page.textContent(".figures")).toContain("108");
    expect(await page.textContent("main")).toContain("Too early");
    await clean();
  });

  it("explains a term where it stands, by keyboard too", async () => {
    await page.focus('button[popovertarget="term-dmarc-pass"]');
    await page.keyboard.press("Enter");
    expect(await page.isVisible("#term-dmarc-pass")).toBe(true);
    expect(await page.textContent("#term-dmarc-pass")).toContain("aligned");
    await page.keyboard.press("Escape");
    expect(await page.isVisible("#term-dmarc-pass")).toBe(false);
  });

  it("leads from the domain to a source, an address, the report and its raw file", async () => {
    await page.click("nav.tabs >> text=Sources");
    await clean();
    await page.click("#sources >> text=sender.test");
    expect(await page.textContent("h1")).toBe("sender.test");
    expect(await page.textContent("#dkim")).toContain("k1");
    await clean();
    await page.click("#addresses >> text=192.0.2.7");
    expect(await page.textContent("h1")).toBe("192.0.2.7");
    await clean();
    await page.click("#reports tbody a");
    expect(await page.textContent("h1")).toContain("Good Reporter about acme.example");
    await expect.poll(() => page.locator("#records tbody tr").count()).toBe(3);
    await clean();
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Download the raw file")]);
    expect(await readFile(await download.path(), "utf8")).toBe(report({ reportId: "first" }));
  });

  it("filters, sorts and exports a table", async () => {
    page = await site.open("/domains/acme.example/sources?sources.sort=messages");
    expect(await page.textContent("#sources tbody tr:first-child th")).toContain("192.0.2.66");
    await page.goto(`${site.origin}/domains/acme.example/sources?sources.q=sender`);
    await expect.poll(() => page.locator("#sources tbody tr").count()).toBe(1);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#sources >> text=CSV")]);
    const csv = await readFile(await download.path(), "utf8");
    expect(csv.split("\r\n")[0]).toContain("source,decision,service,kind,whose,messages");
    expect(csv.trim().split("\r\n")).toHaveLength(2);
  });

  it("filters and sorts the records of a report by the engine", async () => {
    page = await site.open("/domains/acme.example/reports");
    await page.click("#reports tbody a");
    await page.click("#records >> text=Failing");
    await expect.poll(() => page.locator("#records tbody tr").count()).toBe(2);
    await page.click("#records thead >> text=Messages");
    expect(await page.textContent("#records tbody tr:first-child")).toContain("192.0.2.7");
    await clean();
  });

  it("says so when a filter of dead letters has no hit, and shows whose mail each was", async () => {
    const name = "receiver.example!named.example!1795000000!1795086399.xml";
    await site.send({ to: RUA, name, content: "<feedback><report_metadata>" });
    page = await site.open("/operations/dead-letters");
    await reloadUntil("#letters tbody a");
    expect(await page.textContent("#letters")).toContain("from its file name");
    expect(await page.textContent("#letters")).toContain("Report domain");
    expect(await page.textContent("#filter-code")).toContain("truncated (1)");
    await clean();
    await page.fill("#filter-domain", "nobody.example");
    await page.click("text=Show");
    expect(await page.textContent("#letters")).toContain("No open dead letter matches this filter.");
    await page.click("#letters >> text=Show all");
    await page.fill("#filter-domain", "named.example");
    await page.click("text=Show");
    await expect.poll(() => page.locator("#letters tbody tr").count()).toBe(1);
  });

  it("asks before it discards, takes it back, and reprocessing does not bring back what stays discarded", async () => {
    page = await site.open("/operations/dead-letters");
    await page.click("#letters tbody a");
    for (const text of ["What to do", "Envelope sender", "reporter@reporter.example", "named.example"])
      expect(await page.textContent("dl.pairs")).toContain(text);
    await page.click("button:has-text('Discard')");
    await page.waitForSelector("#confirm-discard");
    await clean();
    await page.click("text=Keep");
    await expect.poll(() => page.locator("#confirm-discard").count()).toBe(0);
    await page.click("button:has-text('Discard')");
    await page.click("button:has-text('Discard 1 dead letter')");
    expect(await page.textContent("#letters")).toContain("No open dead letters.");
    await page.click("text=Undo: reopen it");
    await expect.poll(() => page.locator("#letters tbody a").count()).toBe(1);
    // All that match, this time.
    await page.click("text=Discard all");
    await page.click("button:has-text('Discard 1 dead letter')");
    await page.click("nav.tabs >> text=Discarded");
    await expect.poll(() => page.locator("#letters tbody a").count()).toBe(1);
    await clean();
  });

  it("asks before it reprocesses everything, keeps what was typed, shows a bar, and cancels", async () => {
    page = await site.open("/operations/jobs");
    await page.fill("#job-domain", "nobody.example");
    await page.fill("#job-since", "2026-01-01");
    await site.refused(page, () => page.click("button:has-text('Start')"));
    expect(await page.textContent("[role=alert]")).toContain("No report about 'nobody.example'");
    expect(await page.inputValue("#job-domain")).toBe("nobody.example");
    expect(await page.inputValue("#job-since")).toBe("2026-01-01");
    await page.fill("#job-domain", "");
    await page.fill("#job-since", "");
    await site.refused(page, () => page.click("button:has-text('Start')"));
    await page.waitForSelector("#confirm-all");
    await clean();
    await page.click("button:has-text('Reprocess everything')");
    await vi.waitUntil(async () => {
      await page.goto(`${site.origin}/operations/jobs`);
      return ((await page.textContent("#jobs")) ?? "").includes("✓ done");
    }, WAIT);
    await expect.poll(() => page.locator("#jobs progress").count()).toBe(1);
    await clean();
    await page.goto(`${site.origin}/operations/dead-letters`);
    expect(await page.textContent("#letters")).toContain("No open dead letters.");
  });

  it("tells of mail to an address that is not registered", async () => {
    await expect(
      site.send({ to: "mistyped@acme.example", name: "report.xml", content: report({ reportId: "mistyped" }) }),
    ).rejects.toThrow(/550/);
    page = await site.open("/operations");
    await reloadUntil("#refused tbody tr");
    expect(await page.textContent("#refused")).toContain("mistyped@acme.example");
    await clean();
  });

  it("shows a TLS and a failure report whole, with what their failures mean", async () => {
    await site.send({ to: RUA, name: "tls.json", content: tlsReport() });
    await site.sendRaw({ to: RUA, raw: failureMail() });
    page = await site.open("/domains/acme.example/tls");
    await reloadUntil("#reports tbody a");
    await clean();
    await page.click("#reports tbody a");
    expect(await page.textContent("h1")).toContain("<script>alert(5)</script>");
    expect(await page.textContent("#failures")).toContain("has expired. Renew");
    await clean();
    await page.goto(`${site.origin}/domains/acme.example/failures`);
    await reloadUntil("#reports tbody a");
    await clean();
    await page.click("#reports tbody a");
    expect(await page.textContent("main")).toContain("The message was refused.");
    expect(await page.textContent("main")).not.toMatch(/someone|Invoice/);
    await clean();
  });

  it("shows what strangers wrote as text, and exports it as text", async () => {
    await site.send({ to: RUA, name: "hostile.xml", content: hostileReport() });
    page = await site.open("/domains/acme.example/reports");
    await reloadUntil("text=DROP TABLE");
    await clean();
    for (const path of ["", "/sources", "/addresses/192.0.2.7", "/reports"]) {
      await page.goto(`${site.origin}/domains/acme.example${path}`);
      await expect.poll(() => page.locator("main img, main script, main svg[onload]").count()).toBe(0);
      await clean();
    }
    await page.click("#reports >> text=DROP >> xpath=ancestor::tr >> a");
    expect(await page.textContent("h1")).toContain("<script>alert(1)</script>");
    await clean();
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#records >> text=CSV")]);
    const csv = await readFile(await download.path(), "utf8");
    expect(csv).toContain(HOSTILE.selector);
    expect(csv).not.toMatch(/(^|,|")[=+@]/m);
  });

  it("shows a dead letter, and sends it again once the cause is fixed", async () => {
    await site.api(`/registry/${RUA}`, {
      method: "PUT",
      body: JSON.stringify({ account: "acme", domains: ["acme.example"] }),
    });
    await site.send({
      to: RUA,
      name: "foreign.xml",
      content: report({ reportId: "foreign", domain: "later.example" }),
    });
    page = await site.open("/operations/dead-letters");
    await reloadUntil("#letters >> text=foreign_domain");
    await clean();
    await page.click("#letters tbody a");
    await clean();
    await site.api(`/registry/${RUA}`, { method: "PUT", body: JSON.stringify({ account: "acme" }) });
    await page.click("button:text('Retry')");
    expect(await page.textContent(".note.done")).toContain("1 queued for retry; it leaves this list once it succeeds");
    await page.goto(`${site.origin}/`);
    await reloadUntil("text=later.example");
    await page.goto(`${site.origin}/operations/dead-letters`);
    await reloadUntil("text=No open dead letters");
  });

  it("starts a job and tells how far it is", async () => {
    page = await site.open("/operations/jobs");
    await page.fill("#job-domain", "acme.example");
    await page.click("button.primary");
    await page.waitForSelector(".note.done");
    await reloadUntil("#jobs >> text=done");
    await clean();
    for (const path of [
      "/operations",
      "/operations?days=1",
      "/operations/conflicts",
      "/glossary",
      "/domains/acme.example/tls",
      "/domains/acme.example/failures",
    ]) {
      await page.goto(site.origin + path);
      await clean();
    }
    await site.refused(page, () => page.goto(`${site.origin}/nothing`));
    await clean();
  });

  it("has nothing wrong in dark, on a phone, and nothing wider than the screen", async () => {
    const context = await site.openContext({ colorScheme: "dark", viewport: { width: 360, height: 740 } });
    page = await context.newPage();
    const named = { domain: "acme.example", source: "sender.test", address: "192.0.2.7", account: "acme" };
    // Single reports and letters are opened from the lists that name them.
    const listed = pageRoutes().filter(([path]) => !path.startsWith("/reports/") && !/:id|\/logo$/.test(path));
    const long = `/domains/${"long".repeat(15)}.${"name".repeat(15)}.example`;
    for (const path of [...listed.map(([path]) => fillPath(path, named)), long]) {
      await page.goto(site.origin + path);
      expect(await axeFindings(page)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    }
    await context.close();
  });

  it.each([390, 320])("has every control on the screen of a phone %i wide", async (width) => {
    const context = await site.openContext({ viewport: { width, height: 740 } });
    page = await context.newPage();
    const about = "/domains/acme.example";
    const named = { domain: "acme.example", source: "sender.test", address: "192.0.2.7", account: "acme" };
    const isListed = (path: string): boolean => !path.startsWith("/reports/") && !/:id|\/logo$/.test(path);
    const listed = pageRoutes().flatMap(([path]) => (isListed(path) ? [fillPath(path, named)] : []));
    const single = [
      { from: `${about}/reports`, link: "#reports tbody a" },
      { from: `${about}/tls`, link: "#reports tbody a" },
      { from: `${about}/failures`, link: "#reports tbody a" },
      { from: "/operations/dead-letters?discarded=yes", link: "#letters tbody a" },
    ];
    for (const place of [...listed.map((from) => ({ from, link: "" })), ...single]) {
      await page.goto(site.origin + place.from);
      if (place.link !== "") {
        await page.click(place.link);
        await page.waitForLoadState();
      }
      expect(await offScreen(page), page.url()).toEqual([]);
    }
    // The heads are for screen readers: still named as those of a table's columns.
    await page.goto(`${site.origin}${about}/sources`);
    const table = page.getByRole("table", { name: "Sources", exact: true });
    await expect.poll(() => table.getByRole("columnheader", { name: /^Messages/ }).count()).toBe(1);
    await expect.poll(() => table.getByRole("rowheader").count()).toBe(await page.locator("#sources tbody tr").count());
    await page.selectOption("#sources-sort", { label: "Source" });
    await page.waitForURL(/sources\.sort=source/);
    await context.close();
  });

  it("has controls that a finger hits", async () => {
    const context = await site.openContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    page = await context.newPage();
    const named = { domain: "acme.example", source: "sender.test", address: "192.0.2.7", account: "acme" };
    const listed = pageRoutes().filter(([path]) => !path.startsWith("/reports/") && !/:id|\/logo$/.test(path));
    const found: Record<string, string[]> = {};
    for (const [path] of listed) {
      await page.goto(site.origin + fillPath(path, named));
      const missed = [...(await smallTargets(page)), ...(await offScreen(page))];
      if (missed.length > 0) found[path] = missed;
    }
    await context.close();
    expect(found).toEqual({});
  });

  it("finds a domain from any page", async () => {
    page = await site.open("/glossary");
    await page.getByRole("searchbox", { name: "Find a domain" }).fill("acme.ex");
    await page.keyboard.press("Enter");
    await page.waitForURL(/domains\.q=acme\.ex/);
    expect(await page.locator("#domains tbody th").allTextContents()).toEqual(["acme.example"]);
    await clean();
  });

  it.each([true, false])("has a menu on a phone, with JavaScript: %s", async (javaScriptEnabled) => {
    const context = await site.openContext({ viewport: { width: 390, height: 844 }, javaScriptEnabled });
    page = await context.newPage();
    await page.goto(`${site.origin}/domains/acme.example`);
    const menu = page.getByRole("navigation", { name: "Main" });
    expect(await menu.count()).toBe(0);
    await page.getByRole("button", { name: "Menu" }).click();
    expect(await menu.getByRole("link").allTextContents()).toContain("Alerts");
    expect(await menu.textContent()).toContain("developer@localhost · operator");
    expect(await offScreen(page)).toEqual([]);
    await page.keyboard.press("Escape");
    expect(await menu.count()).toBe(0);
    await page.getByRole("button", { name: "Menu" }).press("Enter");
    await menu.getByRole("link", { name: "Alerts" }).click();
    await page.waitForURL(/\/alerts$/);
    await page.setViewportSize({ width: 1280, height: 800 });
    expect(await menu.getByRole("link", { name: "Alerts" }).isVisible()).toBe(true);
    expect(await page.getByRole("button", { name: "Menu" }).count()).toBe(0);
    await context.close();
  });

  it.each(["A4", "Letter"])("prints a domain's overview on two pages of %s", async (format) => {
    const domain = "usual.example";
    await site.send({ to: RUA, name: "usual.xml", content: usualReport(domain) });
    page = await site.open(`/domains/${domain}`);
    await reloadUntil("#sources tbody tr");
    const pdf = await page.pdf({ format, printBackground: true });
    expect(pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)).toHaveLength(2);
    await page.emulateMedia({ media: "print" });
    for (const what of ["nav.tabs", ".period", "form", "button", "#sources .table-foot >> text=CSV"])
      expect(await page.locator(what).filter({ visible: true }).count(), what).toBe(0);
    for (const what of ["#verdict", ".figures", "#volume", "#sources table"])
      expect(await page.locator(what).isVisible(), what).toBe(true);
  });

  it("prints pages whole: nothing to press, nothing beyond the paper, and whose it is", async () => {
    await site.send({ to: RUA, name: "printed.xml", content: usualReport("printed.example") });
    page = await site.open("/domains/printed.example/reports");
    await reloadUntil("#reports tbody tr");
    const report = (await page.locator("#reports tbody a").first().getAttribute("href")) ?? "";
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    // What is within the margins of A4.
    await page.setViewportSize({ width: 703, height: 1000 });
    const about = "/domains/printed.example";
    for (const path of [
      "/",
      about,
      `${about}/sources`,
      `${about}/senders`,
      `${about}/reports`,
      `${about}/setup`,
      report,
    ]) {
      await page.goto(site.origin + path);
      for (const what of ["form", "button", ".button", "main input", "nav a", ".pages"])
        expect(await page.locator(what).filter({ visible: true }).count(), `${path} ${what}`).toBe(0);
      expect(await page.locator(".brand").isVisible(), path).toBe(true);
      expect(Number(await page.evaluate("document.documentElement.scrollWidth")), path).toBeLessThanOrEqual(703);
      expect(await page.evaluate("getComputedStyle(document.body).backgroundColor"), path).toBe("rgb(255, 255, 255)");
    }
  });

  it("works without JavaScript", async () => {
    const context = await site.openContext({ javaScriptEnabled: false });
    page = await context.newPage();
    await page.goto(`${site.origin}/domains/acme.example`);
    await page.click("text=90 days");
    expect(page.url()).toContain("days=90");
    expect(await page.textContent(".figures")).toContain("109");
    await context.close();
  });

  it("says without JavaScript what a form did, once, and the page begins there", async () => {
    const context = await site.openContext({ javaScriptEnabled: false });
    page = await context.newPage();
    const says = async (sentence: string): Promise<void> => {
      expect(await page.locator("*:focus").textContent()).toBe(sentence);
      expect(await page.locator("[href*=said], [action*=said]").count(), sentence).toBe(0);
    };
    await page.goto(`${site.origin}/domains/acme.example/sources/sender.test?days=90`);
    await page.check("text=Not mine");
    await page.click("text=Save");
    await says("Saved. The verdict follows your decision.");
    expect(page.url()).toContain("days=90");
    await page.click("text=Undo the last decision");
    await says("The last decision was undone.");
    await page.goto(`${site.origin}/channels`);
    await page.fill("#channel-target", "ann@acme.example");
    await page.click("main button.primary");
    await says("ann@acme.example was added.");
    await page.click("#channels >> button:text('Test')");
    await says("It is being sent: see Deliveries.");
    await page.click("#channels >> button:text('Remove')");
    await says("Removed.");
    for (const code of ["nothing", "__proto__", "<b>x</b>"]) {
      await page.goto(`${site.origin}/channels?${new URLSearchParams({ said: code })}`);
      expect(await page.locator(".note").count(), code).toBe(0);
    }
    await context.close();
  });

  it("refuses the administrator of another account everywhere", async () => {
    page = await site.open("/domains/acme.example/tls");
    const report = await page.getAttribute("#reports tbody a", "href");
    await site.becomeAdministrator(["elsewhere"]);
    page = await site.open("/");
    await vi.waitUntil(async () => {
      await page.reload();
      return (await page.textContent(".who"))?.includes("administrator");
    }, WAIT);
    expect(await page.textContent("main")).not.toContain("acme.example");
    for (const path of ["/domains/acme.example", "/domains/acme.example/sources", "/domains/acme.example/reports"]) {
      await page.goto(site.origin + path);
      expect(await page.textContent("main")).not.toMatch(/108|Good Reporter|192\.0\.2/);
    }
    for (const path of [report, report?.replace(/(\?.*)?$/, "/raw")]) {
      expect((await page.goto(`${site.origin}${path}`))?.status()).toBe(404);
    }
    for (const [path] of pageRoutes().filter(([, { role }]) => role === "operator")) {
      expect((await page.goto(site.origin + fillPath(path, { id: "20260101-a" })))?.status()).toBe(403);
    }
  });
});
