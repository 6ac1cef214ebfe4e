/** A mailbox of Gmail, by its API (developers.google.com/gmail/api): users.messages.list, get in format raw, modify to move. */
import * as v from "valibot";
import { CommandError } from "../command-error.ts";
import type { MailService, MailServiceCommand } from "./listed-mailbox.ts";
import { MailApi, readAs, tooLarge, unlessGone } from "./mail-api.ts";
import { MAX_MAIL_BYTES } from "./mailbox.ts";

const GMAIL_URL = "https://gmail.googleapis.com";

const EXAMPLES = `
Examples:
  DMARC_GMAIL_TOKEN=… dmarc import gmail --label DMARC
  DMARC_GMAIL_TOKEN=… dmarc import gmail --since 2026-01-01 --move-to Imported

DMARC_GMAIL_TOKEN holds an OAuth 2 access token of scope gmail.readonly, or gmail.modify for --move-to (docs/import.md says
how to get one). When it expires, set a new one and run it again: it continues.`;

interface GmailOptions {
  /** Whose mails are read, such as INBOX; undefined = all mail. */
  label?: string;
}

/** `dmarc import gmail`. */
export const GMAIL: MailServiceCommand<GmailOptions> = {
  name: "gmail",
  description: "Import the mails of a Gmail mailbox by its API",
  examples: EXAMPLES,
  addOptions: (command) => command.option("--label <name>", "only mails with this label, such as INBOX"),
  service: gmailService,
};

const page = v.object({
  messages: v.optional(v.array(v.object({ id: v.string() })), []),
  nextPageToken: v.optional(v.string()),
});
const message = v.object({
  /** Milliseconds since 1970, as text. */
  internalDate: v.pipe(v.string(), v.digits()),
  /** RFC 4648 section 5. */
  raw: v.string(),
});
const profile = v.object({ emailAddress: v.string() });
const labels = v.object({ labels: v.array(v.object({ id: v.string(), name: v.string() })) });

/** Base64 of the largest mail that is read, and the fields around it. */
const MAX_RAW_BYTES = Math.ceil((MAX_MAIL_BYTES * 4) / 3) + 64 * 1024;
/** Most that users.messages.list gives at once. */
const IDS_PER_PAGE = 500;

function gmailService({ label }: GmailOptions): MailService {
  const api = new MailApi({
    base: `${process.env.DMARC_GMAIL_URL || GMAIL_URL}/gmail/v1/users/me`,
    tokenVariable: "DMARC_GMAIL_TOKEN",
    // Exceeded quotas are answered with 403, too (developers.google.com/gmail/api/guides/handle-errors).
    isTooFast: (status, text) => status === 403 && /rate_?limit_?exceeded|Quota exceeded/i.test(text),
  });
  const labelIds = new Map<string, string>();
  const labelId = async (name: string): Promise<string> => {
    if (labelIds.size === 0) {
      for (const one of readAs(labels, await api.json("/labels")).labels) labelIds.set(one.name, one.id);
    }
    const id = labelIds.get(name);
    if (id === undefined) throw new CommandError(`Gmail has no label '${name}': make it first.`);
    return id;
  };
  return {
    name: `gmail:${label ?? "all mail"}`,
    owner: async () => readAs(profile, await api.json("/profile")).emailAddress,
    async list(sinceSeconds) {
      const ids: string[] = [];
      const wanted = new URLSearchParams({ maxResults: String(IDS_PER_PAGE) });
      if (label !== undefined) wanted.set("labelIds", await labelId(label));
      // Both are left out otherwise, whatever the label.
      if (label === "SPAM" || label === "TRASH") wanted.set("includeSpamTrash", "true");
      // `after:` leaves out the second itself.
      if (sinceSeconds !== undefined) wanted.set("q", `after:${Math.floor(sinceSeconds) - 1}`);
      for (;;) {
        const { messages, nextPageToken } = readAs(page, await api.json(`/messages?${wanted}`));
        ids.push(...messages.map(({ id }) => id));
        if (nextPageToken === undefined) return ids.reverse();
        wanted.set("pageToken", nextPageToken);
      }
    },
    async read(id) {
      return await unlessGone(async () => {
        const found = await api.json(`/messages/${encodeURIComponent(id)}?format=raw`, MAX_RAW_BYTES);
        const { raw, internalDate } = readAs(message, found);
        const bytes = Buffer.from(raw, "base64url");
        if (bytes.byteLength > MAX_MAIL_BYTES) throw tooLarge(MAX_MAIL_BYTES);
        return { bytes, seconds: Math.floor(Number(internalDate) / 1000) };
      });
    },
    async move(id, folder) {
      const removed = label === undefined ? "INBOX" : await labelId(label);
      const change = { addLabelIds: [await labelId(folder)], removeLabelIds: [removed] };
      await api.post(`/messages/${encodeURIComponent(id)}/modify`, change);
    },
  };
}
