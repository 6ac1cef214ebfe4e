/**
 * A mailbox of Microsoft 365, by Microsoft Graph (learn.microsoft.com/graph/api/user-list-messages, message-get with $value,
 * message-move).
 */
import * as v from "valibot";
import { CommandError } from "../command-error.ts";
import type { MailService } from "./listed-mailbox.ts";
import { MailApi, readAs, unlessGone } from "./mail-api.ts";
import { MAX_MAIL_BYTES } from "./mailbox.ts";

export const GRAPH_URL = "https://graph.microsoft.com";

const page = v.object({
  value: v.array(v.object({ id: v.string(), receivedDateTime: v.string() })),
  "@odata.nextLink": v.optional(v.string()),
});
const folders = v.object({ value: v.array(v.object({ id: v.string(), displayName: v.string() })) });

/** Ours; a page has ten mails by default, a thousand at most. */
const IDS_PER_PAGE = 200;

/**
 * @param user "me", or an address whose mailbox the token may read
 * @param folder a well-known name such as inbox, or an id
 */
export function graphService({
  base,
  token,
  user,
  folder,
}: {
  base: string;
  token: string;
  user: string;
  folder: string;
}): MailService {
  const owner = user === "me" ? "/me" : `/users/${encodeURIComponent(user)}`;
  const api = new MailApi({
    base: `${base}/v1.0`,
    token,
    tokenVariable: "DMARC_GRAPH_TOKEN",
    // Ids stay the same when a mail is moved.
    headers: { prefer: 'IdType="ImmutableId"' },
    // Encrypted mails and some others cannot be had as they came, now or later.
    isOfMail: (_, text) => /"code"\s*:\s*"Error(Mime)?ContentConversion/.test(text),
  });
  const received = new Map<string, number>();
  const destinations = new Map<string, string>();
  return {
    name: `graph:${user}/${folder}`,
    async list(sinceSeconds) {
      const since = new Date((sinceSeconds ?? 0) * 1000).toISOString().replace(/\.\d+/, "");
      const wanted = new URLSearchParams({
        $select: "id,receivedDateTime",
        $filter: `receivedDateTime ge ${since}`,
        $orderby: "receivedDateTime asc",
        $top: String(IDS_PER_PAGE),
      });
      const ids: string[] = [];
      let next: string | undefined = `${owner}/mailFolders/${encodeURIComponent(folder)}/messages?${wanted}`;
      while (next !== undefined) {
        const found: v.InferOutput<typeof page> = readAs(page, await api.json(next));
        for (const { id, receivedDateTime } of found.value) {
          ids.push(id);
          received.set(id, Math.floor(Date.parse(receivedDateTime) / 1000));
        }
        next = found["@odata.nextLink"];
      }
      return ids;
    },
    async read(id) {
      const path = `${owner}/messages/${encodeURIComponent(id)}/$value`;
      const seconds = received.get(id) ?? 0;
      return await unlessGone(async () => ({ bytes: await api.bytes(path, MAX_MAIL_BYTES), seconds }));
    },
    async move(id, name) {
      const destinationId = destinations.get(name) ?? (await findFolder(api, owner, name));
      destinations.set(name, destinationId);
      await api.post(`${owner}/messages/${encodeURIComponent(id)}/move`, { destinationId });
    },
  };
}

async function findFolder(api: MailApi, owner: string, name: string): Promise<string> {
  const wanted = new URLSearchParams({ $filter: `displayName eq '${name.replaceAll("'", "''")}'`, $top: "1" });
  const [found] = readAs(folders, await api.json(`${owner}/mailFolders?${wanted}`)).value;
  if (found === undefined) throw new CommandError(`The mailbox has no folder '${name}': make it first.`);
  return found.id;
}
