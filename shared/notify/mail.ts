/**
 * A story as a mail: text, and HTML that works in mail programs (tables and inline styles, no scripts, nothing to load: pictures
 * are in the mail, readable in light and dark). Pure.
 */
import { html, raw } from "hono/html";
import { decodeBase64 } from "../base64.ts";
import { type Compress, daysPicture, PICTURE_SIZE } from "./picture.ts";
import { linkLabel, type Story, type StoryBar, type StoryItem, type StoryPicture } from "./story.ts";

/** What the `send_email` binding sends. */
export interface MailBody {
  subject: string;
  text: string;
  html: string;
  /** Pictures in it. */
  attachments: MailPicture[];
}

/** A picture that the HTML shows by its content id (RFC 2392). */
export interface MailPicture {
  disposition: "inline";
  contentId: string;
  filename: string;
  type: string;
  /** Never base64: users of the binding found that it sends a text as it stands. */
  content: ArrayBuffer;
}

/** The recipient, and how pictures are made. */
export interface MailContext {
  accountName: string;
  logo: { mediaType: string; base64: string } | undefined;
  compress: Compress;
}

const TONE_COLOURS: Record<Story["tone"], string> = {
  good: "#1a7f4b",
  attention: "#b26a00",
  bad: "#c62828",
  neutral: "#5f6b7a",
};

/** Content ids: one mail has one of each. */
const LOGO_ID = "logo@dmarc";
const DAYS_ID = "days@dmarc";

/** Renders a story. */
export async function mailBody(story: Story, context: MailContext): Promise<MailBody> {
  const attachments: MailPicture[] = [];
  const { logo } = context;
  const logoBytes = logo === undefined ? undefined : decodeBase64(logo.base64);
  if (logo !== undefined && logoBytes !== undefined) {
    const name = { contentId: LOGO_ID, filename: "logo", type: logo.mediaType };
    attachments.push({ disposition: "inline", ...name, content: logoBytes.buffer });
  }
  if (story.picture !== undefined) {
    const { buffer: content } = new Uint8Array(await daysPicture(story.picture.days, context.compress));
    const name = { contentId: DAYS_ID, filename: "messages-by-day.png", type: "image/png" };
    attachments.push({ disposition: "inline", ...name, content });
  }
  const html = String(await htmlOf(story, { ...context, logo: logoBytes === undefined ? undefined : logo }));
  return {
    subject: subjectOf(`${story.subjectPrefix ?? ""}${story.headline}`),
    text: textOf(story),
    html,
    attachments,
  };
}

/** A header is one line; names in it are strangers' (RFC 5322 section 2.1.1: at most 998 characters). */
function subjectOf(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").slice(0, 200);
}

function textOf(story: Story): string {
  const { headline, sentences, bars, picture, sections, url, footer, settingsUrl } = story;
  const lines = [headline, "", ...sentences, ...(picture === undefined ? [] : [picture.alt])];
  if (bars.length > 0)
    lines.push("", BARS, ...bars.map(({ label, count }) => `${count.toLocaleString("en-US").padStart(7)}  ${label}`));
  for (const { heading, items } of sections) {
    lines.push("", heading, ...items.flatMap(itemLines));
  }
  if (url !== "") lines.push("", `${linkLabel(story)}:`, url);
  const settings = settingsUrl === undefined ? [] : [`${SETTINGS}: ${settingsUrl}`];
  return `${lines.concat("", "-- ", footer, settings).join("\n")}\n`;
}

function itemLines({ text, detail, url }: StoryItem): string[] {
  return [`- ${text}`, ...(detail === "" ? [] : [`  ${detail}`]), ...(url === "" ? [] : [`  ${url}`])];
}

/** What the bars of a digest count. */
const BARS = "Domains by verdict";

/** Where the mails are changed or stopped. */
const SETTINGS = "Change or stop these mails";

/** What lists of mails show beside the subject: what the subject does not say. */
function previewOf({ sections: [first], sentences: [sentence = ""] }: Story): string {
  return first?.items[0]?.text ?? sentence;
}

type Html = ReturnType<typeof html>;

