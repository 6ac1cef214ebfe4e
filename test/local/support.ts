/** Shared by the tests of the local stack: folders that go away, the engine's HTTP, and which processes are running. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export const TOKEN = "token-of-the-local-tests";

/** A new folder, removed by the caller. */
export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), "dmarc-local-"));
}

/** A new folder that is removed when the test is over. */
export function testFolder(): string {
  const folder = makeFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Reply {
  status: number;
  type: string;
  /** Header Retry-After; null = none. */
  retryAfter: string | null;
  text: string;
}

async function readReply(response: Response): Promise<Reply> {
  const { status, headers } = response;
  const type = headers.get("content-type") ?? "";
  return { status, type, retryAfter: headers.get("retry-after"), text: await response.text() };
}

/** Asks the SQL API as a client of Cloudflare's would. */
export async function ask(url: string, sql: string, token = TOKEN): Promise<Reply> {
  const response = await fetch(`${url}/client/v4/accounts/any/analytics_engine/sql`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: sql,
  });
  return readReply(response);
}

/** Rows of an answer in FORMAT JSON. */
export async function askRows(url: string, sql: string, token = TOKEN): Promise<Record<string, unknown>[]> {
  const reply = await ask(url, sql, token);
  if (reply.status !== 200) throw new Error(`${reply.status}: ${reply.text}`);
  return (JSON.parse(reply.text) as { data: Record<string, unknown>[] }).data;
}

export interface Point {
  index?: string;
  blobs?: string[];
  doubles?: (number | null)[];
}

/** Writes points as the local Worker does. */
export async function write(url: string, dataset: string, points: Point[]): Promise<Reply> {
  const full = points.map(({ index = "", blobs = [], doubles = [] }) => ({ index, blobs, doubles }));
  const response = await fetch(`${url}/local/points`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({ dataset, points: full }),
  });
  return readReply(response);
}

/** Running processes that name a folder in their arguments or their environment, as `pid state command`. */
export function processesNaming(folder: string): string[] {
  return listProcesses("axeww").filter((line) => line.includes(folder) && !/^\s*\d+\s+Z/.test(line));
}

/** Command lines of all running processes, without their environment: what every user of the machine can see. */
export function commandLines(): string[] {
  return listProcesses("axww");
}

function listProcesses(selection: string): string[] {
  const options = { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 } as const;
  const lines = execFileSync("ps", [selection, "-o", "pid=,stat=,args="], options).split("\n");
  return lines.filter((line) => !line.includes(`ps ${selection}`));
}

/** Ids of the running processes that name a folder and whose command line has a part in it. */
export function pidsOf(folder: string, part: string): number[] {
  return processesNaming(folder)
    .filter((line) => line.includes(part))
    .map((line) => Number.parseInt(line, 10));
}

/** The addresses the processes that name a folder listen on, from Linux's own tables: `127.0.0.1:<port>`. */
export function listeningAddresses(folder: string): string[] {
  const inodes = new Set(processesNaming(folder).flatMap((line) => socketsOf(Number.parseInt(line, 10))));
  const rows = ["tcp", "tcp6"].flatMap((table) => readFileSync(`/proc/net/${table}`, "utf8").split("\n").slice(1));
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === LISTEN && inodes.has(inode ?? ""))
    .map(([, local = ""]) => readAddress(local));
}

const LISTEN = "0A";

function socketsOf(pid: number): string[] {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${fd}`))?.[1] ?? []);
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

// 0100007F:2328 → 127.0.0.1:9000; the bytes of an IPv4 address are in the machine's order.
function readAddress(local: string): string {
  const [address = "", port = ""] = local.split(":");
  const bytes = address.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
  const host = bytes.length === 4 ? bytes.reverse().join(".") : address;
  return `${host}:${Number.parseInt(port, 16)}`;
}
