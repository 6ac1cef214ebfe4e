import { createServer } from "node:http";
import * as v from "valibot";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CHECK_KINDS } from "../../shared/guidance/check.ts";
import { storedCheck } from "../../shared/guidance/stored-check.ts";
import { zoo } from "../guidance/zones.ts";
import { type DnsServer, startDnsServer, type Zones } from "../support/dns-server.ts";
import { listenLocally } from "../support/ports.ts";
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

it("says once that a server never answers, and does not wait for it at every question", async () => {
  const silent = createServer(() => {});
  const port = await listenLocally(silent);
  const domains = ["example.com", "mail.example.co.uk", "example.net", "example.org"];
  const url = `http://127.0.0.1:${port}/dns-query`;
  const started = performance.now();
  const { code, stdout, stderr } = await runCommand(["check", ...domains, "--dns", url, "--json"]);
  // Each question by itself would take a minute.
  expect(performance.now() - started).toBeLessThan(30_000);
  silent.closeAllConnections();
  silent.close();
  expect(code).toBe(2);
  const lines = stdout.trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line)).map(({ domain, state }) => `${domain} ${state}`)).toEqual(
    domains.map((domain) => `${domain} unknown`),
  );
  expect(stderr.match(/No answer from the DNS server/g)).toHaveLength(1);
  expect(stderr).toContain(`${url}: nothing is known of these domains.`);
}, 60_000);

it("prints the same JSON each time, however fast the answers come", async () => {
  const zones: Zones = {
    "shop.test": ["MX 10 mx1.shop.test", "MX 20 mx2.shop.test", "TXT v=spf1 include:a.test include:b.test mx a -all"],
    "mx1.shop.test": ["A 192.0.2.1"],
    "mx2.shop.test": ["A 192.0.2.2"],
    "a.test": ["TXT v=spf1 mx -all", "MX 10 mx1.shop.test"],
    "b.test": ["TXT v=spf1 a -all", "A 192.0.2.3"],
    "_dmarc.shop.test": [
      "TXT v=DMARC1; p=none; rua=mailto:x@a.test,mailto:x@shop.test,mailto:x@b.test; ruf=mailto:x@b.test",
    ],
    "_smtp._tls.shop.test": ["TXT v=TLSRPTv1; rua=mailto:x@a.test,mailto:x@b.test"],
    "one._domainkey.shop.test": ["CNAME one.gone.test"],
    "_25._tcp.mx1.shop.test": [`TLSA 3 1 1 ${"ab".repeat(32)}`],
  };
  await using plain = await startDnsServer(zones);
  let delays = 0;
  const slow = createServer(async (request, response) => {
    const body: Buffer[] = [];
    for await (const piece of request) body.push(piece);
    // A different order in each run.
    delays = (delays * 137 + 41) % 256;
    await new Promise((resolve) => setTimeout(resolve, delays % 40));
    const answer = await fetch(plain.url, { method: "POST", body: Buffer.concat(body) });
    response.writeHead(200, { "content-type": "application/dns-message" }).end(Buffer.from(await answer.arrayBuffer()));
  });
  const port = await listenLocally(slow);
  const run = async () => {
    const url = `http://127.0.0.1:${port}/dns-query`;
    const command = ["check", "shop.test", "--dns", url, "--json", "--selector", "one", "two", "three"];
    return (await runCommand(command)).stdout;
  };
  const outputs = new Set<string>();
  for (let time = 0; time < 4; time++) outputs.add(await run());
  slow.closeAllConnections();
  slow.close();
  expect(outputs.size).toBe(1);
  const [output = ""] = outputs;
  expect(v.parse(storedCheck, JSON.parse(output)).checks.map(({ kind }) => kind)).toEqual(CHECK_KINDS);
}, 120_000);

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
