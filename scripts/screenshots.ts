/**
 * Pictures of every page: a local stack with its sample reports, each page in light and dark, on a desktop and a phone,
 * into FOLDER (default: screenshots, which git ignores). What was there is replaced. With --docs those that the
 * documents show are copied into docs/screenshots as well.
 *
 * usage: node scripts/screenshots.ts [--docs] [FOLDER]
 * Exit code: 0 all made, 1 a page failed.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Browser, Page } from "playwright-core";
import { type RunningStack, startStack } from "../local/stack.ts";
import { freeStackPorts } from "../test/support/ports.ts";
import { fillPath, type PagePath, pageRoutes } from "../workers/dashboard/routes.ts";
import { launchBrowser, openedContext } from "./browser.ts";

const LOOKS = [
  { name: "desktop-light", colorScheme: "light", viewport: { width: 1280, height: 800 } },
  { name: "desktop-dark", colorScheme: "dark", viewport: { width: 1280, height: 800 } },
  { name: "phone-light", colorScheme: "light", viewport: { width: 390, height: 780 } },
  { name: "phone-dark", colorScheme: "dark", viewport: { width: 390, height: 780 } },
] as const;
/** Ours: a longer page is cut below. */
const MAX_HEIGHT = 1900;
/** Ours: the samples take ten seconds on a machine that has nothing else to do. */
const WAIT_MS = 300_000;

/** Pictures of a page: what fills its path, or the link on another page that leads to one. */
type Picture = { name: string; parameters?: Record<string, string> } | { name: string; from: string; link: string };

/** The pictures that README and the documents show. */
const IN_DOCUMENTS = [
  "overview-desktop-light.webp",
  "sources-desktop-dark.webp",
  "domains-desktop-light.webp",
  "report-desktop-light.webp",
  "overview-phone-light.webp",
];

const ROOT = join(import.meta.dirname, "..");
const DOMAIN = "example.com";
const ABOUT = `/domains/${DOMAIN}`;

/** Pictures of each page of the site's one list; of a file there is none. */
const PICTURES: Record<PagePath, Picture[]> = {
  "/": [{ name: "domains" }],
  "/add": [{ name: "add" }],
  "/channels": [{ name: "channels" }],
  "/tokens": [{ name: "tokens" }],
  "/domains/:domain": [{ name: "overview" }],
  "/domains/:domain/sources": [{ name: "sources" }],
  "/domains/:domain/senders": [{ name: "senders" }],
  "/domains/:domain/sources/:source": [{ name: "source", parameters: { source: "helpdesk.example" } }],
  "/domains/:domain/addresses/:address": [{ name: "address", parameters: { address: "203.0.113.217" } }],
  "/domains/:domain/reports": [{ name: "reports" }],
  "/domains/:domain/records": [{ name: "records" }],
  "/domains/:domain/setup": [{ name: "setup" }],
  "/domains/:domain/inbound": [{ name: "inbound" }],
  "/domains/:domain/report": [{ name: "domain-report" }],
  "/report": [{ name: "account-report" }],
  "/domains/:domain/tls": [{ name: "tls" }],
  "/domains/:domain/failures": [{ name: "failures" }],
  "/reports/:account/:domain/:day/:uid": [
    { name: "report", from: `${ABOUT}/reports`, link: "#reports tbody a" },
    { name: "tls-report", from: `${ABOUT}/tls`, link: "#reports tbody a" },
    { name: "failure-report", from: `${ABOUT}/failures`, link: "#reports tbody a" },
  ],
  "/reports/:account/:domain/:day/:uid/raw": [],
  "/tags": [{ name: "tags" }],
  "/worklist": [{ name: "worklist" }],
  "/alerts": [{ name: "alerts" }],
  "/accounts": [{ name: "accounts" }],
  "/accounts/:account": [{ name: "account", from: "/accounts", link: "#accounts tbody a" }],
  "/accounts/:account/logo": [],
  "/audit": [{ name: "audit" }],
  "/import": [{ name: "import" }],
  "/operations": [{ name: "operations" }],
  "/operations/dead-letters": [{ name: "dead-letters" }],
  "/operations/dead-letters/:id": [{ name: "dead-letter", from: "/operations/dead-letters", link: "#letters tbody a" }],
  "/operations/dead-letters/:id/raw": [],
  "/operations/conflicts/:id": [{ name: "conflict", from: "/operations/conflicts", link: "#conflicts tbody a" }],
  "/operations/conflicts": [{ name: "conflicts" }],
  "/operations/jobs": [{ name: "jobs" }],
  "/operations/forwarding": [{ name: "forwarding" }],
  "/glossary": [{ name: "glossary" }],
};

