/** `dmarc spf`: the record before and after, in words and as JSON. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { spfZones } from "../guidance/zones.ts";
import { type DnsServer, startDnsServer } from "../support/dns-server.ts";
import { runCommand } from "./run-command.ts";

let server: DnsServer;

beforeAll(async () => {
  server = await startDnsServer(spfZones());
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

it("shows the record before and after, and the alternatives", async () => {
  const { code, stdout } = await runCommand(["spf", "ONE.add.test", "--add", "198.51.100.10", "--dns", server.url]);
  expect(code).toBe(0);
  expect(stdout).toContain('before  "v=spf1 ip4:192.0.2.0/24 -all"  (0 lookups)');
  expect(stdout).toContain('after   "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.10 -all"  (0 lookups)');
  expect(stdout).toContain("or      a  (1 lookup)");
});

it("refuses a service that would need an eleventh lookup, also in JSON", async () => {
  const add = ["--add", "google workspace", "--dns", server.url];
  const { code, stdout } = await runCommand(["spf", "nine.add.test", ...add, "--json"]);
  expect(code).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    domain: "nine.add.test",
    source: "Google Workspace",
    code: "tooManyLookups",
    before: { lookups: 9 },
    after: { lookups: 11 },
  });
});

it("says why SPF can't help, with the guide of the service", async () => {
  const { code, stdout } = await runCommand(["spf", "one.add.test", "--add", "mailchimp", "--dns", server.url]);
  expect(code).toBe(2);
  expect(stdout).toContain("SPF can't help: Mailchimp sends with its own return path.");
  expect(stdout).toContain("https://mailchimp.com/help/");
});

it("says unknown when no DNS server answers, and refuses an invalid source", async () => {
  const nobody = await runCommand([
    "spf",
    "one.add.test",
    "--add",
    "192.0.2.1",
    "--dns",
    "http://127.0.0.1:9/dns-query",
  ]);
  expect([nobody.code, nobody.stdout]).toEqual([2, expect.stringContaining("Unknown: DNS gave no answer")]);
  for (const wrong of ["192.0.2.0/33", "nobody.example", "192.0.2"])
    expect((await runCommand(["spf", "one.add.test", "--add", wrong])).stderr, wrong).toContain(
      "not an address, a network or a known service",
    );
});
