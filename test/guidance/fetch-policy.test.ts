/** What is said of a policy file that cannot be had, for the one who has to mend it. */
import { expect, it } from "vitest";
import { policyFetcher } from "../../shared/guidance/fetch-policy.ts";

const URL_OF_POLICY = "https://mta-sts.acme.example/.well-known/mta-sts.txt";

async function problemWith(response: Response): Promise<unknown> {
  return policyFetcher(async () => response)(URL_OF_POLICY);
}

function redirect(location: string): Response {
  return new Response(null, { status: 302, headers: { location } });
}

it.each([
  ["https://www.acme.example/", "the server redirects (302), which senders do not follow"],
  ["/login", "the server redirects (302), which senders do not follow"],
  ["https://cloudflareaccess.com.evil.example/", "the server redirects (302), which senders do not follow"],
  [
    "https://team.cloudflareaccess.com/cdn-cgi/access/login/mta-sts.acme.example?kid=1",
    "the server redirects (302) to the login of Cloudflare Access, which has to let this host past, which senders do not follow",
  ],
])("a redirect to %s", async (location, problem) => {
  expect(await problemWith(redirect(location))).toEqual({ problem, isUnanswered: false });
});

it.each([
  ["CERT_HAS_EXPIRED", "its certificate has expired", false],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "its certificate is for another name", false],
  ["ECONNREFUSED", "no secure connection", true],
])("a connection that fails by %s", async (code, problem, isUnanswered) => {
  const fetchFails = async () => {
    throw new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) });
  };
  expect(await policyFetcher(fetchFails)(URL_OF_POLICY)).toEqual({ problem, isUnanswered });
});

it("a certificate that Cloudflare finds invalid, and a server that fails", async () => {
  const invalid = new Response("", { status: 526 });
  expect(await problemWith(invalid)).toEqual({ problem: "its certificate is not valid", isUnanswered: false });
  const broken = new Response("", { status: 503 });
  expect(await problemWith(broken)).toEqual({ problem: "the server answers 503", isUnanswered: true });
});
