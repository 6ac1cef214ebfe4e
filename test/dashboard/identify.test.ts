/** Faults of Access, which its stand-in in workerd does not have. */
import { expect, it } from "vitest";
import { identify } from "../../workers/dashboard/auth.ts";

it("an unavailable identity admits nobody and is not a server error", async () => {
  const access = { aud: "test", getIdentity: () => Promise.reject(new Error("no identity nonce")) };
  const request = new Request("http://dashboard.example/api/v1/stats");
  const identity = await identify({ request, access, apiToken: "the-right-secret" });
  expect(identity).toMatchObject({ ok: false, error: expect.stringMatching(/couldn't say who it is from/) });
});