/** Name of a picture → its page's path, or the link on another page that leads there. */
const PAGES: Record<string, string | { from: string; link: string }> = Object.fromEntries(
  pageRoutes().flatMap(([path]) =>
    PICTURES[path].map((picture) => [
      picture.name,
      "from" in picture ? picture : fillPath(path, { domain: DOMAIN, ...picture.parameters }),
    ]),
  ),
);

async function main(folder: string): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), "dmarc-screenshots-"));
  const ports = await freeStackPorts();
  const stack = await startStack({ stateDir, ...ports, samples: true });
  const browser = await launchBrowser();
  try {
    const origin = `http://127.0.0.1:${ports.httpPort}`;
    await waitForSamples(browser, stack, origin);
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) if (/\.(png|webp)$/.test(name)) rmSync(join(folder, name));
    for (const look of LOOKS) await takeAll(browser, { stack, origin, folder, look });
  } finally {
    await browser.close();
    await stack.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

// The samples end with a job, on the page about jobs, and then with the verdicts of their domains.
async function waitForSamples(browser: Browser, stack: RunningStack, origin: string): Promise<void> {
  const context = await openedContext(browser, stack);
  const page = await context.newPage();
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    await page.goto(`${origin}/operations/jobs`);
    const isRead = (await page.textContent("main"))?.includes("✓ done");
    await page.goto(origin);
    if (isRead && !(await page.textContent("main"))?.includes("not judged yet")) break;
    if (Date.now() > deadline) throw new Error("The samples were not read in time.");
    await page.waitForTimeout(300);
  }
  await context.close();
}

interface Shooting {
  stack: RunningStack;
  origin: string;
  folder: string;
  look: (typeof LOOKS)[number];
}

async function takeAll(browser: Browser, { stack, origin, folder, look }: Shooting): Promise<void> {
  const { name, colorScheme, viewport } = look;
  const context = await openedContext(browser, stack, { colorScheme, viewport });
  const page = await context.newPage();
  for (const [pageName, place] of Object.entries(PAGES)) {
    await go(page, origin, place);
    const height = Number(await page.evaluate("document.documentElement.scrollHeight"));
    const clip = { x: 0, y: 0, width: viewport.width, height: Math.min(height, MAX_HEIGHT), scale: 1 };
    // playwright knows no WebP, which is a fifth of PNG here; the browser does.
    const devtools = await context.newCDPSession(page);
    const options = { format: "webp", quality: 80, captureBeyondViewport: true, clip } as const;
    const { data } = await devtools.send("Page.captureScreenshot", options);
    await devtools.detach();
    writeFileSync(join(folder, `${pageName}-${name}.webp`), Buffer.from(data, "base64"));
  }
  await context.close();
}

async function go(page: Page, origin: string, place: (typeof PAGES)[string]): Promise<void> {
  const answer = await page.goto(origin + (typeof place === "string" ? place : place.from));
  if (answer?.status() !== 200) throw new Error(`${page.url()}: status ${answer?.status()}`);
  if (typeof place === "string") return;
  await page.locator(place.link).first().click();
  await page.waitForLoadState();
}

const { values, positionals } = parseArgs({ options: { docs: { type: "boolean" } }, allowPositionals: true });
const folder = positionals[0] ?? join(ROOT, "screenshots");
await main(folder);
if (values.docs === true) {
  for (const name of IN_DOCUMENTS) copyFileSync(join(folder, name), join(ROOT, "docs/screenshots", name));
}
