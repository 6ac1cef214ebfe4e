/**
 * Support: stands in for Gmail's API and Microsoft Graph, as their documents and people's reports say they answer: pages, raw
 * mails, moves, 429 with Retry-After, 500 for a while, 401 once the token has expired, mails that cannot be had, and connections
 * that break.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { listenLocally } from "./ports.ts";

export interface StoredMail {
  id: string;
  bytes: Buffer;
  /** Milliseconds since 1970. */
  came: number;
  /** Label ids, or one folder id. */
  places: string[];
  /** How the service answers in place of the mail's bytes, each time. */
  refusal?: { status: number; body: unknown; headers?: Record<string, string> };
}

export interface MailServices {
  url: string;
  mails: StoredMail[];
  /** Whose mailbox the tokens open. */
  owner: string;
  /** Tokens that are accepted. */
  tokens: Set<string>;
  /** Requests answered, as `METHOD path`. */
  requests: string[];
  /** Answers to come before any other: a status and its headers; each is used once. */
  refusals: { status: number; headers?: Record<string, string>; body?: unknown }[];
  /** So many answers to come break off in their middle. */
  breaks: number;
  /** The token expires after so many further requests. */
  expiresAfter: number;
  close(): Promise<void>;
}

/** Gmail's name of a label → its id. */
const LABELS: Record<string, string> = { INBOX: "INBOX", SPAM: "SPAM", DMARC: "Label_1", Imported: "Label_2" };
const FOLDERS: Record<string, string> = { inbox: "inbox", Imported: "AAMk-imported" };
/** Folder's id → the names of those below it → their ids. */
const SUBFOLDERS: Record<string, Record<string, string>> = {
  inbox: { DMARC: "AAMk-dmarc" },
  "AAMk-imported": { "2026": "AAMk-2026" },
};
const FOLDER_IDS = new Set(["inbox", ...Object.values(SUBFOLDERS).flatMap((names) => Object.values(names))]);
const IDS_PER_PAGE = 3;

export async function startMailServices(): Promise<MailServices> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  const port = await listenLocally(server);
  const services: MailServices = {
    url: `http://127.0.0.1:${port}`,
    owner: "reports@acme.example",
    mails: [],
    tokens: new Set(["good"]),
    requests: [],
    refusals: [],
    breaks: 0,
    expiresAfter: Number.POSITIVE_INFINITY,
    close: () => new Promise((closed) => server.close(() => closed())),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", services.url);
    services.requests.push(`${request.method} ${url.pathname}`);
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const send = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
      const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
      const size = { "content-length": String(bytes.byteLength) };
      response.writeHead(status, { "content-type": "application/json", ...size, ...headers });
      if (services.breaks-- > 0) {
        response.write(bytes.subarray(0, bytes.byteLength / 2), () => response.destroy());
        return;
      }
      response.end(bytes);
    };
    const fail = (status: number, message: string): void => send(status, { error: { code: status, message } });
    if (services.expiresAfter-- <= 0) services.tokens.delete(token);
    if (!services.tokens.has(token)) return fail(401, "Request had invalid authentication credentials.");
    const refusal = services.refusals.shift();
    if (refusal !== undefined) return send(refusal.status, refusal.body ?? {}, refusal.headers);
    const body = request.method === "POST" ? JSON.parse(await text(request)) : undefined;
    const isGmail = url.pathname.startsWith("/gmail/v1/users/me/");
    const found = isGmail ? gmail(services, url, body) : graph(services, url, body);
    if (found === undefined) return fail(404, "Requested entity was not found.");
    send(found.status ?? 200, found.body, found.headers);
  }
  return services;
}

interface Found {
  status?: number;
  body: unknown;
  headers?: Record<string, string>;
}

