/**
 * KV, R2, D1 and queues for a Worker in another process: the HTTP that workerd's own bindings speak, as far as ingest and
 * process use them. Objects and the ledger are held in this process, so that none of their memory is the Worker's.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import * as v from "valibot";
import type { LedgerResult } from "../../shared/ledger/database.ts";
import { MemoryBucket, type MemoryPutOptions } from "../../test/support/memory-bucket.ts";
import { listenLocally } from "../../test/support/ports.ts";
import { SqliteLedger } from "../../test/support/sqlite-d1.ts";

/** A message as it was sent to a queue. */
export interface SentMessage {
  queue: string;
  body: unknown;
}

export interface Bindings {
  port: number;
  bucket: MemoryBucket;
  /** Its migrations applied. */
  ledger: SqliteLedger;
  registry: Map<string, string>;
  /** Takes each message sent to a queue. */
  onMessage: (message: SentMessage) => void;
  close(): void;
}

/** Set by workerd on each call: which binding it is for, and of a queue its name. */
export const BINDING_HEADER = "x-binding";

/** Starts to answer on a free port. */
export async function serveBindings(): Promise<Bindings> {
  const server = createServer((request, response) => {
    answerCall(request, bindings).then(
      (answer) => send(response, answer),
      (error: unknown) => send(response, { status: 500, body: Buffer.from(String(error)) }),
    );
  });
  const bindings: Bindings = {
    port: await listenLocally(server),
    bucket: new MemoryBucket(),
    ledger: new SqliteLedger(),
    registry: new Map(),
    onMessage: () => {},
    close: () => {
      server.close();
      bindings.ledger.sqlite.close();
    },
  };
  return bindings;
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: Uint8Array;
}

function send(response: ServerResponse, { status, headers = {}, body = new Uint8Array(0) }: Answer): void {
  response.writeHead(status, { ...headers, "content-length": body.byteLength });
  response.end(body);
}

async function answerCall(request: IncomingMessage, bindings: Bindings): Promise<Answer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  const body = Buffer.concat(pieces);
  const binding = header(request, BINDING_HEADER);
  if (binding === "kv") return answerRegistry(request, bindings.registry);
  if (binding === "r2") return answerBucket(request, body, bindings.bucket);
  if (binding === "d1") return answerLedger(request, body, bindings.ledger);
  return answerQueue(body, { request, queue: binding, onMessage: bindings.onMessage });
}

function header(request: IncomingMessage, name: string): string {
  return String(request.headers[name] ?? "");
}

function answerRegistry({ url = "" }: IncomingMessage, registry: Map<string, string>): Answer {
  const key = decodeURIComponent(new URL(url, "http://kv").pathname.slice(1));
  const value = registry.get(key);
  return value === undefined ? { status: 404 } : { status: 200, body: Buffer.from(value) };
}

const sentBatch = v.object({ messages: v.array(v.object({ body: v.string() })) });

interface QueueCall {
  request: IncomingMessage;
  queue: string;
  onMessage: Bindings["onMessage"];
}

/** send() posts the message itself, sendBatch() a list of them in base64; all of ours are JSON. */
function answerQueue(body: Buffer, { request, queue, onMessage }: QueueCall): Answer {
  const texts = request.url?.endsWith("/batch")
    ? v.parse(sentBatch, JSON.parse(body.toString())).messages.map((message) => Buffer.from(message.body, "base64"))
    : [body];
  for (const text of texts) onMessage({ queue, body: JSON.parse(text.toString()) });
  const metrics = { backlogCount: texts.length, backlogBytes: body.byteLength, oldestMessageTimestamp: 0 };
  return { status: 200, body: Buffer.from(JSON.stringify({ metadata: { metrics } })) };
}

const sentQuery = v.object({
  sql: v.string(),
  params: v.optional(v.array(v.union([v.string(), v.number(), v.null()])), []),
});
const sentQueries = v.union([
  v.array(sentQuery),
  v.pipe(
    sentQuery,
    v.transform((query) => [query]),
  ),
]);
const rowsSchema = v.array(v.record(v.string(), v.unknown()));

