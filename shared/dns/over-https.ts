/** DNS over HTTPS (RFC 8484): question and answer are DNS messages in the bodies of a POST and its response. */
import {
  AUTHENTIC_DATA,
  CHECKING_DISABLED,
  decode,
  encode,
  RECURSION_DESIRED,
  type TlsaData,
  TRUNCATED_RESPONSE,
} from "dns-packet";
import { DNS_LIMITS } from "../limits.ts";
import type { Answer, RecordType, Resolver } from "./resolver.ts";

/** The part of `fetch` that is used. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const MESSAGE_TYPE = "application/dns-message";

/** RFC 1035 section 4.1.1, the response code: the low four bits of the flags. */
const RESPONSE_CODE = 0x0f;
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
        const unchecked = await ask(url, { name, type, flags: CHECKING_DISABLED }, fetch);
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

/** A question, and flags beside those of every one. */
interface Question {
  name: string;
  type: RecordType;
  flags?: number;
}

async function ask(url: string, { name, type, flags = 0 }: Question, fetch: Fetch): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": MESSAGE_TYPE, accept: MESSAGE_TYPE },
    body: new Uint8Array(
      encode({ type: "query", id: 0, flags: RECURSION_DESIRED | AUTHENTIC_DATA | flags, questions: [{ name, type }] }),
    ),
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
  return Buffer.concat(pieces);
}

function readAnswer(bytes: Uint8Array, type: RecordType): Answer {
  const message = decode(Buffer.from(bytes));
  // RFC 2181 section 9: an answer that did not fit is not to be used; what is in it may be half of the records.
  if (((message.flags ?? 0) & TRUNCATED_RESPONSE) !== 0) return { status: "unknown" };
  const code = (message.flags ?? 0) & RESPONSE_CODE;
  if (code === NAME_ERROR) return { status: "nxdomain" };
  if (code !== NO_ERROR) return { status: "servfail" };
  const records: string[] = [];
  let ttlSeconds = Number.POSITIVE_INFINITY;
  // An alias and its target are answers in the same message.
  for (const answer of message.answers ?? []) {
    if (answer.type !== type) continue;
    ttlSeconds = Math.min(ttlSeconds, answer.ttl ?? 0);
    if (answer.type === "TXT") records.push(textOf(answer.data));
    else if (answer.type === "TLSA") records.push(tlsaText(answer.data));
    else if (answer.type === "MX") records.push(`${answer.data.preference ?? 0} ${answer.data.exchange}`);
    else if (typeof answer.data === "string") records.push(answer.data);
  }
  const isAuthenticated = ((message.flags ?? 0) & AUTHENTIC_DATA) !== 0;
  return records.length === 0 ? { status: "nodata" } : { status: "answers", records, isAuthenticated, ttlSeconds };
}

function tlsaText({ usage, selector, matchingType, certificate }: TlsaData): string {
  return `${usage} ${selector} ${matchingType} ${certificate.toString("hex")}`;
}

/** The strings of a TXT record as one text (RFC 6376 section 3.6.2.2, RFC 7208 section 3.3): UTF-8, or else a character an octet. */
function textOf(data: string | Buffer | (string | Buffer)[]): string {
  const strings = Array.isArray(data) ? data : [data];
  const joined = Buffer.concat(strings.map((one) => (typeof one === "string" ? Buffer.from(one) : one)));
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(joined);
  } catch {
    return joined.toString("latin1");
  }
}
