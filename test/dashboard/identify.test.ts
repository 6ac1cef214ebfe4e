/** Faults of Access, which its stand-in in workerd does not have, and which requests of a person must come from our own pages. */
import { expect, it } from "vitest";
import { identify } from "../../workers/dashboard/auth.ts";

it("an unavailable identity admits nobody and is not a server error", async () => {
  const access = { aud: "test", getIdentity: () => Promise.reject(new Error("no identity nonce")) };
  const request = new Request("http://dashboard.example/api/v1/stats");
  const identity = await identify({ request, access, apiToken: "the-right-secret" });
  expect(identity).toMatchObject({ ok: false, error: expect.stringMatching(/couldn't say who it is from/) });
});

const OWN = "https://dashboard.example";

it.each([
  ["GET", undefined, true],
  ["GET", "https://evil.example", true],
  ["HEAD", "https://evil.example", true],
  ["OPTIONS", "https://evil.example", true],
  ["POST", OWN, true],
  ["DELETE", OWN, true],
  ["POST", undefined, false],
  ["POST", "null", false],
  ["POST", "https://evil.example", false],
  ["PUT", "https://evil.example", false],
  ["PATCH", "https://evil.example", false],
  ["DELETE", "https://evil.example", false],
  ["POST", "http://dashboard.example", false],
  ["POST", "https://dashboard.example:8443", false],
  ["POST", "https://www.dashboard.example", false],
  ["POST", "https://dashboard.example.evil.example", false],
])("%s of a person from the origin %s: let in %s", async (method, origin, isLetIn) => {
  const access = { aud: "test", getIdentity: async () => ({ email: "ann@acme.example" }) };
  const headers: Record<string, string> = origin === undefined ? {} : { origin };
  const request = new Request(`${OWN}/operations/jobs`, { method, headers });
  const identity = await identify({ request, access, apiToken: undefined });
  expect(identity).toEqual(
    isLetIn
      ? { ok: true, value: { via: "access", email: "ann@acme.example" } }
      : { ok: false, error: expect.stringMatching(/did not come from the dashboard's own pages/) },
  );
});
