/** Support: a DNS server over HTTPS that knows some TXT records; any other name does not exist. */
import { createServer } from "node:http";
import { decode, encode } from "dns-packet";
import { listenLocally } from "./ports.ts";

const NXDOMAIN = 3;

export interface DohServer {
  url: string;
  /** Names asked for, in order. */
  asked: string[];
  close(): void;
}

/** Starts one on a free port. @param records TXT records by name */
export async function startDohServer(records: Record<string, string>): Promise<DohServer> {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const [question] = decode(Buffer.concat(pieces)).questions ?? [];
    const name = question?.name ?? "";
    asked.push(name);
    const text = records[name];
    const flags = text === undefined ? NXDOMAIN : 0;
    const answers = text === undefined ? [] : [{ type: "TXT" as const, name, data: text.match(/.{1,255}/g) ?? [] }];
    response.writeHead(200, { "content-type": "application/dns-message" });
    response.end(
      encode({ type: "response", id: 0, flags, questions: question === undefined ? [] : [question], answers }),
    );
  });
  const port = await listenLocally(server);
  return {
    url: `http://127.0.0.1:${port}/dns-query`,
    asked,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
