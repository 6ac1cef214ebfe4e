/**
 * From a report to a notice, over the whole stack: channels are added in a real browser, reports come by SMTP, notices go by SMTP and
 * to an HTTPS server that checks their signature. Process has a clock that is moved through days.
 */
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { findChromium } from "../../scripts/browser.ts";
import { makeCertificate } from "../support/certificate.ts";
import { type MovedClock, startMovedClock } from "../support/moved-clock.ts";
import {
  type MailReceiver,
  startMailReceiver,
  startWebhookReceiver,
  type WebhookReceiver,
} from "../support/notice-receivers.ts";
import { type DaySender, dayReport } from "../support/plain-report.ts";
import { axeFindings, type BrowserStack, offScreen, startBrowserStack } from "./support.ts";

const WAIT = { timeout: 60_000, interval: 200 };
const isMissing = findChromium() === undefined && process.env.CI === undefined;
/** Where PICTURES names a folder, pages and mails are pictured as they come. */
const { PICTURES } = process.env;
const DOMAIN = "shop.example";
const RUA = "reports@shop.example";
const DAY = 86_400;
/** The first day of the story, some days ago, so that nothing in it is in the future of the rest of the stack. */
const START_DAY = Math.floor(Date.now() / 1000 / DAY) - 12;

const OWN: DaySender = { ip: "192.0.2.1", count: 80, signedBy: DOMAIN };

interface Notice {
  id: string;
  rule: string;
  step: string;
  urgency: string;
}

interface Delivery {
  id: string;
  kind: string;
  state: string;
  attempts: number;
}

