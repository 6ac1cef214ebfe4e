/**
 * Who may ask: somebody Cloudflare Access let in, or a program with the secret API_TOKEN or with a token; nobody else.
 * Closed when nothing is configured. It never logs a token and never says which part of a credential was wrong.
 */
import { fail, ok, type Result } from "../../shared/result.ts";
import { isTokenSecret } from "../../shared/tokens.ts";

/** Who is asking: a person, a program with the secret API_TOKEN, or one with what has the form of a token's secret. */
export type Identity = { via: "access"; email: string } | { via: "secret" } | { via: "token"; secret: string };

/** What a request is judged by. */
export interface Credentials {
  request: Request;
  /** ctx.access: there only when Cloudflare Access let the request through. */
  access: CloudflareAccessContext | undefined;
  /** The secret API_TOKEN. */
  apiToken: string | undefined;
}

const REFUSALS = {
  closed:
    "This dashboard is closed. For people, turn on Cloudflare Access for this Worker (Workers & Pages → the Worker → Settings → Domains & Routes) and say who may see what with `dmarc identity add`; for programs, set the secret API_TOKEN, or make a token with `dmarc tokens create`, and send it as `Authorization: Bearer …`.",
  token:
    "The bearer token is not the secret API_TOKEN of this Worker, and has not the form of a token of `dmarc tokens`.",
  service:
    "Cloudflare Access let this request in without a mail address, as it does with a service token. That opens the door and says nothing of what may be seen: send a token beside it, as `Authorization: Bearer …` (make one with `dmarc tokens create`).",
  origin:
    "This request changes something and does not come from the dashboard's own pages: open the page here and press its button.",
} as const;

const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

/**
 * Identifies who sent a request.
 *
 * @returns the identity, or the sentence to refuse it with (status 403)
 */
export async function identify(credentials: Credentials): Promise<Result<Identity, string>> {
  const { request, access, apiToken } = credentials;
  const bearer = readBearer(request);
  // A token that was sent has to be right, even if Access let the request in.
  if (bearer !== undefined) {
    if (await sameSecret(bearer, apiToken)) return ok({ via: "secret" });
    return isTokenSecret(bearer) ? ok({ via: "token", secret: bearer }) : fail(REFUSALS.token);
  }
  if (access === undefined) return fail(REFUSALS.closed);
  // A service token is not a person: it has no identity, or one without a mail address.
  const identity = await access.getIdentity();
  if (identity?.email === undefined || identity.email === "") return fail(REFUSALS.service);
  // Access rides on a cookie, which the browser also sends along with a foreign page's request.
  if (!SAFE_METHODS.includes(request.method) && !isSameOrigin(request)) return fail(REFUSALS.origin);
  return ok({ via: "access", email: identity.email });
}

function readBearer(request: Request): string | undefined {
  const header = request.headers.get("authorization");
  if (header === null) return undefined;
  return /^Bearer +(\S+) *$/i.exec(header)?.[1] ?? "";
}

function isSameOrigin(request: Request): boolean {
  return request.headers.get("origin") === new URL(request.url).origin;
}

/**
 * Whether a secret is the right one; an empty or missing one never is. Digests have one length, so neither the length
 * nor the place of the first difference shows in the time taken.
 */
export async function sameSecret(given: string, secret: string | undefined): Promise<boolean> {
  if (secret === undefined || secret === "" || given === "") return false;
  const [a, b] = await Promise.all([digest(given), digest(secret)]);
  return crypto.subtle.timingSafeEqual(a, b);
}

function digest(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}
