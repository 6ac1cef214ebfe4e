import { afterAll, beforeAll, expect, it } from "vitest";
import { zoo } from "../guidance/zones.ts";
import { type DnsServer, startDnsServer } from "../support/dns-server.ts";
import { runCommand } from "./run-command.ts";

let server: DnsServer;

beforeAll(async () => {
  server = await startDnsServer(zoo());
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

it("says what is broken, why, and what to publish", async () => {
  const { code, stdout } = await runCommand(["check", "refused.test", "--dns", server.url]);
  expect(code).toBe(2);
  expect(stdout).toContain("closed.test does not say that it takes reports for this domain");
  expect(stdout).toContain("(RFC 9990 section 4)");
  expect(stdout).toContain('refused.test._report._dmarc.closed.test TXT "v=DMARC1;"');
});

it("prints one JSON line per domain and accepts domains as people type them", async () => {
  const domains = ["EIGHT.spf.test.", "mail.levels.test"];
  const { stdout } = await runCommand(["check", ...domains, "--dns", server.url, "--json"]);
  const [first, second] = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(first).toMatchObject({ domain: "eight.spf.test", spfLookups: 8 });
  expect(second).toMatchObject({
    domain: "mail.levels.test",
    policyDomain: "levels.test",
    policies: { domain: "quarantine", subdomain: "quarantine", nonexistent: "none" },
  });
});

it("checks the named DKIM keys", async () => {
  const selectors = ["--selector", "strong", "weak", "curve"];
  const { stdout } = await runCommand(["check", "dkim.test", "--dns", server.url, "--all", ...selectors]);
  expect(stdout).toContain("Selector strong: RSA with 2048 bits.");
  expect(stdout).toContain("The key of selector weak has 1024 bits; 2048 are recommended.");
  expect(stdout).toContain("Selector curve: Ed25519.");
});

it("says unknown and exits when no DNS server answers", async () => {
  const { code, stdout } = await runCommand(["check", "example.com", "--dns", "http://127.0.0.1:9/dns-query"]);
  expect(code).toBe(2);
  expect(stdout).toContain("DNS gave no answer for example.com. Check again later.");
});

it("refuses invalid domain names and DNS server addresses", async () => {
  expect((await runCommand(["check", "foo bar"])).stderr).toContain(
    "'foo bar' is not a domain name: a label has letters, digits, hyphens and underscores only.",
  );
  // As every command reads a domain: also one that was pasted.
  const pasted = await runCommand(["check", "https://eight.spf.test/", "--dns", server.url]);
  expect(pasted.stderr).toContain("was taken for the domain eight.spf.test");
  const wrong = await runCommand(["check", "example.com", "--dns", "1.1.1.1"]);
  expect(wrong.stderr).toContain("the https address of a DNS server");
});
