/**
 * A DNS server over HTTPS's protocol (RFC 8484) for tests, on plain HTTP of this machine: zones written as names and records.
 * It follows aliases as a resolver does, and fails in the ways that a resolver fails.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type Answer,
  AUTHENTIC_DATA,
  decode,
  encode,
  type Packet,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
} from "dns-packet";

/**
 * Name → its records as in a zone file, `TXT v=spf1 -all`, or how the server fails: `SERVFAIL`, `TIMEOUT`, `HTTP500`,
 * `GARBAGE`. A name that only lies between others exists without records. `DNSSEC` marks a name's answers as checked.
 */
export type Zones = Record<string, string[]>;

export interface DnsServer {
  /** Where to ask. */
  url: string;
  /** What was asked, as `TXT example.com`, in order. */
  asked: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

const NXDOMAIN = 3;
const SERVFAIL = 2;
const MOST_TXT_BYTES = 255;

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
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${portOf(server)}/dns-query`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function portOf(server: Server): number {
  const address = server.address() as AddressInfo;
  return address.port;
}

function answerTo(query: Packet, name: string, type: string, zones: Zones): Packet {
  const answers: Answer[] = [];
  let isChecked = true;
  let at = name;
  const seen = new Set<string>();
  for (;;) {
    const entries = zones[at];
    isChecked &&= entries?.includes("DNSSEC") === true;
    if (entries?.includes("SERVFAIL") === true || seen.has(at)) return packet(query, SERVFAIL, []);
    seen.add(at);
    const alias = entries?.find((entry) => entry.startsWith("CNAME "));
    answers.push(...(entries ?? []).flatMap((entry) => recordOf(at, entry, type)));
    if (alias === undefined || type === "CNAME") {
      const exists = entries !== undefined || Object.keys(zones).some((other) => other.endsWith(`.${at}`));
      return packet(query, exists ? 0 : NXDOMAIN, answers, isChecked && exists);
    }
    answers.push({ type: "CNAME", name: at, data: alias.slice(6) });
    at = alias.slice(6).toLowerCase();
  }
}

function packet(query: Packet, code: number, answers: Answer[], isChecked = false): Packet {
  const flags = RECURSION_DESIRED | RECURSION_AVAILABLE | (isChecked ? AUTHENTIC_DATA : 0) | code;
  return { type: "response", id: query.id ?? 0, flags, questions: query.questions ?? [], answers };
}

function recordOf(name: string, entry: string, type: string): Answer[] {
  const [kind = "", ...rest] = entry.split(" ");
  const data = rest.join(" ");
  if (kind !== type || kind === "CNAME") return [];
  const ttl = 300;
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

function stringsOf(text: string): string[] {
  const strings: string[] = [];
  for (let at = 0; at < text.length || at === 0; at += MOST_TXT_BYTES)
    strings.push(text.slice(at, at + MOST_TXT_BYTES));
  return strings;
}
