/**
 * A mailbox of Microsoft 365, by Microsoft Graph (learn.microsoft.com/graph/api/user-list-messages, message-get with $value,
 * message-move).
 */
import * as v from "valibot";
import { CommandError } from "../command-error.ts";
import { readAddress } from "../option-values.ts";
import type { MailService, MailServiceCommand } from "./listed-mailbox.ts";
import { MailApi, readAs, unlessGone } from "./mail-api.ts";
import { MAX_MAIL_BYTES } from "./mailbox.ts";

const GRAPH_URL = "https://graph.microsoft.com";

const EXAMPLES = `
Examples:
  DMARC_GRAPH_TOKEN=… dmarc import graph --folder inbox
  DMARC_GRAPH_TOKEN=… dmarc import graph --user reports@example.com --move-to Imported
  DMARC_GRAPH_TOKEN=… dmarc import graph --folder inbox/DMARC --move-to inbox/DMARC/Imported

DMARC_GRAPH_TOKEN holds an access token for Microsoft Graph with Mail.Read, or Mail.ReadWrite for --move-to (docs/import.md
says how to get one). When it expires, set a new one and run it again: it continues.`;

interface GraphOptions {
  /** "me", or an address whose mailbox the token may read. */
  user: string;
  /** A well-known name such as inbox, an id, or a path of names. */
  folder: string;
}

/** `dmarc import graph`. */
export const GRAPH: MailServiceCommand<GraphOptions> = {
  name: "graph",
  description: "Import the mails of a Microsoft 365 mailbox by Microsoft Graph",
  examples: EXAMPLES,
  addOptions: (command) =>
    command
      .option("--user <address>", "whose mailbox: me, or an address that the token may read", readUser, "me")
      .option("--folder <name>", "well-known name, id, or path as inbox/DMARC", "inbox"),
  service: graphService,
};

function readUser(text: string): string {
  return text === "me" ? text : readAddress(text);
}

const page = v.object({
  value: v.array(v.object({ id: v.string(), receivedDateTime: v.string() })),
  "@odata.nextLink": v.optional(v.string()),
});
const folderId = v.object({ id: v.string() });
const foldersFound = v.object({ value: v.array(v.object({ id: v.string(), displayName: v.string() })) });

/** Ours; a page has ten mails by default, a thousand at most. */
const IDS_PER_PAGE = 200;

function graphService({ user, folder }: GraphOptions): MailService {
  const owner = user === "me" ? "/me" : `/users/${encodeURIComponent(user)}`;
  const api = new MailApi({
    base: `${process.env.DMARC_GRAPH_URL || GRAPH_URL}/v1.0`,
    tokenVariable: "DMARC_GRAPH_TOKEN",
    // Ids stay the same when a mail is moved.
    headers: { prefer: 'IdType="ImmutableId"' },
    // Encrypted mails and some others cannot be had as they came, now or later.
    isOfMail: (_, text) => /"code"\s*:\s*"Error(Mime)?ContentConversion/.test(text),
  });
  const received = new Map<string, number>();
  const destinations = new Map<string, string>();
  /** The folder's id; known once its owner is asked for. */
  let from = folder;
  return {
    name: `graph:${user}/${folder}`,
    // Of the person, a token for mail alone may not be allowed to ask.
    owner: async () => {
      from = await folderAt(api, owner, folder);
      return idOf(api, owner, from);
    },
    async list(sinceSeconds) {
      const since = new Date((sinceSeconds ?? 0) * 1000).toISOString().replace(/\.\d+/, "");
      const wanted = new URLSearchParams({
        $select: "id,receivedDateTime",
        $filter: `receivedDateTime ge ${since}`,
        $orderby: "receivedDateTime asc",
        $top: String(IDS_PER_PAGE),
      });
      const ids: string[] = [];
      let next: string | undefined = `${owner}/mailFolders/${encodeURIComponent(from)}/messages?${wanted}`;
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
      const destinationId = destinations.get(name) ?? (await folderByPath(api, owner, name.split("/")));
      destinations.set(name, destinationId);
      await api.post(`${owner}/messages/${encodeURIComponent(id)}/move`, { destinationId });
    },
  };
}

/** A folder as a request names it: a well-known name or an id as it is, else the id of the one that is so called. */
async function folderAt(api: MailApi, owner: string, folder: string): Promise<string> {
  if (await isFolder(api, owner, folder)) return folder;
  return folderByPath(api, owner, folder.split("/"));
}

/** The id of a folder below another one. The first of the names may be a well-known one, where others follow. */
async function folderByPath(api: MailApi, owner: string, [first = "", ...names]: readonly string[]): Promise<string> {
  const isKnown = names.length > 0 && (await isFolder(api, owner, first));
  let id = isKnown ? first : await folderNamed(api, `${owner}/mailFolders`, first);
  for (const name of names)
    id = await folderNamed(api, `${owner}/mailFolders/${encodeURIComponent(id)}/childFolders`, name);
  return id;
}

async function folderNamed(api: MailApi, folders: string, name: string): Promise<string> {
  const wanted = new URLSearchParams({ $filter: `displayName eq '${name.replaceAll("'", "''")}'`, $top: "1" });
  const [found] = readAs(foldersFound, await api.json(`${folders}?${wanted}`)).value;
  if (found === undefined) throw new CommandError(`The mailbox has no folder '${name}': make it first.`);
  return found.id;
}

/** Whether it is a well-known name or an id; what is neither is not found, or no valid id. */
async function isFolder(api: MailApi, owner: string, folder: string): Promise<boolean> {
  try {
    await idOf(api, owner, folder);
    return true;
  } catch (error) {
    if (error instanceof CommandError && (error.code === "not_found" || error.code === "refused")) return false;
    throw error;
  }
}

async function idOf(api: MailApi, owner: string, folder: string): Promise<string> {
  return readAs(folderId, await api.json(`${owner}/mailFolders/${encodeURIComponent(folder)}?$select=id`)).id;
}
