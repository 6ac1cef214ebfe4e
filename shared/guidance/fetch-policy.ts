/**
 * Fetches MTA-STS policy files as RFC 8461 section 3.3 requires: only status 200, no redirects, at most 64 KiB,
 * text/plain.
 */
import type { Fetch } from "../dns/over-https.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";
import type { FetchPolicyFile } from "./mta-sts-check.ts";

/** A fetcher of policy files over `fetch`, which checks the server's certificate. */
export function policyFetcher(fetch: Fetch): FetchPolicyFile {
  return async (url) => {
    try {
      const signal = AbortSignal.timeout(GUIDANCE_LIMITS.policyFileTimeoutMilliseconds);
      const response = await fetch(url, { redirect: "manual", signal });
      return await readFile(response);
    } catch (error) {
      const isLate = error instanceof Error && error.name === "TimeoutError";
      return { problem: isLate ? "the server did not answer in time" : "no secure connection", isUnanswered: true };
    }
  };
}

async function readFile(response: Response): Promise<Awaited<ReturnType<FetchPolicyFile>>> {
  const type = response.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  const problem = problemOf(response, type);
  if (problem !== undefined) {
    await response.body?.cancel().catch(() => {});
    return { problem, isUnanswered: response.status >= 500 };
  }
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.byteLength;
    if (bytes > GUIDANCE_LIMITS.maxPolicyFileBytes) {
      return { problem: `it is larger than ${GUIDANCE_LIMITS.maxPolicyFileBytes / 1024} KiB`, isUnanswered: false };
    }
    text += decoder.decode(piece, { stream: true });
  }
  return { text: text + decoder.decode() };
}

function problemOf({ status, headers }: Response, type: string | undefined): string | undefined {
  if (status >= 300 && status < 400) {
    // A Worker that is protected as a whole is so at this host, too (docs/deploy.md).
    const isLogin = URL.parse(headers.get("location") ?? "")?.hostname.endsWith(".cloudflareaccess.com") === true;
    const where = isLogin ? " to the login of Cloudflare Access, which has to let this host past" : "";
    return `the server redirects (${status})${where}, which senders do not follow`;
  }
  if (status !== 200) return `the server answers ${status}`;
  return type === "text/plain" ? undefined : `its type is ${type ?? "not given"}, not text/plain`;
}
