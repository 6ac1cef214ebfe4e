/** A story as a message of Slack (Block Kit) or Teams (an Adaptive Card, as its workflows take it). Pure. */
import { NOTIFY_LIMITS } from "../limits.ts";
import { linkLabel, type Story, type StoryItem } from "./story.ts";

const SLACK_MARKS: Record<Story["tone"], string> = {
  good: ":white_check_mark:",
  attention: ":warning:",
  bad: ":rotating_light:",
  neutral: ":information_source:",
};

/** The body for a Slack incoming webhook: at most 50 blocks, 3,000 characters a text (api.slack.com/reference/block-kit). */
export function slackMessage(story: Story): object {
  const { headline, tone, sentences, bars, sections, url, footer } = story;
  const counts = bars.map(({ label, count }) => `*${count.toLocaleString("en-US")}* ${slackText(label)}`);
  const blocks: object[] = [
    slackSection(`${SLACK_MARKS[tone]} *${slackText(headline)}*`),
    ...(sentences.length === 0 ? [] : [slackSection(sentences.map(slackText).join("\n"))]),
    ...(counts.length === 0 ? [] : [slackSection(counts.join(" · "))]),
    ...sections.map(({ heading, items }) =>
      slackSection([`*${slackText(heading)}*`, ...items.map(slackItem)].join("\n")),
    ),
  ];
  if (url !== "") blocks.push(slackSection(`<${url}|${linkLabel(story)}>`));
  blocks.push({ type: "context", elements: [slackMarked(slackText(footer))] });
  return { text: cut(slackText(headline)), blocks };
}

function slackSection(text: string): object {
  return { type: "section", text: slackMarked(text) };
}

/** verbatim: only our own marks are links; Slack looks for no addresses, channels and mentions in a stranger's name. */
function slackMarked(text: string): object {
  return { type: "mrkdwn", text: cut(text), verbatim: true };
}

function slackItem({ text, detail, url }: StoryItem): string {
  const shown = slackText(text);
  const linked = url === "" ? shown : `<${url}|${shown.replaceAll("|", "¦")}>`;
  return `• ${linked}${detail === "" ? "" : ` — ${slackText(detail)}`}`;
}

/**
 * Slack takes `&`, `<` and `>` for its own marks; asterisks and the like would only change the type. Others that take Slack's
 * messages would call everybody by `@all`; within an address it calls nobody.
 */
function slackText(text: string): string {
  const uncalled = text.replaceAll(/(?<!\w)@(?=(?:all|channel|everyone|here)\b)/gi, "@\u200b");
  return uncalled.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function cut(text: string): string {
  return text.length <= NOTIFY_LIMITS.chatChars ? text : `${text.slice(0, NOTIFY_LIMITS.chatChars - 1)}…`;
}

const TEAMS_COLOURS: Record<Story["tone"], string> = {
  good: "Good",
  attention: "Warning",
  bad: "Attention",
  neutral: "Default",
};

/** The body for a Teams workflow "When a webhook request is received": a message with one Adaptive Card 1.4. */
export function teamsMessage(story: Story): object {
  const { headline, tone, sentences, bars, sections, url, footer } = story;
  const body: object[] = [
    teamsText(headline, { size: "Medium", weight: "Bolder", color: TEAMS_COLOURS[tone] }),
    ...sentences.map((sentence) => teamsText(sentence)),
    ...(bars.length === 0
      ? []
      : [
          {
            type: "FactSet",
            facts: bars.map(({ label, count }) => ({ title: count.toLocaleString("en-US"), value: label })),
          },
        ]),
    ...sections.flatMap(({ heading, items }) => [
      teamsText(heading, { weight: "Bolder", spacing: "Medium" }),
      ...items.map(({ text, detail, url: link }) =>
        teamsText(`${linkOf(text, link)}${detail === "" ? "" : ` – ${teamsPlain(detail)}`}`, { isMarked: true }),
      ),
    ]),
    teamsText(footer, { size: "Small", isSubtle: true }),
  ];
  const actions = url === "" ? [] : [{ type: "Action.OpenUrl", title: linkLabel(story), url }];
  const content = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    body,
    actions,
  };
  return { type: "message", attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", content }] };
}

interface TeamsStyle {
  size?: string;
  weight?: string;
  color?: string;
  spacing?: string;
  isSubtle?: boolean;
  /** The text is Markdown already. */
  isMarked?: boolean;
}

function teamsText(text: string, { isMarked = false, ...style }: TeamsStyle = {}): object {
  return { type: "TextBlock", text: cut(isMarked ? text : teamsPlain(text)), wrap: true, ...style };
}

function linkOf(text: string, url: string): string {
  return url === "" ? teamsPlain(text) : `[${teamsPlain(text)}](${url})`;
}

/** A card's text is Markdown: a stranger's name must not become a link or a picture. */
function teamsPlain(text: string): string {
  return text.replaceAll(/[\\[\]()*_`~!]/g, (mark) => `\\${mark}`);
}
