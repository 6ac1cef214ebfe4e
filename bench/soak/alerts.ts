/**
 * Alerts in a soak run: domains that are watched, each of which gets a new sender on the way; channels whose receivers fail as
 * often as everything else does; and the balance: each notice of the ledger came to each channel, under one id.
 */
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiClient } from "../../cli/client.ts";
import { makeCertificate } from "../../test/support/certificate.ts";
import { type MovedClock, startMovedClock } from "../../test/support/moved-clock.ts";
import {
  type MailReceiver,
  type ReceiverFault,
  startMailReceiver,
  startWebhookReceiver,
  type WebhookReceiver,
} from "../../test/support/notice-receivers.ts";
import { type DaySender, dayReport } from "../../test/support/plain-report.ts";
import { seeded } from "../../test/support/seeded-reports.ts";
import type { BalanceRow } from "./balance.ts";
import { plainMail, type SoakMail } from "./mails.ts";

const ACCOUNT = "watched";
const RUA = "rua@watched.example";
const HISTORY_DAYS = 30;
const DAY = 86_400;
/** Ours: most steps of the clock until a failed delivery is tried again. */
const MAX_STEPS = 60;
const STEP_SECONDS = 16 * 60;

/** What runs beside the stack. */
export class Alerts {
  readonly #count: number;
  readonly #today = Math.floor(Date.now() / 1000 / DAY);
  readonly #hook: WebhookReceiver;
  readonly #mail: MailReceiver;
  readonly #clock: MovedClock;
  readonly #certificateFile: string;

  private constructor(
    count: number,
    parts: { hook: WebhookReceiver; mail: MailReceiver; clock: MovedClock; certificateFile: string },
  ) {
    this.#count = count;
    this.#hook = parts.hook;
    this.#mail = parts.mail;
    this.#clock = parts.clock;
    this.#certificateFile = parts.certificateFile;
  }

  /** @param plan.count domains; plan.faultRate share of what comes that the receivers fail at */
  static async start({ count, faultRate, seed }: { count: number; faultRate: number; seed: number }): Promise<Alerts> {
    const random = seeded(seed);
    const pickFault = (): ReceiverFault | undefined => {
      if (random() >= faultRate) return undefined;
      const place = random();
      return place < 0.4 ? "before" : place < 0.8 ? "after" : "cut";
    };
    const certificate = makeCertificate();
    const certificateFile = join(tmpdir(), `dmarc-soak-receiver-${process.pid}.pem`);
    await writeFile(certificateFile, certificate.certificate);
    // workerd trusts what is in this file (miniflare).
    process.env.NODE_EXTRA_CA_CERTS = certificateFile;
    const hook = await startWebhookReceiver(certificate, pickFault);
    const mail = await startMailReceiver(pickFault);
    const clock = await startMovedClock(Date.now() / 1000);
    return new Alerts(count, { hook, mail, clock, certificateFile });
  }

  /** What the stack is started with. */
  get options(): { mailRelayUrl: string; webhookOrigin: string; processMain: string } {
    return { mailRelayUrl: this.#mail.url, webhookOrigin: this.#hook.origin, processMain: this.#clock.processMain };
  }

  async addChannels(client: ApiClient): Promise<void> {
    await client.ask("putRegistration", { rua: RUA, entry: { account: ACCOUNT } });
    const common = { account: ACCOUNT, sendsNotices: true, digest: "none" as const, timeZone: "UTC" };
    const hook = { ...common, kind: "webhook" as const, name: "Hook", target: `${this.#hook.origin}/` };
    this.#hook.secret = (await client.ask("addChannel", hook)).secret;
    const mail = { ...common, kind: "email" as const, name: "Mail", target: "ops@watched.example" };
    await client.ask("addChannel", mail);
  }

  /** A month of each domain, in one mail. */
  *histories(): Generator<SoakMail> {
    for (let i = 0; i < this.#count; i++) {
      const days = Array.from({ length: HISTORY_DAYS }, (_, ago) => this.#today - 1 - ago);
      yield plainMail(
        RUA,
        days.map((day) => this.#report(i, day, "", [{ ip: "192.0.2.1", count: 80, signedBy: domainOf(i) }])),
      );
    }
  }

  /** The mail that shows a domain's new sender. */
  newSender(i: number): SoakMail {
    return plainMail(RUA, [
      this.#report(i, this.#today - 1, "-new", [{ ip: "192.0.2.77", count: 40, signedBy: "sendgrid.net" }]),
    ]);
  }

  #report(i: number, day: number, suffix: string, senders: DaySender[]): string {
    return dayReport({ reportId: `watched-${i}-${day}${suffix}`, domain: domainOf(i), day, senders });
  }

  /** Cron, some minutes later. @returns whether nothing waits any more */
  async step(client: ApiClient): Promise<boolean> {
    this.#clock.moveTo(this.#clock.nowSeconds() + STEP_SECONDS);
    await client.ask("runWatch", {});
    await client.ask("runSchedule", { cron: "* * * * *" });
    const { items } = await client.ask("listDeliveries", { account: ACCOUNT });
    return items.length >= 2 * this.#count && items.every(({ state }) => state !== "waiting");
  }

  /** Steps until everything was delivered. */
  async finish(step: () => Promise<boolean>): Promise<void> {
    for (let steps = 0; steps < MAX_STEPS && !(await step()); steps++);
  }

  /** What came, against the ledger. */
  async balance(client: ApiClient): Promise<BalanceRow[]> {
    const { items: all } = await client.ask("listNotices", { account: ACCOUNT });
    const notices = all.filter(({ urgency }) => urgency === "immediate").map(({ id }) => id);
    const { items: deliveries } = await client.ask("listDeliveries", { account: ACCOUNT });
    const hooks = this.#hook.received.map(({ body }) => body.notice?.id ?? "");
    const mails = this.#mail.received.map(deliveryOf);
    const sent = deliveries.filter(({ state }) => state === "sent").map(({ id }) => id);
    const came = new Set([...this.#hook.received.map(({ delivery }) => delivery), ...mails]);
    const row = (name: string, expected: number, found: number): BalanceRow => ({ name, expected, found });
    return [
      row("new senders told of", this.#count, notices.length),
      row("deliveries sent", 2 * notices.length, sent.length),
      row("notices by webhook", notices.length, new Set(hooks).size),
      row("notices by mail", notices.length, new Set(mails).size),
      row("came, but not of the ledger", 0, [...came].filter((id) => !sent.includes(id)).length),
      row("of the ledger, but never came", 0, sent.filter((id) => !came.has(id)).length),
      row("webhooks wrongly signed", 0, this.#hook.refused()),
    ];
  }

  /** How many came again, under the id they had. */
  get repeats(): number {
    const ids = [...this.#hook.received.map(({ delivery }) => delivery), ...this.#mail.received.map(deliveryOf)];
    return ids.length - new Set(ids).size;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#hook.stop(), this.#mail.stop(), this.#clock.stop()]);
    await rm(this.#certificateFile, { force: true });
  }
}

function deliveryOf({ headers }: MailReceiver["received"][number]): string {
  return headers.find(({ key }) => key === "x-dmarc-delivery")?.value ?? "";
}

function domainOf(i: number): string {
  return `watched${i}.example`;
}