function htmlOf(story: Story, { accountName, logo }: MailContext): Html {
  const { headline, tone, sentences, bars, picture, sections, url, footer, settingsUrl } = story;
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${headline}</title>
<style>${COLOURS}</style>
${OUTLOOK_FONT}
</head>
<body style="margin:0;padding:16px;font:15px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
<div style="display:none;mso-hide:all">${previewOf(story)}</div>
<div role="main">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center">
${OUTLOOK_WIDTH.begin}<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:600px"><tr><td align="left">
<p style="margin:0 0 12px;font-size:13px;font-weight:600">${logo === undefined ? "" : html`<img src="cid:${LOGO_ID}" alt="" height="32" style="vertical-align:middle;margin-right:8px">`}${accountName}</p>
<h1 style="margin:0 0 12px;padding-left:12px;border-left:4px solid ${TONE_COLOURS[tone]};font-size:20px;line-height:1.3">${headline}</h1>
${sentences.map((sentence) => html`<p style="margin:0 0 8px">${sentence}</p>`)}
${picture === undefined ? "" : pictureOf(picture)}
${bars.length === 0 ? "" : barsOf(bars)}
${sections.map(({ heading, items }) => sectionOf(heading, items))}
${url === "" ? "" : buttonOf(url, linkLabel(story))}
<p style="margin:24px 0 0;font-size:12px;opacity:.75">${footer}</p>
${settingsUrl === undefined ? "" : html`<p style="margin:0;font-size:12px"><a href="${settingsUrl}">${SETTINGS}</a></p>`}
</td></tr></table>${OUTLOOK_WIDTH.end}
</td></tr></table>
</div>
</body>
</html>
`;
}

/** Programs that ignore style sheets choose their colours themselves. */
const COLOURS = raw(
  "body{background:#ffffff;color:#1b1f24}a{color:#0b5cad}@media (prefers-color-scheme:dark){body{background:#16191d;color:#e6e8eb}a{color:#8ab4f8}}",
);

/** Outlook lays out as Word does: no maximal width, no padding of a link, and Times in tables. */
const OUTLOOK_WIDTH = {
  begin: raw(
    '<!--[if mso]><table role="presentation" width="600" cellpadding="0" cellspacing="0"><tr><td><![endif]-->',
  ),
  end: raw("<!--[if mso]></td></tr></table><![endif]-->"),
};
const OUTLOOK_FONT = raw("<!--[if mso]><style>td,p,h1,h2,li,a{font-family:Arial,sans-serif}</style><![endif]-->");

function buttonOf(url: string, label: string): Html {
  return html`<table role="presentation" cellpadding="0" cellspacing="0" style="margin:20px 0"><tr><td bgcolor="#0b5cad" style="border-radius:6px;mso-padding-alt:10px 16px"><a href="${url}" style="${BUTTON}">${label}</a></td></tr></table>`;
}

const BUTTON = "display:inline-block;padding:10px 16px;color:#ffffff;text-decoration:none";

function pictureOf({ alt, caption }: StoryPicture): Html {
  const { width, height } = PICTURE_SIZE;
  return html`<p style="margin:16px 0 4px"><img src="cid:${DAYS_ID}" alt="${alt}" width="${width}" height="${height}" style="display:block;width:100%;max-width:${width}px;height:auto"></p>
<p style="margin:0 0 12px;font-size:12px;opacity:.85">${caption}</p>`;
}

/** Bars in proportion, each with its count beside it: a picture that no mail program blocks. */
function barsOf(bars: readonly StoryBar[]): Html {
  const largest = Math.max(1, ...bars.map(({ count }) => count));
  return html`<h2 style="margin:20px 0 8px;font-size:16px">${BARS}</h2>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0">
${bars.map((bar) => barOf(bar, Math.max(2, Math.round((100 * bar.count) / largest))))}
</table>`;
}

function barOf({ label, count, tone }: StoryBar, percent: number): Html {
  return html`<tr><td style="padding:3px 8px 3px 0;font-size:13px">${label}</td>
<td width="50%" style="padding:3px 0"><table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr>
<td width="${percent}%" bgcolor="${TONE_COLOURS[tone]}" style="height:14px;line-height:14px;font-size:1px">&nbsp;</td>
<td style="font-size:1px">&nbsp;</td></tr></table></td>
<td align="right" style="padding:3px 0 3px 8px;font-size:13px">${count.toLocaleString("en-US")}</td></tr>`;
}

function sectionOf(heading: string, items: readonly StoryItem[]): Html {
  return html`<h2 style="margin:20px 0 8px;font-size:16px">${heading}</h2>
<ul style="margin:0;padding-left:20px">
${items.map(itemOf)}
</ul>`;
}

function itemOf({ text, detail, url }: StoryItem): Html {
  return html`<li style="margin:0 0 8px">${url === "" ? text : html`<a href="${url}">${text}</a>`}
${detail === "" ? "" : html`<br><span style="font-size:13px;opacity:.85">${detail}</span>`}</li>`;
}
