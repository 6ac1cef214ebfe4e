/** Support: a stack of its own, and pages that note every console error and every request off the origin. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import { createTransport } from "nodemailer";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { type RunningStack, type StackOptions, startStack } from "../../local/stack.ts";
import { launchBrowser, openedContext } from "../../scripts/browser.ts";
import { freeStackPorts } from "../support/ports.ts";

interface Attachment {
  name: string;
  content: string;
}

export interface BrowserStack {
  origin: string;
  stack: RunningStack;
  browser: Browser;
  /** Windows of another kind in which the dashboard has been opened by its link. */
  openContext(options: BrowserContextOptions): Promise<BrowserContext>;
  /** What pages did that they must not. */
  faults: string[];
  open(path: string): Promise<Page>;
  /** Does what is answered with a status from 400 to 499, waits until the browser has said so, and counts that as no fault. */
  refused(page: Page, act: () => Promise<unknown>): Promise<void>;
  /** Sends a mail with one attachment, or several, by SMTP. */
  send(mail: { to: string } & (Attachment | { attachments: Attachment[] })): Promise<void>;
  /** Sends a whole mail as it is. */
  sendRaw(mail: { to: string; raw: string }): Promise<void>;
  api(path: string, init?: RequestInit): Promise<Response>;
  /** The person in the browser becomes administrator of accounts, which are created. @throws if the API refuses that */
  becomeAdministrator(accounts: string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts everything, without sample reports and, unless it is said where, without DNS. */
export async function startBrowserStack(options: Partial<StackOptions> = {}): Promise<BrowserStack> {
  const stateDir = await mkdtemp(join(tmpdir(), "dmarc-browser-"));
  const ports = await freeStackPorts();
  const stack = await startStack({ stateDir, ...ports, samples: false, ...options });
  const browser = await launchBrowser();
  const origin = `http://127.0.0.1:${ports.httpPort}`;
  const context = await openedContext(browser, stack);
  const faults: string[] = [];
  const transport = createTransport({ host: "127.0.0.1", port: ports.smtpPort, ignoreTLS: true });
  const api = (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { authorization: `Bearer ${stack.token}`, "content-type": "application/json" };
    return fetch(`${origin}/api/v1${path}`, { ...init, headers });
  };
  return {
    origin,
    stack,
    browser,
    faults,
    openContext: (options) => openedContext(browser, stack, options),
    async open(path) {
      const page = await context.newPage();
      page.on("console", (message) => message.type() === "error" && faults.push(`console: ${message.text()}`));
      page.on("pageerror", (error) => faults.push(`page: ${error.message}`));
      page.on("dialog", (dialog) => {
        faults.push(`dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on("request", (request) => {
        if (!request.url().startsWith(`${origin}/`)) faults.push(`request: ${request.url()}`);
      });
      await page.goto(origin + path);
      return page;
    },
    async refused(page, act) {
      const refusal = page.waitForEvent("console", (message) => /\bstatus of 4\d\d\b/.test(message.text()));
      const [message] = await Promise.all([refusal, act()]);
      const at = faults.lastIndexOf(`console: ${message.text()}`);
      if (at !== -1) faults.splice(at, 1);
    },
    async send({ to, ...mail }) {
      const files = "attachments" in mail ? mail.attachments : [mail];
      const attachments = files.map(({ name, content }) => ({ filename: name, content }));
      await transport.sendMail({
        from: "reporter@reporter.example",
        to,
        subject: "Report domain",
        text: "",
        attachments,
      });
    },
    async sendRaw({ to, raw }) {
      await transport.sendMail({ envelope: { from: "reporter@reporter.example", to }, raw });
    },
    api,
    async becomeAdministrator(accounts) {
      for (const account of accounts) await api("/accounts", { method: "POST", body: JSON.stringify({ account }) });
      const body = JSON.stringify({ role: "administrator", accounts });
      const answer = await api("/identities/developer@localhost", { method: "PUT", body });
      if (!answer.ok) throw new Error(`PUT identities: ${answer.status} ${await answer.text()}`);
    },
    async stop() {
      await browser.close();
      await stack.stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/** What a person cannot reach without scrolling sideways: one line each. Heads of tables are for screen readers there. */
export function offScreen(page: Page): Promise<string[]> {
  return page.evaluate(OFF_SCREEN);
}

// A text, since tests are not compiled for a browser.
const OFF_SCREEN = `(() => {
  const found = [];
  const { scrollWidth } = document.documentElement;
  if (scrollWidth > innerWidth) {
    const wide = [...document.querySelectorAll("main *:not(thead, thead *)")].filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5);
    found.push("the page is " + scrollWidth + " wide: " + (wide.at(-1)?.outerHTML.slice(0, 200) ?? "no part of it"));
  }
  for (const part of document.querySelectorAll("body *")) {
    const scrolls = /auto|scroll/.test(getComputedStyle(part).overflowX) && part.scrollWidth > part.clientWidth + 1;
    if (scrolls) found.push(part.tagName + "." + part.className + " is " + part.scrollWidth + " wide");
  }
  for (const control of document.querySelectorAll("a, button, input, select, summary, textarea")) {
    const { left, right, width } = control.getBoundingClientRect();
    if (width === 0 || control.closest("thead") !== null || control.matches(".skip")) continue;
    if (left < 0 || right > innerWidth + 0.5) found.push(control.outerHTML.slice(0, 80) + " ends at " + right);
  }
  return found;
})()`;

/** What axe-core finds wrong on a page, one line each. */
export async function axeFindings(page: Page): Promise<string[]> {
  // Evaluated by the debugger, which the page's own policy does not bind.
  await page.evaluate(axe.source);
  // What is in order is neither written out nor sent here.
  const violations = await page.evaluate(async () => {
    const { axe: runner } = globalThis as unknown as { axe: typeof axe };
    return (await runner.run({ resultTypes: ["violations"], rules: { "target-size": { enabled: true } } })).violations;
  });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`);
}

/** Controls that a finger misses, one line each: less than 44 px of height press them. Links in a sentence are left out. */
export function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(SMALL_TARGETS);
}

// What lies around a link may be pressed with it, so that its box says too little: the page is asked point by point.
const SMALL_TARGETS = `(() => {
  const controls = "button, select, input, summary, textarea, nav a, .button, .chip, .table-foot a, tbody th a, .verdict > a";
  const found = [];
  for (const control of document.querySelectorAll(controls)) {
    if (control.closest("thead, :popover-open") !== null || !control.checkVisibility({ visibilityProperty: true })) continue;
    control.scrollIntoView({ block: "center", behavior: "instant" });
    const box = control.getClientRects()[0];
    if (box === undefined) continue;
    const [x, middle] = [box.left + Math.min(20, box.width / 2), box.top + box.height / 2];
    const isHit = (y) => {
      const hit = document.elementFromPoint(x, y);
      return hit !== null && (control.contains(hit) || (control.matches("input") && hit.closest("label")?.contains(control) === true));
    };
    let height = 0;
    for (const step of [-1, 1]) for (let off = 0; off < 22 && isHit(middle + step * (off + 0.5)); off++) height++;
    // A control may begin and end between two points.
    if (height < 42) found.push(height + " px: " + control.outerHTML.slice(0, 120));
  }
  return found;
})()`;
