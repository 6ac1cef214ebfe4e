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
      if (isLate) return { problem: "the server did not answer in time", isUnanswered: true };
      const wrong = certificateProblem(error);
      if (wrong !== undefined) return { problem: wrong, isUnanswered: false };
      return { problem: "no secure connection", isUnanswered: true };
    }
  };
}

/** What is wrong with a certificate, by the code of the error that Node gives (OpenSSL's names of verification errors). */
const CERTIFICATE_PROBLEMS: Record<string, string> = {
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by itself, not by an authority that senders know",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not from an authority that senders know",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not from an authority that senders know",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its server does not send the certificates between its own and the authority's",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
};

function certificateProblem(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return CERTIFICATE_PROBLEMS[code];
}

/** Cloudflare's answer in place of a server whose certificate is not valid. */
const INVALID_CERTIFICATE = 526;

async function readFile(response: Response): Promise<Awaited<ReturnType<FetchPolicyFile>>> {
  const type = response.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  const problem = problemOf(response, type);
  if (problem !== undefined) {
    await response.body?.cancel().catch(() => {});
    return { problem, isUnanswered: response.status >= 500 && response.status !== INVALID_CERTIFICATE };
  }
  // Senders do not skip a byte order mark: it is part of what is judged.
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
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
  if (status === INVALID_CERTIFICATE) return "its certificate is not valid";
  if (status !== 200) return `the server answers ${status}`;
  return type === "text/plain" ? undefined : `its type is ${type ?? "not given"}, not text/plain`;
}
