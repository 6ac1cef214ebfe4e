/** What is sent, in the form of each channel: verdict first, a stranger's names inert. */
import { deflateSync, inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { slackMessage, teamsMessage } from "../../shared/notify/chat.ts";
import { type MailContext, mailBody } from "../../shared/notify/mail.ts";
import { type DigestFacts, digestStory, noticeStory, testStory } from "../../shared/notify/story.ts";
import { webhookPayload } from "../../shared/notify/webhook.ts";
import type { Notice } from "../../shared/watch/finding.ts";

const CONTEXT = { account: "acme", accountName: "Acme Ltd", dashboardUrl: "https://dmarc.example.net" };
const MAIL: MailContext = {
  accountName: "Acme Ltd",
  logo: undefined,
  compress: async (bytes) => new Uint8Array(deflateSync(bytes)),
};
const HOSTILE = '<img src=x onerror="alert(1)">[x](https://evil.example)<https://evil.example|y>\r\nBcc: a@b.c';

const NOTICE: Notice = {
  id: "i1 opened",
  incident: "i1",
  account: "acme",
  domain: "shop.example",
  rule: "newSender",
  subject: "esp.example",
  severity: "attention",
  step: "opened",
  title: "A new sender uses this domain: esp.example",
  evidence: ["500 messages since yesterday."],
  cause: "A service that is not set up yet.",
  link: "/domains/shop.example/sources/esp.example",
  createdSeconds: 1_800_000_000,
  urgency: "immediate",
};

const EMPTY: DigestFacts = {
  interval: "weekly",
  day: "2026-11-23",
  states: [],
  needed: [],
  neededCount: 0,
  openIncidents: [],
  openCount: 0,
  notices: [],
  noticeCount: 0,
  days: [],
};

describe("a notice", () => {
  it("says what, why and where", async () => {
    const story = noticeStory(NOTICE, CONTEXT);
    expect(story.headline).toBe("shop.example: A new sender uses this domain: esp.example");
    const { subject, text, html } = await mailBody(story, MAIL);
    expect(subject).toBe(story.headline);
    expect(html).toContain(`<div style="display:none;mso-hide:all">500 messages since yesterday.</div>`);
    for (const part of [text, html]) {
      expect(part).toContain("Change or stop these mails");
      expect(part).toContain("https://dmarc.example.net/channels");
    }
    expect(text).toContain("Likely cause: A service that is not set up yet.");
    expect(text).toContain("https://dmarc.example.net/domains/shop.example/sources/esp.example");
  });

  it("does not call the next step of a changed verdict its cause", () => {
    const cause = "Publish p=quarantine; t=y.";
    const changed = { ...NOTICE, rule: "verdictChanged" as const, title: "shop.example: Ready", evidence: [], cause };
    expect(noticeStory(changed, CONTEXT).sentences).toEqual(["Next step: Publish p=quarantine; t=y."]);
  });

  it("says that an incident is resolved, without a cause", () => {
    const story = noticeStory({ ...NOTICE, step: "resolved" }, CONTEXT);
    expect(story.headline).toMatch(/^shop\.example: Resolved: /);
    expect(story.sentences).toEqual(["This is no longer found. It was:", ...NOTICE.evidence]);
  });

  it("has no links if the dashboard's address is not configured", async () => {
    const { text, html } = await mailBody(noticeStory(NOTICE, { ...CONTEXT, dashboardUrl: "" }), MAIL);
    expect(`${text}${html}`).not.toContain("href");
    expect(text).not.toContain("http");
  });

  it("keeps text from reports inert in every channel", async () => {
    const story = noticeStory({ ...NOTICE, title: HOSTILE, evidence: [HOSTILE] }, CONTEXT);
    const { subject, html } = await mailBody(story, MAIL);
    expect(subject).not.toMatch(/[\r\n]/);
    expect(html).not.toContain("<img");
    expect(JSON.stringify(slackMessage(story))).not.toContain("<https://evil.example");
    expect(JSON.stringify(teamsMessage(story))).not.toContain("[x](https://evil.example)");
  });

  it("lets no name begin a line of its own, turn the writing direction or be unseen", async () => {
    const name = "Reports\r\n\r\n- Press https://evil.example\u2028now\u202egpj\u0007\u200b.exe";
    const story = noticeStory({ ...NOTICE, title: `${name} stopped`, evidence: [name], cause: name }, CONTEXT);
    const plain = "Reports - Press https://evil.example now gpj .exe";
    expect(story.headline).toBe(`shop.example: ${plain} stopped`);
    expect(story.sentences).toEqual([plain, `Likely cause: ${plain}`]);
    const { text } = await mailBody(story, MAIL);
    expect(text.split("\n").filter((line) => /^- /.test(line))).toEqual([]);
    const facts = { ...EMPTY, notices: [{ ...NOTICE, title: name }], noticeCount: 1 };
    expect(digestStory(facts, CONTEXT).sections[0]?.items[0]?.text).toBe(`shop.example: ${plain}`);
  });

  it("has Slack read no address and no mention in a name", () => {
    const story = noticeStory(
      { ...NOTICE, title: "@everyone @here <!channel>", evidence: ["@Channel, @all, x.@all"] },
      CONTEXT,
    );
    const message = JSON.stringify(slackMessage(story));
    expect(message).not.toMatch(/@(everyone|here|channel|all)/i);
    expect(message).toContain("@\u200beveryone @\u200bhere &lt;!channel&gt;");
    expect([...message.matchAll(/"type":"mrkdwn"/g)]).toHaveLength([...message.matchAll(/"verbatim":true/g)].length);
  });

  it("leaves addresses as they are, which people copy into a record", () => {
    const record = "v=DMARC1; p=reject; rua=mailto:dmarc@all.example,mailto:d+a@hereford.example";
    const story = noticeStory({ ...NOTICE, evidence: [record, "For x@allmail.example."] }, CONTEXT);
    const message = JSON.stringify(slackMessage(story));
    expect(message).toContain(record);
    expect(message).toContain("x@allmail.example");
  });
});

describe("a digest", () => {
  it("is sent even when there is nothing to do, and says so", async () => {
    const story = digestStory(EMPTY, CONTEXT);
    expect(story.headline).toBe("Nothing to do");
    const { subject, text } = await mailBody(story, MAIL);
    expect(subject).toBe("DMARC weekly: Nothing to do");
    expect(text).toContain("Nothing changed in the last week.");
    expect(text).toContain("Sent every Monday, also when there is nothing to do.");
  });

  it("puts rejected senders first and counts the ones it leaves out", async () => {
    const needed = Array.from({ length: 10 }, (_, i) => ({
      domain: `d${i}.example`,
      state: i === 0 ? ("beingRejected" as const) : ("notYet" as const),
      atRisk: 1000 - i,
      reason: "helpdesk.example is not aligned.",
      nextRecord: "",
    }));
    const facts: DigestFacts = {
      ...EMPTY,
      states: [
        { state: "beingRejected", domains: 1, messages: 4000 },
        { state: "notYet", domains: 213, messages: 90_000 },
        { state: "protected", domains: 786, messages: 500_000 },
      ],
      needed,
      neededCount: 214,
      notices: [NOTICE],
      noticeCount: 1,
    };
    const story = digestStory(facts, CONTEXT);
    expect(story.headline).toBe("Real senders are being refused at d0.example");
    expect(story.sections.map(({ heading }) => heading)).toEqual(["What to do", "What changed"]);
    expect(story.sections[0]?.items).toHaveLength(11);
    expect(story.sections[0]?.items.at(-1)?.text).toBe("and 204 more");
    const { text, html } = await mailBody(story, MAIL);
    expect(text).toContain("1,000 domains");
    for (const part of [text, html]) {
      expect(part).toContain("Domains by verdict");
      expect(part).toContain("protected");
    }
    expect(slackMessage(story)).toMatchObject({ text: story.headline });
  });
});

describe("a mail", () => {
  const needed = Array.from({ length: 30 }, (_, i) => ({
    domain: `${"a".repeat(60)}${i}.${"b".repeat(63)}.${"c".repeat(63)}.example`,
    state: "notYet" as const,
    atRisk: 1_234_567,
    reason: "An address that is as long as one gets sends without any authentication. ".repeat(4),
    nextRecord: "",
  }));
  const notices = Array.from({ length: 200 }, () => ({ ...NOTICE, title: "t".repeat(500) }));
  const full: DigestFacts = { ...EMPTY, needed, neededCount: 30, notices, noticeCount: 200 };

  it("says the same as text and as HTML", async () => {
    const story = digestStory({ ...full, needed: needed.slice(0, 1), neededCount: 1 }, CONTEXT);
    const { text, html } = await mailBody(story, MAIL);
    expect(story.headline).toBe(`${needed[0]?.domain} needs you`);
    const said = [story.headline, story.footer, "Open the dashboard", ...story.sentences];
    for (const { heading, items } of story.sections) said.push(heading, ...items.flatMap((one) => [one.text, one.url]));
    for (const part of said) {
      expect(text).toContain(part);
      expect(html).toContain(part);
    }
  });

  it("is smaller than what Gmail cuts off, and has a table's width and a button where Outlook needs them", async () => {
    const { html } = await mailBody(digestStory(full, CONTEXT), MAIL);
    expect(Buffer.byteLength(html)).toBeLessThan(102_000);
    expect(html.match(/<!--\[if mso\]>/g)).toHaveLength(html.match(/<!\[endif\]-->/g)?.length ?? 0);
    expect(html).toContain('<!--[if mso]><table role="presentation" width="600"');
    expect(html).toContain(
      '<td bgcolor="#0b5cad" style="border-radius:6px;mso-padding-alt:10px 16px"><a href="https://dmarc.example.net/"',
    );
  });

  it("from a digest calls its link alike in every channel", () => {
    const story = digestStory({ ...EMPTY, interval: "monthly", day: "2026-12-01" }, CONTEXT);
    expect(JSON.stringify(slackMessage(story))).toContain("|Open the month's report>");
    expect(JSON.stringify(teamsMessage(story))).toContain(`"title":"Open the month's report"`);
  });
});

describe("the picture of a digest", () => {
  const days = Array.from({ length: 30 }, (_, i) => {
    return { day: `2026-11-${String(i + 1).padStart(2, "0")}`, passed: 10 * i, failed: i === 29 ? 100 : 0 };
  });

  /** Rows of the picture, two bits a pixel. */
  function rowsOf(png: Buffer): number[][] {
    const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
    const start = png.indexOf("IDAT") + 4;
    const rows = inflateSync(png.subarray(start, start + png.readUInt32BE(start - 8)));
    const bytes = width / 4 + 1;
    return Array.from({ length: height }, (_, y) =>
      Array.from({ length: width }, (_, x) => ((rows[y * bytes + 1 + (x >> 2)] ?? 0) >> (6 - 2 * (x & 3))) & 3),
    );
  }

  it("is small and has an alternative text", async () => {
    const logo = { mediaType: "image/png", base64: "AAAA" };
    const story = digestStory({ ...EMPTY, days }, CONTEXT);
    const { html, text, attachments } = await mailBody(story, { ...MAIL, logo });
    expect(attachments.map(({ contentId }) => contentId)).toEqual(["logo@dmarc", "days@dmarc"]);
    for (const { contentId } of attachments) expect(html).toContain(`src="cid:${contentId}"`);
    // Bytes: the binding sends a text as it stands, base64 too.
    expect(attachments[0]?.content).toEqual(new Uint8Array([0, 0, 0]).buffer);
    expect(attachments[1]?.content.byteLength).toBeLessThan(4500);
    expect(text).toContain("4,450 in all, 98 % pass DMARC, most on 2026-11-30 (390).");
    expect(html).toContain(`alt="Messages by day from 2026-11-01 to 2026-11-30`);
    expect(html).not.toContain("http://");
  });

  it("shows each day as a bar of its messages, with failing ones striped on top", async () => {
    const { attachments } = await mailBody(digestStory({ ...EMPTY, days }, CONTEXT), MAIL);
    const rows = rowsOf(Buffer.from(attachments[0]?.content ?? new ArrayBuffer(0)));
    const heightAt = (x: number, colour: number): number => rows.filter((row) => row[x] === colour).length;
    const step = Math.floor((rows[0]?.length ?? 0) / 30);
    const middle = (day: number): number => day * step + Math.floor(step / 2);
    expect(heightAt(middle(0), 1)).toBe(0);
    expect(heightAt(middle(20), 1)).toBeCloseTo(2 * heightAt(middle(10), 1), -1);
    expect(heightAt(middle(29), 2)).toBeGreaterThan(20);
    expect(heightAt(middle(29), 2)).toBeLessThan(heightAt(middle(10), 1));
    expect(heightAt(middle(28), 2)).toBe(0);
  });

  it("is left out when nothing was reported", async () => {
    const none = days.map((one) => ({ ...one, passed: 0, failed: 0 }));
    expect((await mailBody(digestStory({ ...EMPTY, days: none }, CONTEXT), MAIL)).attachments).toEqual([]);
  });
});

it("a monthly digest links to the report of the previous month", async () => {
  const story = digestStory({ ...EMPTY, interval: "monthly", day: "2026-12-01" }, CONTEXT);
  expect(story.url).toBe("https://dmarc.example.net/report?account=acme&month=2026-11");
  expect(story.footer).toBe(
    "DMARC reports of Acme Ltd. Sent on the first of every month, also when there is nothing to do.",
  );
});

it("a webhook's payload has a version, the delivery's id, and the facts", () => {
  const story = noticeStory(NOTICE, CONTEXT);
  const payload = webhookPayload({ kind: "notice", notice: NOTICE }, { id: "c1 notice i1", account: "acme", story });
  expect(payload).toMatchObject({
    version: 1,
    id: "c1 notice i1",
    kind: "notice",
    account: "acme",
    notice: { domain: "shop.example", rule: "newSender", step: "opened" },
  });
  expect(
    webhookPayload({ kind: "test" }, { id: "x", account: "acme", story: testStory("Ops", CONTEXT) }),
  ).toMatchObject({
    kind: "test",
  });
});
