/** DNS over HTTPS (RFC 8484): question and answer are DNS messages in the bodies of a POST and its response. */
import { DNS_LIMITS } from "../limits.ts";
import { encodeQuestion, readMessage } from "./message.ts";
import type { Answer, RecordType, Resolver } from "./resolver.ts";

/** The part of `fetch` that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const MESSAGE_TYPE = "application/dns-message";

/** RFC 1035 section 4.1.1, the response code. */
const NO_ERROR = 0;
const NAME_ERROR = 3;

/**
 * A resolver that asks a DNS server over HTTPS.
 *
 * @param url the server's, such as `https://cloudflare-dns.com/dns-query`
 * @param maxQuestions requests that it may send: a name that fails takes two. Beyond them the answer is "unknown"
 */
export function httpsResolver(url: string, fetch: Fetch, maxQuestions = Number.POSITIVE_INFINITY): Resolver {
  let left = maxQuestions;
  return {
    async lookup(name, type) {
      if (left < 1) return { status: "unknown" };
      left -= 1;
      try {
        const answer = await ask(url, { name, type }, fetch);
        if (answer.status !== "servfail" || left < 1) return answer;
        left -= 1;
        // What a resolver answers once it is not to check signatures, it has refused for them (RFC 4035 section 3.2.2).
        const unchecked = await ask(url, { name, type, isUnchecked: true }, fetch);
        return isAnswer(unchecked) ? { status: "servfail", isBogus: true } : answer;
      } catch (error) {
        const isLate = error instanceof Error && error.name === "TimeoutError";
        return { status: isLate ? "timeout" : "unknown" };
      }
    },
  };
}

function isAnswer({ status }: Answer): boolean {
  return status === "answers" || status === "nodata" || status === "nxdomain";
}

/** A question. isUnchecked: the server is not to check signatures. */
interface Question {
  name: string;
  type: RecordType;
  isUnchecked?: boolean;
}

async function ask(url: string, { name, type, isUnchecked = false }: Question, fetch: Fetch): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": MESSAGE_TYPE, accept: MESSAGE_TYPE },
    body: encodeQuestion(name, type, isUnchecked),
    redirect: "manual",
    signal: AbortSignal.timeout(DNS_LIMITS.timeoutMilliseconds),
  });
  const isAnswer = response.ok && response.headers.get("content-type")?.split(";", 1)[0]?.trim() === MESSAGE_TYPE;
  const bytes = isAnswer ? await readBounded(response) : undefined;
  if (bytes === undefined) {
    await response.body?.cancel().catch(() => {});
    return { status: response.status >= 500 ? "servfail" : "unknown" };
  }
  return readAnswer(bytes, type);
}

/** @returns undefined if the answer is too large */
async function readBounded({ body }: Response): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body ?? []) {
    length += piece.byteLength;
    if (length > DNS_LIMITS.maxAnswerBytes) return undefined;
    pieces.push(piece);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

function readAnswer(bytes: Uint8Array, type: RecordType): Answer {
  const { code, isTruncated, isAuthenticated, records, ttlSeconds } = readMessage(bytes, type);
  // RFC 2181 section 9: an answer that did not fit is not to be used; what is in it may be half of the records.
  if (isTruncated) return { status: "unknown" };
  if (code === NAME_ERROR) return { status: "nxdomain" };
  if (code !== NO_ERROR) return { status: "servfail" };
  return records.length === 0 ? { status: "nodata" } : { status: "answers", records, isAuthenticated, ttlSeconds };
}