function gmail(
  { mails, owner }: MailServices,
  url: URL,
  change: { addLabelIds: string[]; removeLabelIds: string[] } | undefined,
): Found | undefined {
  const path = url.pathname.slice("/gmail/v1/users/me".length);
  if (path === "/profile") return { body: { emailAddress: owner, messagesTotal: mails.length } };
  if (path === "/labels") return { body: { labels: Object.entries(LABELS).map(([name, id]) => ({ id, name })) } };
  const query = url.searchParams;
  if (path === "/messages") {
    const label = query.get("labelIds");
    const after = Number(/after:(\d+)/.exec(query.get("q") ?? "")?.[1] ?? -1);
    const hidden = query.get("includeSpamTrash") === "true" ? [] : ["SPAM", "TRASH"];
    const matching = mails
      .filter(({ places, came }) => (label === null || places.includes(label)) && came / 1000 > after)
      .filter(({ places }) => !places.some((place) => hidden.includes(place)))
      .sort((a, b) => b.came - a.came);
    const start = Number(query.get("pageToken") ?? 0);
    const next = start + IDS_PER_PAGE;
    const page = matching.slice(start, next).map(({ id }) => ({ id, threadId: id }));
    return {
      body: {
        // Left out where there are none.
        ...(page.length === 0 ? {} : { messages: page }),
        ...(next < matching.length ? { nextPageToken: String(next) } : {}),
        resultSizeEstimate: matching.length,
      },
    };
  }
  const [, id, action] = /^\/messages\/([^/]+)(\/modify)?$/.exec(path) ?? [];
  const mail = mails.find((one) => one.id === id);
  if (mail === undefined) return undefined;
  if (action !== undefined && change !== undefined) {
    mail.places = [...mail.places.filter((place) => !change.removeLabelIds.includes(place)), ...change.addLabelIds];
    return { body: { id, labelIds: mail.places } };
  }
  if (query.get("format") !== "raw") return undefined;
  if (mail.refusal !== undefined) return mail.refusal;
  return { body: { id, raw: mail.bytes.toString("base64url"), internalDate: String(mail.came), sizeEstimate: 1 } };
}

function graph(
  { mails, owner, url: origin }: MailServices,
  url: URL,
  change: { destinationId: string } | undefined,
): Found | undefined {
  const path = /^\/v1\.0\/(?:me|users\/[^/]+)(\/.*)$/.exec(url.pathname)?.[1] ?? "";
  const query = url.searchParams;
  const above = /^\/mailFolders\/([^/]+)\/childFolders$/.exec(path)?.[1];
  if (path === "/mailFolders" || above !== undefined) {
    const name = /^displayName eq '(.*)'$/.exec(query.get("$filter") ?? "")?.[1] ?? "";
    const id = above === undefined ? FOLDERS[name] : SUBFOLDERS[above]?.[name];
    return { body: { value: id === undefined ? [] : [{ id, displayName: name }] } };
  }
  const named = /^\/mailFolders\/([^/]+)$/.exec(path)?.[1];
  if (named !== undefined && query.get("$select") === "id") {
    // What is neither an id nor a well-known name is no valid id.
    if (!FOLDER_IDS.has(named))
      return { status: 400, body: { error: { code: "ErrorInvalidIdMalformed", message: "" } } };
    return { body: { id: `AAMk-${owner}-${named}` } };
  }
  const folder = /^\/mailFolders\/([^/]+)\/messages$/.exec(path)?.[1];
  if (folder !== undefined) {
    const since = Date.parse(/^receivedDateTime ge (\S+)$/.exec(query.get("$filter") ?? "")?.[1] ?? "");
    const matching = mails
      .filter(({ places, came }) => places.includes(folder) && came >= since)
      .sort((a, b) => a.came - b.came);
    const skipped = Number(query.get("$skip") ?? 0);
    const next = new URL(url.pathname + url.search, origin);
    next.searchParams.set("$skip", String(skipped + IDS_PER_PAGE));
    const value = matching
      .slice(skipped, skipped + IDS_PER_PAGE)
      .map(({ id, came }) => ({ id, receivedDateTime: new Date(came).toISOString().replace(/\.\d+/, "") }));
    return { body: { value, ...(skipped + IDS_PER_PAGE < matching.length ? { "@odata.nextLink": next.href } : {}) } };
  }
  const [, id, action] = /^\/messages\/([^/]+)\/(\$value|move)$/.exec(decodeURIComponent(path)) ?? [];
  const mail = mails.find((one) => one.id === id);
  if (mail === undefined) return undefined;
  if (action === "$value") return mail.refusal ?? { body: mail.bytes };
  if (change === undefined) return undefined;
  mail.places = [change.destinationId];
  return { status: 201, body: { id } };
}
