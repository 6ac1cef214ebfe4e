/**
 * Support: an IMAP server with one mailbox that answers in the ways of servers that are not Dovecot: commands it refuses, mails
 * that it cannot give, numbers as large as they get, and connections that it ends.
 */

import { createServer, type Socket } from "node:net";
import { listenLocally } from "./ports.ts";

export interface ImapServer {
  port: number;
  /** UID → mail. */
  mails: Map<number, string>;
  uidValidity: number;
  capabilities: string;
  /** UIDs whose content it refuses to give, alone or with others: NO. */
  broken: Set<number>;
  /** What it says then. */
  refusal: string;
  /** UIDs of mails that it says are larger than they are: of two gigabytes. */
  large: Set<number>;
  /** It does not say how large mails are. */
  refusesSizes: boolean;
  /** It says goodbye and goes in the middle of the answer with this mail. */
  leavesAt: number | undefined;
  /** It takes no other connection. */
  isClosing: boolean;
  /** The OAuth 2 access token that it takes, by XOAUTH2 and OAUTHBEARER where its capabilities name them. */
  token: string;
  /** Commands, without their tags. */
  commands: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts it. Any name and password are taken where the capabilities allow LOGIN. */
export async function startImapServer(): Promise<ImapServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    if (state.isClosing && state.commands.length > 0) socket.end("* BYE Server is shutting down\r\n");
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    if (socket.writable) socket.write("* OK ready\r\n");
    let rest = "";
    socket.on("data", (bytes) => {
      const lines = (rest + bytes.toString("latin1")).split("\r\n");
      rest = lines.pop() ?? "";
      for (const line of lines) answer(line, socket, state);
    });
  });
  const port = await listenLocally(server);
  const state: ImapServer = {
    port,
    mails: new Map(),
    uidValidity: 1,
    capabilities: "IMAP4rev1",
    broken: new Set(),
    refusal: "NO The specified message set contains a message that could not be converted.",
    large: new Set(),
    refusesSizes: false,
    leavesAt: undefined,
    isClosing: false,
    token: "good",
    commands: [],
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
  return state;
}

/** Connection → the tag of AUTHENTICATE whose token was refused: what comes then answers that (RFC 7628 section 3.2.3). */
const refusedTags = new WeakMap<Socket, string>();

/** RFC 7628 section 3.1, and developers.google.com/workspace/gmail/imap/xoauth2-protocol. */
function isAccepted([, mechanism, response = ""]: readonly string[], { token, capabilities }: ImapServer): boolean {
  if (!capabilities.includes(`AUTH=${mechanism}`)) return false;
  const [user = "", ...fields] = Buffer.from(response, "base64").toString().split("\u0001");
  return fields.includes(`auth=Bearer ${token}`) && user === (mechanism === "XOAUTH2" ? "user=ann" : "n,a=ann,");
}

function answer(line: string, socket: Socket, state: ImapServer): void {
  const [tag = "", ...words] = line.split(" ");
  const command = words.join(" ");
  const refusedTag = refusedTags.get(socket);
  if (refusedTag !== undefined) {
    refusedTags.delete(socket);
    socket.write(`${refusedTag} NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n`);
    return;
  }
  state.commands.push(command);
  if (/^AUTHENTICATE /i.test(command) && !isAccepted(words, state)) {
    refusedTags.set(socket, tag);
    const status = { status: "400", schemes: "Bearer", scope: "https://mail.google.com/" };
    socket.write(`+ ${Buffer.from(JSON.stringify(status)).toString("base64")}\r\n`);
    return;
  }
  const { lines, isLast } = linesOf(command, state);
  const end = isLast === true ? "" : `${lines.some((one) => /^(NO|BAD) /.test(one)) ? "" : "OK done"}`;
  const text = [...lines, ...(end === "" ? [] : [end])].map((one) =>
    /^(NO|BAD|OK) /.test(one) ? `${tag} ${one}` : one,
  );
  socket.write(text.map((one) => `${one}\r\n`).join(""));
  if (isLast === true || /^LOGOUT/i.test(command)) socket.end();
}

interface Lines {
  lines: string[];
  /** The connection ends behind them. */
  isLast?: true;
}

function linesOf(command: string, state: ImapServer): Lines {
  const uids = [...state.mails.keys()].sort((a, b) => a - b);
  if (/^CAPABILITY/i.test(command)) return { lines: [`* CAPABILITY ${state.capabilities}`] };
  if (/^LOGIN/i.test(command) && state.capabilities.includes("LOGINDISABLED")) return { lines: ["NO Use TLS first."] };
  if (/^(EXAMINE|SELECT)/i.test(command)) {
    const next = `* OK [UIDNEXT ${(uids.at(-1) ?? 0) + 1}] next`;
    return { lines: [`* ${uids.length} EXISTS`, `* OK [UIDVALIDITY ${state.uidValidity}] valid`, next] };
  }
  if (/^UID SEARCH/i.test(command)) return { lines: [`* SEARCH ${uids.join(" ")}`.trim()] };
  if (/^UID FETCH/i.test(command)) return fetchedLines(command, uids, state);
  return { lines: /^LOGOUT/i.test(command) ? ["* BYE"] : [] };
}

function fetchedLines(command: string, uids: readonly number[], state: ImapServer): Lines {
  const wanted = uidsOf(/^UID FETCH (\S+)/i.exec(command)?.[1] ?? "", uids);
  const isContent = command.includes("BODY");
  if (isContent ? wanted.some((uid) => state.broken.has(uid)) : state.refusesSizes) return { lines: [state.refusal] };
  const lines: string[] = [];
  for (const uid of wanted) {
    const text = state.mails.get(uid) ?? "";
    const place = `* ${uids.indexOf(uid) + 1} FETCH (UID ${uid}`;
    if (!isContent) lines.push(`${place} RFC822.SIZE ${state.large.has(uid) ? 2_000_000_000 : text.length})`);
    else if (uid === state.leavesAt) {
      const half = text.slice(0, text.length / 2);
      return {
        lines: [...lines, `${place} BODY[] {${text.length}}`, half, "* BYE Server is shutting down"],
        isLast: true,
      };
    } else lines.push(`${place} BODY[] {${text.length}}`, `${text})`);
  }
  return { lines };
}

function uidsOf(set: string, all: readonly number[]): number[] {
  const ranges = set.split(",").map((part) => part.split(":").map(Number));
  return all.filter((uid) => ranges.some(([first = 0, last = first]) => uid >= first && uid <= last));
}
