/** Accounts in a real browser: created, named, given a logo and people, viewed as, imported into, and read back in the audit log. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { findChromium } from "../../scripts/browser.ts";
import { axeFindings, type BrowserStack, offScreen, startBrowserStack } from "./support.ts";

const WAIT = { timeout: 90_000, interval: 500 };
const isMissing = findChromium() === undefined && process.env.CI === undefined;
/** Where PICTURES names a folder, pages are pictured as they come. */
const FOLDER = process.env.PICTURES;
const LOGO = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
);

describe.skipIf(isMissing)("accounts", () => {
  let site: BrowserStack;
  let page: Page;

  beforeAll(async () => {
    site = await startBrowserStack();
    page = await site.open("/accounts");
  });
  afterAll(() => site?.stop());

  /** Nothing wrong by axe, everything on the screen of a phone, no fault of the page. */
  async function clean(name: string): Promise<void> {
    expect(await axeFindings(page)).toEqual([]);
    expect(site.faults).toEqual([]);
    const size = page.viewportSize() ?? { width: 1280, height: 800 };
    for (const width of [size.width, 390]) {
      await page.setViewportSize({ width, height: size.height });
      expect(await offScreen(page)).toEqual([]);
      if (FOLDER !== undefined) await page.screenshot({ path: `${FOLDER}/${name}-${width}.png`, fullPage: true });
    }
    await page.setViewportSize(size);
  }

  it("are created, and named", async () => {
    await page.fill("#create-account", "acme");
    await page.fill("#create-name", "Acme Ltd");
    await page.click("button:has-text('Create')");
    expect(await page.textContent("h1")).toBe("Acme Ltd");
    await page.goto(`${site.origin}/accounts`);
    expect(await page.textContent("#accounts tbody")).toContain("Acme Ltd");
    await clean("accounts");
    await page.click("#accounts tbody a");
  });

  it("get a person, who is invited until they come", async () => {
    await page.fill("#person-email", "Ann@example.com");
    await page.selectOption("#person-role", "administrator");
    await page.click("button:has-text('Add')");
    const row = page.locator("#people tbody tr", { hasText: "ann@example.com" });
    expect(await row.textContent()).toMatch(/administrator.*invited/);
    await row.getByRole("button", { name: "Make viewer: ann@example.com" }).click();
    expect(await row.textContent()).toMatch(/viewer.*invited/);
    await page.fill("#person-email", "bob@example.com");
    await page.click("button:has-text('Add')");
    await page.getByRole("button", { name: "Remove bob@example.com" }).click();
    await expect.poll(() => page.locator("#people tbody tr").count()).toBe(1);
  });

  it("get a logo", async () => {
    await page.setInputFiles("#account-logo", { name: "logo.png", mimeType: "image/png", buffer: LOGO });
    await page.click("button:has-text('Save logo')");
    await expect.poll(() => page.locator("[aria-labelledby=profile] img").count()).toBe(1);
    const width = "document.querySelector('[aria-labelledby=profile] img').naturalWidth";
    await expect.poll(() => page.evaluate(width)).toBe(1);
    await clean("account");
  });

  it("are viewed as by an operator, read-only, until they leave", async () => {
    await page.click("button:has-text('View as this account')");
    expect(await page.textContent(".viewing-as")).toContain("acme");
    expect(await page.textContent(".brand")).toContain("Acme Ltd");
    expect(await page.locator("nav[aria-label=Main]").textContent()).not.toContain("Operations");
    await expect.poll(() => page.locator("a[href='/add']").count()).toBe(0);
    await clean("view-as");
    await page.goto(`${site.origin}/channels`);
    await expect.poll(() => page.locator("main form[method=post]").count()).toBe(0);
    await page.click(".viewing-as button");
    expect(new URL(page.url()).pathname).toBe("/accounts/acme");
    await expect.poll(() => page.locator(".viewing-as").count()).toBe(0);
  });

  it("keep what was typed where something is wrong, and say what", async () => {
    const wrong = async (press: string): Promise<string> => {
      await site.refused(page, () =>
        page.locator("form.stacked").getByRole("button", { name: press, exact: true }).click(),
      );
      return (await page.textContent(".note.fault")) ?? "";
    };
    await page.goto(`${site.origin}/accounts`);
    await page.fill("#create-account", "acme");
    await page.fill("#create-name", "Twice");
    expect(await wrong("Create")).toContain("There is an account 'acme' already");
    expect(await page.inputValue("#create-account")).toBe("acme");
    expect(await page.inputValue("#create-name")).toBe("Twice");

    await page.goto(`${site.origin}/channels`);
    await page.selectOption("#channel-kind", "slack");
    await page.fill("#channel-target", "nowhere");
    await page.fill("#channel-name", "On call");
    await page.uncheck("input[name=notices]");
    await page.selectOption("#channel-digest", "weekly");
    await page.fill("#channel-zone", "Europe/Berlin");
    await wrong("Add");
    expect(await page.inputValue("#channel-kind")).toBe("slack");
    expect(await page.inputValue("#channel-target")).toBe("nowhere");
    expect(await page.inputValue("#channel-name")).toBe("On call");
    expect(await page.isChecked("input[name=notices]")).toBe(false);
    expect(await page.inputValue("#channel-digest")).toBe("weekly");
    expect(await page.inputValue("#channel-zone")).toBe("Europe/Berlin");

    await page.goto(`${site.origin}/tokens`);
    const fillToken = async (): Promise<void> => {
      await page.fill("#token-name", "robot");
      await page.selectOption("#token-account", "");
      await page.selectOption("#token-scope", "operate");
      await page.fill("#token-days", "30");
    };
    await fillToken();
    await page.locator("form.stacked").getByRole("button", { name: "Create", exact: true }).click();
    await page.waitForSelector("#tokens >> text=robot");
    await fillToken();
    expect(await wrong("Create")).toContain("There is a token 'robot' already");
    expect(await page.inputValue("#token-name")).toBe("robot");
    expect(await page.inputValue("#token-account")).toBe("");
    expect(await page.inputValue("#token-scope")).toBe("operate");
    expect(await page.inputValue("#token-days")).toBe("30");

    await page.goto(`${site.origin}/accounts/acme`);
    await page.evaluate("document.querySelector('#person-email').form.noValidate = true");
    await page.fill("#person-email", "ann");
    await page.selectOption("#person-role", "administrator");
    expect(await wrong("Add")).toContain("not a mail address");
    expect(await page.inputValue("#person-email")).toBe("ann");
    expect(await page.inputValue("#person-role")).toBe("administrator");
  });

  it("are imported from a file, after a preview", async () => {
    await page.goto(`${site.origin}/import`);
    await clean("import");
    const text = "account,name,domain,rua\nbeta,Beta,beta.example,dmarc@beta.example\nno name!,,,\nacme,,shop.example,";
    await page.setInputFiles("#import-file", { name: "a.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
    await page.click("button:has-text('Preview')");
    expect(await page.textContent(".note")).toContain("3 lines: 2 new, 0 already there, 1 with errors");
    expect(await page.textContent("main")).toContain("Nothing has been changed yet");
    await clean("import-preview");
    await page.click("button:has-text('Import 2 lines')");
    expect(await page.textContent(".note")).toContain("2 imported");
    await clean("import-done");
    await page.goto(`${site.origin}/accounts`);
    expect(await page.textContent("#accounts tbody")).toContain("beta");
  });

  it("have each change in the audit log", async () => {
    await page.goto(`${site.origin}/audit?account=acme`);
    const text = await page.textContent("#entries tbody");
    for (const operation of ["create account", "put account person", "remove account person", "set account logo"]) {
      expect(text).toContain(operation);
    }
    await clean("audit");
    await page.selectOption("#audit-operation", "removeAccountPerson");
    await page.click("button:has-text('Filter')");
    await expect.poll(() => page.locator("#entries tbody tr").count()).toBe(1);
  });

  it("are an administrator's, who sees their own only", async () => {
    await site.becomeAdministrator(["beta"]);
    await vi.waitUntil(async () => {
      await page.goto(`${site.origin}/accounts`);
      return (await page.textContent(".who"))?.includes("administrator");
    }, WAIT);
    expect(await page.textContent("#accounts tbody")).not.toContain("acme");
    await page.click("#accounts tbody a");
    expect(await page.textContent("#people tbody")).toContain("yourself");
    await expect.poll(() => page.locator("#people button").count()).toBe(0);
    await clean("account-administrator");
  });
});
