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
    "This dashboard is closed. For people, turn on Cloudflare Access for this Worker (Workers & Pages → the " +
    "Worker → Access) and grant roles with `dmarc identity add`; for programs, set the secret API_TOKEN, or make " +
    "a token with `dmarc tokens create`, and send it as `Authorization: Bearer …`.",
  token: "The bearer token is neither the secret API_TOKEN of this Worker nor a token made by `dmarc tokens`.",
  service:
    "Cloudflare Access admitted this request without a mail address, as it does with a service token. It does " +
    "not say what may be seen: also send a token, as `Authorization: Bearer …` (make one with `dmarc tokens " +
    "create`).",
  unnamed:
    "Cloudflare Access admitted this request but couldn't say who it is from. If you are a person, reload the " +
    "page; a program with a service token must also send a token, as `Authorization: Bearer …` (make one with " +
    "`dmarc tokens create`).",
  origin:
    "This request changes something but did not come from the dashboard's own pages: open the page here and press its button.",
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
  const identity = await identityOf(access);
  if (!identity.ok) return identity;
  // Access rides on a cookie, which the browser also sends along with a foreign page's request.
  if (!SAFE_METHODS.includes(request.method) && !isSameOrigin(request)) return fail(REFUSALS.origin);
  return ok({ via: "access", email: identity.value });
}

/**
 * The mail address of the person whom Access let in. A service token is nobody: its JWT has the token's id as `common_name`,
 * an empty `sub` and no `email`, and its identity says `service_token_status`
 * (developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/application-token).
 * What `getIdentity` makes of it is on no page: nothing, an identity without an address, and a fault are all taken for it.
 */
async function identityOf(access: CloudflareAccessContext): Promise<Result<string, string>> {
  try {
    const { email } = (await access.getIdentity()) ?? {};
    return typeof email === "string" && email !== "" ? ok(email) : fail(REFUSALS.service);
  } catch (error) {
    console.error(JSON.stringify({ event: "access_identity_fault", message: String(error) }));
    return fail(REFUSALS.unnamed);
  }
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
