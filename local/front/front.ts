/**
 * The HTTP server in front of the local dashboard: forwards what `judge` lets through, without headers meant for the
 * development server behind it, and with proof that it came this way. Never looks into a body.
 */
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { LocalSecret } from "../secret.ts";
import type { WorkersAddress } from "../workers.ts";
import { judge, keepHeaders } from "./judge.ts";

export interface FrontOptions {
  port: number;
  secret: LocalSecret;
  /** The Workers' location; undefined while they are starting. */
  findWorkers: () => WorkersAddress | undefined;
}

export interface RunningFront {
  /** Gives requests in transit a moment to finish, and resolves. */
  stop(): Promise<void>;
}

type Context = FrontOptions & { agent: Agent };

interface Refusal {
  status: number;
  code: string;
  message: string;
}

/** Ours: for requests in transit. */
const STOP_TIMEOUT_MS = 2000;
const STARTING: Refusal = {
  status: 503,
  code: "unavailable",
  message: "The Workers are being started; try again in a few seconds.",
};

/** Resolves when it listens on 127.0.0.1; rejects when the port cannot be had. */
export async function openFront(options: FrontOptions): Promise<RunningFront> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, response) => serve(incoming, response, { ...options, agent }));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  return {
    stop: async () => {
      const timer = setTimeout(() => server.closeAllConnections(), STOP_TIMEOUT_MS);
      await new Promise((resolve) => server.close(resolve));
      clearTimeout(timer);
      agent.destroy();
    },
  };
}

function serve(incoming: IncomingMessage, response: ServerResponse, context: Context): void {
  const { host = "", cookie = "", authorization = "" } = incoming.headers;
  const verdict = judge({ target: incoming.url ?? "", host, cookie, authorization }, context);
  const workers = context.findWorkers();
  if (verdict.kind === "refuse") refuse(incoming, response, verdict);
  else if (verdict.kind === "let in") letIn(response, verdict);
  else if (workers === undefined) refuse(incoming, response, STARTING);
  else handOn(incoming, response, { ...verdict, workers, agent: context.agent });
}

// Redirects to the address without the key, so that it does not stay visible.
function letIn(response: ServerResponse, { path, cookie }: { path: string; cookie: string }): void {
  response.writeHead(303, {
    location: path,
    "set-cookie": cookie,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
  });
  response.end();
}

interface Onward {
  path: string;
  isPublic?: true;
  workers: WorkersAddress;
  agent: Agent;
}

function handOn(incoming: IncomingMessage, response: ServerResponse, onward: Onward): void {
  const { path, isPublic = false, workers, agent } = onward;
  const { cookie: _, authorization: __, ...anybodys } = incoming.headers;
  const headers = {
    ...keepHeaders(isPublic ? anybodys : incoming.headers),
    "x-dmarc-workers-secret": workers.workersSecret,
  };
  const outgoing = request({ host: "127.0.0.1", port: workers.port, method: incoming.method, path, headers, agent });
  outgoing.once("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, keepHeaders(answer.headers));
    answer.once("error", () => response.destroy());
    answer.pipe(response);
  });
  outgoing.once("error", () => {
    if (response.headersSent) response.destroy();
    else refuse(incoming, response, STARTING);
  });
  response.once("close", () => outgoing.destroy());
  incoming.pipe(outgoing);
}

// Browsers accept HTML; programs get JSON like the API's errors.
function refuse(incoming: IncomingMessage, response: ServerResponse, { status, code, message }: Refusal): void {
  const isPage = (incoming.headers.accept ?? "").includes("text/html");
  response.writeHead(status, {
    "content-type": isPage ? "text/html; charset=utf-8" : "application/json",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    // The rest of the request is discarded with the connection.
    connection: "close",
    ...(status === 503 ? { "retry-after": "2" } : {}),
  });
  response.end(isPage ? pageOf(message) : `${JSON.stringify({ error: { code, message } })}\n`);
}

function pageOf(message: string): string {
  const text = message.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>DMARC reports</title>
<h1>DMARC reports</h1>
<p>${text}</p>
</html>
`;
}