/** One statement, or several as one transaction; each is answered in the format that the call asks for. */
async function answerLedger({ url = "" }: IncomingMessage, body: Buffer, ledger: SqliteLedger): Promise<Answer> {
  const format = new URL(url, "http://d1").searchParams.get("resultsFormat");
  const queries = v.parse(sentQueries, JSON.parse(body.toString()));
  try {
    const results = await ledger.batch(queries.map(({ sql, params }) => ledger.prepare(sql).bind(...params)));
    return { status: 200, body: Buffer.from(JSON.stringify(results.map((result) => ledgerAnswer(result, format)))) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { status: 500, body: Buffer.from(JSON.stringify({ success: false, error: message })) };
  }
}

function ledgerAnswer({ results }: LedgerResult, format: string | null) {
  const rows = v.parse(rowsSchema, results);
  const columns = Object.keys(rows[0] ?? {});
  const isTable = format === "ROWS_AND_COLUMNS";
  const table = { columns, rows: rows.map((row) => columns.map((name) => row[name])) };
  return { success: true, results: isTable ? table : rows, meta: {} };
}

const etagCondition = v.optional(v.array(v.object({ type: v.string(), value: v.optional(v.string()) })));
/** What a call on R2 asks; it comes in a header, or before the content of a put. */
const bucketCall = v.object({
  method: v.picklist(["head", "get", "put", "delete", "list"]),
  object: v.optional(v.string(), ""),
  objects: v.optional(v.array(v.string())),
  prefix: v.optional(v.string()),
  range: v.optional(v.object({ offset: v.pipe(v.unknown(), v.toNumber()), length: v.pipe(v.unknown(), v.toNumber()) })),
  onlyIf: v.optional(v.object({ etagMatches: etagCondition, etagDoesNotMatch: etagCondition })),
  customFields: v.optional(v.array(v.object({ k: v.string(), v: v.string() })), []),
  sha256: v.optional(v.string()),
});
type BucketCall = v.InferOutput<typeof bucketCall>;

const SIZE_HEADER = "cf-r2-metadata-size";
const NOT_FOUND = 10_007;
const PRECONDITION_FAILED = 10_031;

async function answerBucket(request: IncomingMessage, body: Buffer, bucket: MemoryBucket): Promise<Answer> {
  const size = Number(header(request, SIZE_HEADER));
  const text = size > 0 ? body.subarray(0, size).toString() : header(request, "cf-r2-request");
  const call = v.parse(bucketCall, JSON.parse(text));
  switch (call.method) {
    case "put": {
      const stored = await bucket.put(call.object, body.subarray(size), putOptions(call));
      return stored === null ? refuse(412, PRECONDITION_FAILED) : describe(stored);
    }
    case "delete":
      await bucket.delete(call.objects ?? call.object);
      return { status: 200 };
    case "head": {
      const found = await bucket.head(call.object);
      return found === null ? refuse(404, NOT_FOUND) : describe(found);
    }
    case "get": {
      const found = await bucket.get(call.object, call.range === undefined ? {} : { range: call.range });
      if (found === null) return refuse(404, NOT_FOUND);
      return describe(found, new Uint8Array(await found.arrayBuffer()), call.range);
    }
    case "list": {
      const { objects } = await bucket.list({ prefix: call.prefix ?? "" });
      return withMetadata({ objects: objects.map(rawObject), truncated: false, delimitedPrefixes: [] });
    }
  }
}

function putOptions({ onlyIf, customFields, sha256 }: BucketCall): MemoryPutOptions {
  const [matches] = onlyIf?.etagMatches ?? [];
  const [other] = onlyIf?.etagDoesNotMatch ?? [];
  return {
    onlyIf: {
      ...(matches?.value === undefined ? {} : { etagMatches: matches.value }),
      ...(other === undefined ? {} : { etagDoesNotMatch: other.type === "wildcard" ? "*" : (other.value ?? "") }),
    },
    customMetadata: Object.fromEntries(customFields.map(({ k, v }) => [k, v])),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

type Stored = NonNullable<Awaited<ReturnType<MemoryBucket["head"]>>>;

function rawObject({ key, size, etag, customMetadata }: Stored) {
  const customFields = Object.entries(customMetadata).map(([k, v]) => ({ k, v }));
  return { name: key, version: etag, size, etag, uploaded: 0, customFields, httpFields: {}, checksums: {} };
}

function describe(stored: Stored, content?: Uint8Array, range?: BucketCall["range"]): Answer {
  return withMetadata({ ...rawObject(stored), ...(range === undefined ? {} : { range }) }, content);
}

function withMetadata(metadata: object, content: Uint8Array = new Uint8Array(0)): Answer {
  const json = Buffer.from(JSON.stringify(metadata));
  return { status: 200, headers: { [SIZE_HEADER]: String(json.byteLength) }, body: Buffer.concat([json, content]) };
}

function refuse(status: number, v4code: number): Answer {
  return { status, headers: { "cf-r2-error": JSON.stringify({ version: 1, v4code, message: "refused" }) } };
}
