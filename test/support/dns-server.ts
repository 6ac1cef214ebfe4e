/**
 * A DNS server over HTTPS's protocol (RFC 8484) for tests, on plain HTTP of this machine: zones written as names and records.
 * It follows aliases as a resolver does, and fails in the ways that a resolver fails.
 */
import { createServer } from "node:http";
import {
  type Answer,
  AUTHENTIC_DATA,
  CHECKING_DISABLED,
  decode,
  encode,
  type Packet,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from "dns-packet";
import { listenLocally } from "./ports.ts";

/**
 * Name → its records as in a zone file, `TXT v=spf1 -all`, or how the server fails: `SERVFAIL`, `REFUSED`, `TIMEOUT`,
 * `HTTP500`, `GARBAGE`, `BOGUS` (signatures that do not validate: SERVFAIL unless they are not to be checked), `TRUNCATED` (the records do not fit, RFC 2181 section 9). A name that only lies between others exists
 * without records. `*.example.test` stands for names below it that do not exist (RFC 4592). `DNSSEC` marks a name's answers
 * as checked, and `TTL 3600` says how long they may be kept. `TXT "one" "two"` is one record of two strings; any other TXT is cut into strings as it has to be.
 * `DNAME other.test` makes each name below an alias of the same one below other.test (RFC 6672).
 */
export type Zones = Record<string, string[]>;

export interface DnsServer {
  /** Where to ask. */
  url: string;
  /** What was asked, as `TXT example.com`, in order. */
  asked: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

const SERVFAIL = 2;
const NXDOMAIN = 3;
const REFUSED = 5;
/** RFC 6672 section 2.2: the name that a DNAME makes is too long. */
const YXDOMAIN = 6;
const MOST_NAME_CHARS = 253;
const MOST_TXT_BYTES = 255;

/**
 * The zones with a mail server for every host that a record that asks for reports names, unless the host is there already with an
 * address, mail servers or a fault.
 */
export function withMailServers(zones: Zones): Zones {
  const addresses = Object.values(zones)
    .flat()
    .filter((entry) => /ru[af]/i.test(entry))
    .flatMap((entry) => [...entry.matchAll(/[^\s:;,]@([a-z0-9.-]*[a-z0-9])/gi)]);
  const added: Zones = { "mail.server.test": ["A 192.0.2.26"] };
  for (const [, host = ""] of addresses) {
    const name = host.toLowerCase();
    const entries = zones[name] ?? [];
    if (!entries.some((entry) => !/^(TXT|DNSSEC)/.test(entry))) added[name] = ["MX 10 mail.server.test", ...entries];
  }
  return { ...zones, ...added };
}

/** Starts a server with these zones; names may be added and changed while it runs. */
export async function startDnsServer(zones: Zones): Promise<DnsServer> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    const query = decode(Buffer.concat(pieces));
    const [question] = query.questions ?? [];
    const name = question?.name.toLowerCase() ?? "";
    asked.push(`${question?.type} ${name}`);
    const entries = zones[name] ?? [];
    if (entries.includes("TIMEOUT")) return;
    if (entries.includes("HTTP500")) {
      response.writeHead(500).end("no");
      return;
    }
    const bytes = entries.includes("GARBAGE")
      ? Buffer.from("this is no DNS message")
      : Buffer.from(encode(answerTo(query, name, question?.type ?? "A", zones)));
    response.writeHead(200, { "content-type": "application/dns-message" }).end(bytes);
  });
  const port = await listenLocally(server);
  return {
    url: `http://127.0.0.1:${port}/dns-query`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answerTo(query: Packet, name: string, type: string, zones: Zones): Packet {
  const answers: Answer[] = [];
  let isChecked = true;
  let at = name;
  // A name and the end of its line: in one text, for zones have thousands.
  const names = `${Object.keys(zones).join("\n")}\n`;
  const seen = new Set<string>();
  for (;;) {
    const entries = zones[at] ?? zones[wildcardFor(at, zones, names)];
    isChecked &&= entries?.includes("DNSSEC") === true;
    if (entries?.includes("SERVFAIL") === true || seen.has(at)) return packet(query, SERVFAIL, []);
    if (entries?.includes("BOGUS") === true && ((query.flags ?? 0) & CHECKING_DISABLED) === 0) {
      return packet(query, SERVFAIL, []);
    }
    seen.add(at);
    if (entries?.includes("REFUSED") === true) return packet(query, REFUSED, []);
    if (entries?.includes("TRUNCATED") === true) return packet(query, TRUNCATED_RESPONSE, []);
    const dname = dnameOver(at, zones);
    if (dname !== undefined) answers.push({ type: "DNAME", name: dname.owner, ttl: 300, data: dname.target });
    const made = dname && `CNAME ${at.slice(0, -dname.owner.length)}${dname.target}`;
    if (made !== undefined && made.length - 6 > MOST_NAME_CHARS) return packet(query, YXDOMAIN, answers);
    const alias = made ?? entries?.find((entry) => entry.startsWith("CNAME "));
    const ttl = Number(entries?.find((entry) => entry.startsWith("TTL "))?.slice(4) ?? 300);
    const here = at;
    answers.push(...(entries ?? []).flatMap((entry) => recordOf({ name: here, entry, ttl }, type)));
    if (alias !== undefined && type === "CNAME") answers.push({ type: "CNAME", name: at, data: alias.slice(6) });
    if (alias === undefined || type === "CNAME") {
      const exists = alias !== undefined || entries !== undefined || hasNamesBelow(at, names);
      return packet(query, exists ? 0 : NXDOMAIN, answers, isChecked && exists);
    }
    answers.push({ type: "CNAME", name: at, data: alias.slice(6) });
    at = alias.slice(6).toLowerCase();
  }
}

/** The DNAME above a name: there is nothing else below its owner. */
function dnameOver(name: string, zones: Zones): { owner: string; target: string } | undefined {
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
    const owner = name.slice(dot + 1);
    const entry = zones[owner]?.find((one) => one.startsWith("DNAME "));
    if (entry !== undefined) return { owner, target: entry.slice(6) };
  }
  return undefined;
}

