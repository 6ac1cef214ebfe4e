/** Starts the Chromium installed on this machine for tests and screenshots. It downloads nothing and opens no other site. */
import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from "playwright-core";

const PATHS = [process.env.CHROMIUM ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where Chromium is; undefined when it is not installed. The variable CHROMIUM names another place. */
export function findChromium(): string | undefined {
  return PATHS.find((path) => path !== "" && existsSync(path));
}

/** A headless browser with an empty profile. @throws Error when Chromium is not installed */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("Chromium is not installed: apt-get install chromium");
  return chromium.launch({
    executablePath,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
}

/** Windows in which a stack's dashboard has been opened by its link. */
export async function openedContext(
  browser: Browser,
  { link }: { link: string },
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(link);
  await page.close();
  return context;
}