describe.skipIf(isMissing)("notices", () => {
  const certificateFile = join(tmpdir(), `dmarc-receiver-${process.pid}.pem`);
  let hook: WebhookReceiver;
  let mail: MailReceiver;
  let clock: MovedClock;
  let site: BrowserStack;
  let page: Page;
  let today = START_DAY;

  beforeAll(async () => {
    const certificate = makeCertificate();
    await writeFile(certificateFile, certificate.certificate);
    // workerd trusts what is in this file (miniflare).
    process.env.NODE_EXTRA_CA_CERTS = certificateFile;
    hook = await startWebhookReceiver(certificate);
    mail = await startMailReceiver();
    clock = await startMovedClock(START_DAY * DAY + DAY / 2);
    const { processMain } = clock;
    // A round of its own while a month of reports comes in would find that the last days have none.
    const options = { mailRelayUrl: mail.url, webhookOrigin: hook.origin, processMain, withoutCron: true };
    site = await startBrowserStack(options);
    await site.api(`/registry/${RUA}`, { method: "PUT", body: JSON.stringify({ account: "acme" }) });
  });
  afterAll(async () => {
    await site?.stop();
    await Promise.all([hook?.stop(), mail?.stop(), clock?.stop(), rm(certificateFile, { force: true })]);
  });

  async function read<T>(path: string): Promise<T[]> {
    return ((await (await site.api(path)).json()) as { items: T[] }).items;
  }

  /** A report of a reporter that tells of one day; resolves when it is counted. */
  async function reported(day: number, senders: DaySender[], suffix = ""): Promise<void> {
    const reportId = `day-${day}${suffix}`;
    await site.send({ to: RUA, name: "r.xml", content: dayReport({ reportId, domain: DOMAIN, day, senders }) });
  }

  async function counted(reports: number): Promise<void> {
    await vi.waitUntil(async () => {
      const stats = (await (await site.api(`/stats?domain=${DOMAIN}`)).json()) as { reports: number };
      return stats.reports === reports;
    }, WAIT);
  }

  /** Cron, some minutes after one another. */
  async function minutes(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      clock.moveTo(clock.nowSeconds() + 16 * 60);
      const ran = await site.api("/schedules/run", { method: "POST", body: JSON.stringify({ cron: "* * * * *" }) });
      expect(ran.status, await ran.text()).toBe(200);
      await settled();
    }
  }

  /** What was enqueued has been attempted. */
  async function settled(): Promise<void> {
    await vi.waitUntil(async () => {
      const status = (await (await site.api("/status")).json()) as { queues: { messages: number }[] };
      return status.queues.every(({ messages }) => messages === 0);
    }, WAIT);
  }

  function nextDay(): void {
    today += 1;
    clock.moveTo(today * DAY + DAY / 2);
  }

  const noticesBy = (step: string) => hook.received.filter(({ body }) => body.notice?.step === step);
  const mailIds = () =>
    mail.received.map(({ headers }) => headers.find(({ key }) => key === "x-dmarc-delivery")?.value);

  it("go to channels that somebody adds in the browser", async () => {
    for (let day = START_DAY - 30; day < START_DAY; day++) await reported(day, [OWN]);
    await counted(30);
    await minutes(2);
    page = await site.open("/channels");
    await page.selectOption("#channel-kind", "webhook");
    await page.fill("#channel-target", `${hook.origin}/dmarc`);
    await page.selectOption("#channel-digest", "none");
    await page.selectOption("#channel-account", "acme");
    await page.click("button:has-text('Add')");
    hook.secret = (await page.textContent(".note code"))?.trim() ?? "";
    expect(hook.secret).toMatch(/^[0-9a-f]{64}$/);
    await page.click("button:has-text('Test')");
    await vi.waitUntil(() => hook.received.length === 1, WAIT);
    expect(hook.received[0]?.body.kind).toBe("test");
    await page.goto(`${site.origin}/channels`);
    expect(await page.textContent("main")).not.toContain(hook.secret);
  });

  it("go to a mail address only after somebody there has confirmed", async () => {
    await site.becomeAdministrator(["acme"]);
    await vi.waitUntil(async () => {
      await page.goto(`${site.origin}/channels`);
      return (await page.textContent(".who"))?.includes("administrator");
    }, WAIT);
    await page.fill("#channel-target", "team@elsewhere.example");
    await page.selectOption("#channel-digest", "daily");
    await page.click("button:has-text('Add')");
    expect(await page.textContent(".note")).toContain("nothing else is sent to it");
    await page.goto(`${site.origin}/channels`);
    expect(await page.textContent("#channels")).toContain("waiting for confirmation");
    expect(await axeFindings(page)).toEqual([]);
    await vi.waitUntil(() => mail.received.length === 1, WAIT);
    const link = /http\S+\/confirm\?\S+/.exec(mail.received[0]?.text ?? "")?.[0] ?? "";
    // A browser that has never been here.
    const stranger = await site.browser.newContext();
    const there = await stranger.newPage();
    expect((await there.goto(link.replace(/signature=.{4}/, "signature=0000")))?.status()).toBe(200);
    await there.click("button:has-text('Confirm')");
    expect(await there.textContent("main")).toContain("not valid");
    await there.goto(link);
    expect(await axeFindings(there)).toEqual([]);
    await there.click("button:has-text('Confirm')");
    expect(await there.textContent("h1")).toBe("Confirmed");
    expect((await there.goto(`${site.origin}/channels`))?.status()).toBe(403);
    await stranger.close();
    await page.goto(`${site.origin}/channels`);
    expect(await page.textContent("#channels")).not.toContain("waiting for confirmation");
    expect(site.faults).toEqual([]);
  });

  it("tell once of a new sender, by mail and by webhook", async () => {
    await reported(START_DAY - 1, [{ ip: "192.0.2.77", count: 40, signedBy: "sendgrid.net" }], "-b");
    await counted(31);
    await minutes(5);
    expect(noticesBy("opened").map(({ body }) => body.notice?.rule)).toEqual(["newSender"]);
    expect(hook.received.at(-1)?.body.headline).toContain(`began to send as ${DOMAIN}`);
    expect(mail.received.slice(1).map(({ subject }) => subject)).toEqual([hook.received.at(-1)?.body.headline]);
    expect(hook.refused()).toBe(0);
  });

  it("tell that own mail is rejected, and that it is over once that is fixed", async () => {
    nextDay();
    await reported(today - 1, [{ ...OWN, isBroken: true, disposition: "reject" }]);
    await counted(32);
    await minutes(3);
    const told = noticesBy("opened").map(({ body }) => body.notice?.rule);
    expect(told).toEqual(["newSender", "ownMailRefused"]);
    for (let i = 0; i < 3; i++) {
      nextDay();
      await reported(today - 1, [OWN]);
      await counted(33 + i);
      await minutes(3);
    }
    expect(noticesBy("resolved").map(({ body }) => body.notice?.rule)).toEqual(["ownMailRefused"]);
    const subjects = mail.received.map(({ subject }) => subject);
    expect(subjects.filter((subject) => subject?.includes("Resolved:"))).toHaveLength(1);
  });

  it("wait for a receiver that is down for a day, and come once", async () => {
    nextDay();
    await hook.become("down");
    const before = hook.received.length;
    await reported(today - 1, [OWN, { ip: "192.0.2.78", count: 40, signedBy: "mailgun.org" }]);
    await counted(36);
    for (let hour = 0; hour < 24; hour++) {
      clock.moveTo(clock.nowSeconds() + 3600);
      await minutes(1);
    }
    const waiting = (await read<Delivery>("/deliveries")).filter(({ state }) => state === "waiting");
    expect(waiting.map(({ kind }) => kind)).toEqual(["notice"]);
    expect(waiting[0]?.attempts).toBeGreaterThan(3);
    await page.goto(`${site.origin}/channels`);
    expect(await page.textContent("#channels")).toContain("does not answer");
    await hook.become("answers");
    for (let i = 0; i < 8; i++) {
      clock.moveTo(clock.nowSeconds() + 3600);
      await minutes(1);
    }
    expect(hook.received.slice(before).map(({ body }) => body.notice?.rule)).toEqual(["newSender"]);
    await page.goto(`${site.origin}/channels`);
    expect(await page.textContent("#channels")).not.toContain("does not answer");
  });

  it("hold up no report, though their receiver hangs", async () => {
    await hook.become("hangs");
    await page.click("#channels tr:has-text('Webhook') button:has-text('Test')");
    const startedMilliseconds = performance.now();
    await reported(today - 1, [OWN], "-c");
    await counted(37);
    expect(performance.now() - startedMilliseconds).toBeLessThan(8000);
    await hook.become("answers");
  });

  it("have come exactly as the ledger says, each once", async () => {
    const notices = (await read<Notice>("/notices")).filter(({ urgency }) => urgency === "immediate");
    const ids = hook.received.filter(({ body }) => body.kind === "notice").map(({ body }) => body.notice?.id);
    expect(ids.toSorted()).toEqual(notices.map(({ id }) => id).toSorted());
    const byWebhook = hook.received.map(({ delivery }) => delivery);
    expect(new Set(byWebhook).size).toBe(byWebhook.length);
    const byMail = mailIds();
    expect(new Set(byMail).size).toBe(byMail.length);
    const sent = (await read<Delivery>("/deliveries")).filter(({ state }) => state === "sent").map(({ id }) => id);
    expect([...byWebhook, ...byMail].toSorted()).toEqual(sent.toSorted());
    const digests = mail.received.filter(({ html }) => html?.includes("Sent every day"));
    expect(digests.length).toBeGreaterThanOrEqual(5);
  });

  it.each([
    { width: 600, colorScheme: "light" as const },
    { width: 600, colorScheme: "dark" as const },
    { width: 390, colorScheme: "light" as const },
    { width: 390, colorScheme: "dark" as const },
  ])("and the digest holds in a window $width wide, $colorScheme", async ({ width, colorScheme }) => {
    const digest = mail.received.findLast(({ html }) => html?.includes("Sent every day"));
    const pictures = digest?.attachments.filter(({ disposition }) => disposition === "inline") ?? [];
    expect(pictures.map(({ contentId, mimeType }) => [contentId, mimeType])).toEqual([["<days@dmarc>", "image/png"]]);
    const content = pictures[0]?.content;
    if (!(content instanceof ArrayBuffer)) throw new Error("The picture is not there.");
    const address = `data:image/png;base64,${Buffer.from(content).toString("base64")}`;
    const context = await site.browser.newContext({ colorScheme, viewport: { width, height: 900 } });
    const window = await context.newPage();
    const requests: string[] = [];
    window.on("request", (request) => requests.push(request.url()));
    await window.setContent((digest?.html ?? "").replace("cid:days@dmarc", address));
    expect(requests.filter((url) => !url.startsWith("data:"))).toEqual([]);
    expect(await window.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    expect(await axeFindings(window)).toEqual([]);

    expect(await window.evaluate("document.images[0].naturalWidth")).toBe(1120);
    expect(await window.getAttribute("img", "alt")).toMatch(/^Messages by day from .* in all, .* pass DMARC, most on /);
    if (PICTURES !== undefined) {
      await window.screenshot({ path: `${PICTURES}/digest-${width}-${colorScheme}.png`, fullPage: true });
    }
    await context.close();
  });

  /** A page as its text, checked: nothing wrong by axe, nothing wider than a phone, on two pages of paper. */
  async function printed(name: string): Promise<string> {
    expect(await axeFindings(page)).toEqual([]);
    expect(site.faults).toEqual([]);
    if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await offScreen(page)).toEqual([]);
    await page.setViewportSize({ width: 1280, height: 800 });
    const pdf = await page.pdf({ format: "A4", printBackground: true });
    if (PICTURES !== undefined) await writeFile(`${PICTURES}/${name}.pdf`, pdf);
    expect(pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)).toHaveLength(2);
    return (await page.textContent("main")) ?? "";
  }

  it("and the month are on two pages of a domain's report", async () => {
    const month = new Date(START_DAY * DAY * 1000).toISOString().slice(0, 7);
    await page.goto(`${site.origin}/domains/${DOMAIN}/report?month=${month}`);
    const text = await printed("report-domain");
    for (const part of [
      "What changed",
      "Twilio SendGrid began to send",
      "What to do next",
      "Who sends",
      "Messages by week",
    ])
      expect(text).toContain(part);
    await page.goto(`${site.origin}/report?account=acme&month=${month}`);
    expect(await printed("report-account")).toContain(DOMAIN);
    for (const [path, status] of [
      ["/report?account=other", 404],
      [`/domains/${DOMAIN}/report?month=2026-13`, 400],
    ] as const) {
      await site.refused(page, async () => expect((await page.goto(site.origin + path))?.status()).toBe(status));
    }
  });

  it("a report about a domain with a great many senders is two pages too", async () => {
    const senders = Array.from({ length: 60 }, (_, i) => ({
      ip: `192.0.2.${i + 1}`,
      count: 1000 - i,
      signedBy: i % 3 === 0 ? "crowded.example" : `a-mail-service-with-a-rather-long-name-${i}.example`,
      isBroken: i % 2 === 0,
    }));
    for (let day = START_DAY - 10; day < START_DAY; day++) {
      const content = dayReport({ reportId: `crowded-${day}`, domain: "crowded.example", day, senders });
      await site.send({ to: RUA, name: "r.xml", content });
    }
    await settled();
    for (let i = 1; i <= 12; i++) {
      const source = `192.0.2.${i}`;
      const body = JSON.stringify({ decision: "notMine", note: "" });
      const path = `/domains/acme/crowded.example/senders/${source}`;
      expect((await site.api(path, { method: "PUT", body })).ok).toBe(true);
    }
    await minutes(1);
    const month = new Date((START_DAY - 1) * DAY * 1000).toISOString().slice(0, 7);
    await page.goto(`${site.origin}/domains/crowded.example/report?month=${month}`);
    expect(await printed("report-crowded")).toContain("more with fewer messages");
  });
});
