/**
 * Main module of ingest on one machine: the Worker as it is deployed, and the way in that Email Routing is in production. A
 * request from the SMTP server becomes a call of its `email()`, in the same isolate: from Worker to Worker it took some 8 % more
 * processor time. wrangler's own mail endpoint is not used, because it parses the whole mail first and accepts it from anybody.
 * It never changes a byte, requires the secret, and applies the ledger's migrations when the stack starts.
 */
import { shardsOf } from "../../shared/ledger/shards.ts";
import ingest from "../../workers/ingest/index.ts";
import { InvocationLimits, limitedBucket, limitedKv, limitedLedger, limitedQueue } from "./limited.ts";
import { migrateAll } from "./migrate.ts";

/** The bindings as local/worker-config.ts makes them, with every database of the ledger. */
interface LocalEnv extends IngestBindings {
  WORKERS_SECRET: string;
}

/** The outcome of a mail. */
type Outcome = { outcome: "taken" } | { outcome: "rejected" | "fault"; reason: string };

/** Ours: the most of a header that is read. */
const MAX_HEADER_BYTES = 64 * 1024;
/** Ours: the most fields of a header that are read; real mails have some fifty. */
const MAX_FIELDS = 900;

const encoder = new TextEncoder();
const decoder = new TextDecoder("windows-1252");

export default {
  async fetch(request, env, context): Promise<Response> {
    if (!isSecret(request.headers.get("x-dmarc-workers-secret"), env.WORKERS_SECRET))
      return answer("Only the local stack may ask.", 403);
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/health") return answer("open", 200);
    if (pathname === "/migrations" && request.method === "POST") {
      const applied = await migrateAll(shardsOf(env).all, await request.json());
      return applied.ok ? Response.json(applied.value) : answer(applied.error, 500);
    }
    if (pathname !== "/mail" || request.method !== "POST") return answer("Not found", 404);
    const bytes = new Uint8Array(await request.arrayBuffer());
    return Response.json(await takeMail(bytes, searchParams, { env, context }));
  },
} satisfies ExportedHandler<LocalEnv>;

async function takeMail(
  bytes: Uint8Array,
  envelope: URLSearchParams,
  { env, context }: { env: LocalEnv; context: ExecutionContext },
): Promise<Outcome> {
  let rejection: string | undefined;
  const mail = {
    from: envelope.get("from") ?? "",
    to: envelope.get("to") ?? "",
    raw: streamOf(bytes),
    rawSize: bytes.byteLength,
    headers: readHeader(bytes),
    setReject: (reason: string): void => {
      rejection = reason;
    },
  };
  try {
    const limits = new InvocationLimits();
    const limited = {
      ...limitedLedger(env, limits),
      KV_DMARC_REPORTS: limitedKv(env.KV_DMARC_REPORTS, limits),
      R2_DMARC_REPORTS: limitedBucket(env.R2_DMARC_REPORTS),
      QUEUE_REPORTS: limitedQueue(env.QUEUE_REPORTS),
    };
    await ingest.email(mail, limited, context);
  } catch (error) {
    return { outcome: "fault", reason: error instanceof Error ? error.message : String(error) };
  }
  return rejection === undefined ? { outcome: "taken" } : { outcome: "rejected", reason: rejection };
}

// Not by way of a Blob, which would be a second copy of a large mail.
function streamOf(bytes: Uint8Array): ReadableStream {
  const { body } = new Response(bytes);
  if (body === null) throw new Error("A body has no stream.");
  return body;
}

/** The fields of a mail's header (RFC 5322 section 2.2), unfolded; invalid ones are left out. */
function readHeader(bytes: Uint8Array): Headers {
  const headers = new Headers();
  const [header = ""] = decoder.decode(bytes.subarray(0, MAX_HEADER_BYTES)).split(/\r?\n\r?\n/, 1);
  const lines = header.replace(/\r?\n(?=[ \t])/g, "").split(/\r?\n/, MAX_FIELDS);
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    try {
      headers.append(line.slice(0, colon).trimEnd(), line.slice(colon + 1).trim());
    } catch {
      // Not a valid name or value.
    }
  }
  return headers;
}

function isSecret(given: string | null, secret: string): boolean {
  const [a, b] = [encoder.encode(given ?? ""), encoder.encode(secret)];
  return a.byteLength === b.byteLength && crypto.subtle.timingSafeEqual(a, b);
}

function answer(text: string, status: number): Response {
  return new Response(`${text}\n`, { status });
}
