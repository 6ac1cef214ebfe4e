/** What is sent, in the form of each channel: verdict first, a stranger's names inert. */
import { describe, expect, it } from "vitest";
import { slackMessage, teamsMessage } from "../../shared/notify/chat.ts";
import { mailBody } from "../../shared/notify/mail.ts";
import { type DigestFacts, digestStory, noticeStory, testStory } from "../../shared/notify/story.ts";
import { webhookPayload } from "../../shared/notify/webhook.ts";
import type { Notice } from "../../shared/watch/finding.ts";

const CONTEXT = { account: "acme", dashboardUrl: "https://dmarc.example.net" };
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
};

describe("a notice", () => {
  it("says what, why and where", async () => {
    const story = noticeStory(NOTICE, CONTEXT);
    expect(story.headline).toBe("shop.example: A new sender uses this domain: esp.example");
    const { subject, text } = await mailBody(story);
    expect(subject).toBe(story.headline);
    expect(text).toContain("Likely cause: A service that is not set up yet.");
    expect(text).toContain("https://dmarc.example.net/domains/shop.example/sources/esp.example");
  });

  it("says that an incident is resolved, and no cause then", () => {
    const story = noticeStory({ ...NOTICE, step: "resolved" }, CONTEXT);
    expect(story.headline).toMatch(/^shop\.example: Resolved: /);
    expect(story.sentences).toEqual(NOTICE.evidence);
  });

  it("has no links where the dashboard's address is not configured", async () => {
    const { text, html } = await mailBody(noticeStory(NOTICE, { ...CONTEXT, dashboardUrl: "" }));
    expect(`${text}${html}`).not.toContain("href");
    expect(text).not.toContain("http");
  });

  it("keeps a stranger's text inert in every channel", async () => {
    const story = noticeStory({ ...NOTICE, title: HOSTILE, evidence: [HOSTILE] }, CONTEXT);
    const { subject, html } = await mailBody(story);
    expect(subject).not.toMatch(/[\r\n]/);
    expect(html).not.toContain("<img");
    expect(JSON.stringify(slackMessage(story))).not.toContain("<https://evil.example");
    expect(JSON.stringify(teamsMessage(story))).not.toContain("[x](https://evil.example)");
  });
});

describe("a digest", () => {
  it("is sent when there is nothing to do, and says so", async () => {
    const story = digestStory(EMPTY, CONTEXT);
    expect(story.headline).toBe("Nothing to do");
    expect((await mailBody(story)).text).toContain("Sent every Monday, also when there is nothing to do.");
  });

  it("puts rejected senders first, and counts what it does not list", async () => {
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
    expect(story.headline).toBe("Real senders are being rejected at 1 domain");
    expect(story.sections.map(({ heading }) => heading)).toEqual(["What to do", "What changed"]);
    expect(story.sections[0]?.items).toHaveLength(11);
    expect(story.sections[0]?.items.at(-1)?.text).toBe("and 204 more");
    const { text, html } = await mailBody(story);
    expect(text).toContain("1,000 domains");
    expect(html).toContain("protected");
    expect(slackMessage(story)).toMatchObject({ text: story.headline });
  });
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
