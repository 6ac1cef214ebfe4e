/**
 * Forwarding from the browser, over the whole stack: a target is added, tested, down, and taken away, and a real HTTPS server gets
 * what it is said to get.
 */
import { createHmac } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { findChromium } from "../../scripts/browser.ts";
import { makeCertificate } from "../support/certificate.ts";
import { dayReport } from "../support/plain-report.ts";
import { axeFindings, type BrowserStack, offScreen, startBrowserStack } from "./support.ts";

const WAIT = { timeout: 60_000, interval: 200 };
const isMissing = findChromium() === undefined && process.env.CI === undefined;
const RUA = "reports@shop.example";

interface Received {
  signature: string;
  body: string;
}

describe.skipIf(isMissing)("forwarding", () => {
  const certificateFile = join(tmpdir(), `dmarc-forwarding-${process.pid}.pem`);
  const received: Received[] = [];
  let isDown = false;
  let server: Server;
  let target = "";
  let site: BrowserStack;
  let page: Page;
  let secret = "";

  beforeAll(async () => {
    const { key, certificate } = makeCertificate();
    await writeFile(certificateFile, certificate);
    // workerd trusts what is in this file (miniflare).
    process.env.NODE_EXTRA_CA_CERTS = certificateFile;
    server = createServer({ key, cert: certificate }, async (request, response) => {
      const body = await text(request);
      if (!isDown) received.push({ signature: String(request.headers["dmarc-signature"]), body });
      response.writeHead(isDown ? 503 : 204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
    target = `https://localhost:${(server.address() as AddressInfo).port}`;
    site = await startBrowserStack({ webhookOrigin: target });
    await site.api(`/registry/${RUA}`, { method: "PUT", body: JSON.stringify({ account: "acme" }) });
    page = await site.open("/operations/forwarding");
  });
  afterAll(async () => {
    await site?.stop();
    server?.close();
    await rm(certificateFile, { force: true });
  });

  const shown = () => page.textContent("#targets");

  async function cron(): Promise<void> {
    const ran = await site.api("/schedules/run", { method: "POST", body: JSON.stringify({ cron: "* * * * *" }) });
    expect(ran.status).toBe(200);
  }

  async function deliver(day: number): Promise<void> {
    const senders = [{ ip: "192.0.2.1", count: 5, signedBy: "shop.example" }];
    const content = dayReport({ reportId: `day-${day}`, domain: "shop.example", day, senders });
    await site.send({ to: RUA, name: "r.xml", content });
  }

  it("begins with a target whose key is shown once", async () => {
    expect(await page.textContent("main")).toContain("No targets yet");
    expect(await axeFindings(page)).toEqual([]);
    await page.fill("#target-url", "http://127.0.0.1/hook");
    await page.selectOption("#target-kind", "splunk");
    await page.fill("#target-secret", "a-token-of-splunk");
    await site.refused(page, () => page.click("button:has-text('Add')"));
    expect(await page.textContent(".note.fault")).toContain("https");
    // What was typed is there to be corrected; a secret is on no page.
    expect(await page.inputValue("#target-url")).toBe("http://127.0.0.1/hook");
    expect(await page.inputValue("#target-kind")).toBe("splunk");
    expect(await page.content()).not.toContain("a-token-of-splunk");
    await page.selectOption("#target-kind", "http");
    await page.fill("#target-url", `${target}/dmarc`);
    await page.selectOption("#target-account", "acme");
    await page.check("input[name=records]");
    await page.click("button:has-text('Add')");
    secret = (await page.textContent(".note code"))?.trim() ?? "";
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    await page.click("button:has-text('Test')");
    expect(await page.textContent(".note.done")).toContain("accepted the test");
    expect(received.map(({ body }) => JSON.parse(body).type)).toEqual(["test"]);
    await page.goto(`${site.origin}/operations/forwarding`);
    expect(await page.content()).not.toContain(secret);
    expect(await shown()).toContain("nothing sent yet");
  });

  it("sends an accepted report, signed, with its records", async () => {
    await deliver(20_700);
    await vi.waitUntil(async () => {
      await cron();
      return received.length === 2;
    }, WAIT);
    const { signature = "", body = "" } = received[1] ?? {};
    const [, seconds, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
    expect(createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")).toBe(mac);
    expect(JSON.parse(body)).toMatchObject({ report: { domain: "shop.example" }, records: [{ messages: 5 }] });
    await vi.waitUntil(async () => {
      await page.goto(`${site.origin}/operations/forwarding`);
      return (await shown())?.includes("in use");
    }, WAIT);
    expect(await page.textContent("#unsent")).toContain("Nothing is waiting");
  });

  it("shows what was not accepted, and sends it again on request", async () => {
    isDown = true;
    await deliver(20_701);
    await vi.waitUntil(async () => {
      await cron();
      await page.goto(`${site.origin}/operations/forwarding`);
      return (await shown())?.includes("not answering");
    }, WAIT);
    expect(await shown()).toContain("503");
    expect(await page.textContent("#unsent tbody")).toContain("shop.example");
    expect(await axeFindings(page)).toEqual([]);
    await page.click("button:has-text('Test')");
    expect(await page.textContent(".note.fault")).toContain("did not accept the test");
    isDown = false;
    await page.click("button:has-text('Retry')");
    await vi.waitUntil(() => received.length === 3, WAIT);
    expect(received.filter(({ body }) => JSON.parse(body).type === "report")).toHaveLength(2);
  });

  it("fits a phone, is in the audit log without its secret, and ends", async () => {
    const context = await site.openContext({ colorScheme: "dark", viewport: { width: 360, height: 740 } });
    const phone = await context.newPage();
    await phone.goto(`${site.origin}/operations/forwarding`);
    expect(await offScreen(phone)).toEqual([]);
    expect(await axeFindings(phone)).toEqual([]);
    await context.close();
    await page.goto(`${site.origin}/audit`);
    expect(await page.textContent("#entries tbody")).toContain("add forward");
    expect(await page.content()).not.toContain(secret);
    await page.goto(`${site.origin}/operations/forwarding`);
    await page.click("button:has-text('Remove')");
    expect(await page.textContent(".note.done")).toContain("was removed");
    expect(await page.textContent("main")).toContain("No targets yet");
    expect(site.faults).toEqual([]);
  });
});
