/**
 * Stands between the Workers and the local Analytics Engine and fails some writes, as a network does: before the write
 * took effect, after it, or by cutting the connection after it. A fault injector: used by the soak run only.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { listenLocally } from "../../test/support/ports.ts";
import { seeded } from "../../test/support/seeded-reports.ts";

export interface FaultyAnalytics {
  /** Where it listens, without a path. */
  url: string;
  /** Faults so far. */
  faults(): number;
  /** Passes writes on to this engine from now on. */
  aimAt(engineUrl: string): void;
  stop(): Promise<void>;
}

type Fault = "before" | "after" | "cut";

/** Listens on a free port. @param rate share of writes that fail, 0 to 1 */
export async function startFaultyAnalytics({ rate, seed }: { rate: number; seed: number }): Promise<FaultyAnalytics> {
  const random = seeded(seed);
  let engineUrl = "";
  let faults = 0;
  const pickFault = (): Fault | undefined => {
    if (random() >= rate) return undefined;
    faults++;
    const place = random();
    return place < 0.4 ? "before" : place < 0.8 ? "after" : "cut";
  };
  const server = createServer((request, response) => {
    pass(request, response, { engineUrl, fault: pickFault() }).catch(() => response.destroy());
  });
  const port = await listenLocally(server);
  return {
    url: `http://127.0.0.1:${port}`,
    faults: () => faults,
    aimAt: (url) => {
      engineUrl = url;
    },
    stop: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}

async function pass(
  request: IncomingMessage,
  response: ServerResponse,
  { engineUrl, fault }: { engineUrl: string; fault: Fault | undefined },
): Promise<void> {
  const body = await buffer(request);
  if (fault === "before") return refuse(response);
  const answer = await fetch(engineUrl + (request.url ?? ""), {
    method: "POST",
    headers: { authorization: request.headers.authorization ?? "", "content-type": "application/json" },
    body: new Uint8Array(body),
  });
  const text = await answer.text();
  if (fault === "cut") return void response.destroy();
  if (fault === "after") return refuse(response);
  response.writeHead(answer.status).end(text);
}

function refuse(response: ServerResponse): void {
  response.writeHead(500).end("injected fault");
}