function hasNamesBelow(name: string, names: string): boolean {
  return names.includes(`.${name}\n`);
}

/** The wildcard that answers for a name that does not exist: the one at its closest ancestor that does; "" if there is none. */
function wildcardFor(name: string, zones: Zones, names: string): string {
  if (hasNamesBelow(name, names)) return "";
  const labels = name.split(".");
  for (let first = 1; first < labels.length; first++) {
    const above = labels.slice(first).join(".");
    if (zones[`*.${above}`] !== undefined) return `*.${above}`;
    if (zones[above] !== undefined || hasNamesBelow(above, names)) return "";
  }
  return "";
}

function packet(query: Packet, code: number, answers: Answer[], isChecked = false): Packet {
  const flags = RECURSION_DESIRED | RECURSION_AVAILABLE | (isChecked ? AUTHENTIC_DATA : 0) | code;
  return { type: "response", id: query.id ?? 0, flags, questions: query.questions ?? [], answers };
}

function recordOf({ name, entry, ttl }: { name: string; entry: string; ttl: number }, type: string): Answer[] {
  const [kind = "", ...rest] = entry.split(" ");
  const data = rest.join(" ");
  if (kind !== type || kind === "CNAME" || kind === "DNAME") return [];
  switch (kind) {
    case "TXT":
      return [{ type: "TXT", name, ttl, data: stringsOf(data) }];
    case "MX":
      return [{ type: "MX", name, ttl, data: { preference: Number(rest[0]), exchange: rest[1] ?? "" } }];
    case "TLSA":
      return [
        {
          type: "TLSA",
          name,
          ttl,
          data: {
            usage: Number(rest[0]),
            selector: Number(rest[1]),
            matchingType: Number(rest[2]),
            certificate: Buffer.from(rest[3] ?? "", "hex"),
          },
        },
      ];
    case "A":
    case "AAAA":
    case "NS":
    case "PTR":
      return [{ type: kind, name, ttl, data }];
    default:
      throw new Error(`The zone has a record that the server does not know: ${entry}`);
  }
}

function stringsOf(text: string): (string | Buffer)[] {
  const written = [...text.matchAll(/"([^"]*)"/g)].map(([, string = ""]) => string);
  if (written.length > 1) return written;
  const bytes = Buffer.from(text);
  const strings: Buffer[] = [];
  for (let at = 0; at < bytes.length || at === 0; at += MOST_TXT_BYTES)
    strings.push(bytes.subarray(at, at + MOST_TXT_BYTES));
  return strings;
}
