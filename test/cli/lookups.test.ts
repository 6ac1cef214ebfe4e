/** What people ask about: which reports came, in whose names an address sends, older figures; and people from a file. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { API_TOKEN } from "../dashboard/harness.ts";
import { type Pipeline, startPipeline } from "../dashboard/pipeline.ts";
import { sampleReport } from "../support/sample-report.ts";
import { TODAY } from "../support/today.ts";
import { type CommandOutcome, runAgain } from "./run-command.ts";

const RUA = "rua@acme.example";
let pipeline: Pipeline;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmarc-lookups-"));
  pipeline = await startPipeline();
  await pipeline.ask(`/registry/${RUA}`, "PUT", { account: "acme", domains: ["acme.example", "desk.example"] });
  await pipeline.ask("/registry/rua@beta.example", "PUT", { account: "beta", domains: ["beta.example"] });
  const records = [
    { sourceIp: "192.0.2.7", count: 1200, pass: true },
    { sourceIp: "203.0.113.3", count: 5, pass: false },
  ];
  await pipeline.deliver(RUA, {
    "one.xml": sampleReport({ reportId: "one", orgName: "Alpha Mail", records, period: periodOf(TODAY - 2) }),
    "two.xml": sampleReport({ reportId: "two", orgName: "Beta Mail", records, period: periodOf(TODAY - 4) }),
  });
  const days = [2, 5, 8, 11, 14, 17, 20];
  const desk = days.map((ago) => [`desk${ago}.xml`, signedByHelpdesk(`desk${ago}`, TODAY - ago)]);
  await pipeline.deliver(RUA, Object.fromEntries(desk));
  const other = sampleReport({ domain: "beta.example", reportId: "three", records, period: periodOf(TODAY - 400) });
  await pipeline.deliver("rua@beta.example", { "three.xml": other });
  await pipeline.settled({ accepted: 10 });
});

afterAll(async () => {
  await pipeline.close();
  await rm(folder, { recursive: true, force: true });
});

function periodOf(day: number): [number, number] {
  return [day * 86_400, day * 86_400 + 86_399];
}

/** A report about desk.example whose failing mail another domain signed. */
function signedByHelpdesk(reportId: string, day: number): string {
  const records = [{ sourceIp: "198.51.100.7", count: 40, pass: false }];
  return sampleReport({ domain: "desk.example", reportId, records, period: periodOf(day) })
    .replaceAll("acme.example", "desk.example")
    .replace(
      "<dkim><domain>desk.example</domain><selector>s</selector><result>fail",
      "<dkim><domain>helpdesk.example</domain><selector>s</selector><result>pass",
    );
}

function isoDay(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}

function run(...args: string[]): Promise<CommandOutcome> {
  return runAgain(args, { DMARC_URL: pipeline.origin, DMARC_TOKEN: API_TOKEN });
}

describe("dmarc reports list", () => {
  it("lists what came about a domain, the newest first, each with the address of its page", async () => {
    const { code, stdout } = await run("reports", "acme.example");
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[0]).toContain(`${isoDay(TODAY - 2)}  Alpha Mail: 1,205 messages, 1,200 pass DMARC`);
    expect(lines[1]).toMatch(new RegExp(`^  /reports/acme/acme\\.example/${isoDay(TODAY - 2)}/[0-9a-f]{32}$`));
    expect(lines[2]).toContain("Beta Mail");
    // The page it names is there.
    expect((await pipeline.page(lines[1]?.trim() ?? "")).status).toBe(200);
  });

  it("narrows to a reporter, a day or an address, and says that there are more", async () => {
    const alpha = await run("reports", "acme.example", "--reporter", "alpha", "--json");
    expect(alpha.stdout.trimEnd().split("\n")).toHaveLength(1);
    expect(JSON.parse(alpha.stdout)).toMatchObject({ reporter: "Alpha Mail", reportId: "one", messages: 1205 });
    const day = isoDay(TODAY - 4);
    const ofDay = await run("reports", "list", "acme.example", "--from", day, "--to", day);
    expect(ofDay.stdout).toContain("Beta Mail");
    expect(ofDay.stdout).not.toContain("Alpha Mail");
    // The figures are those of the address.
    const ofAddress = await run("reports", "acme.example", "--address", "203.0.113.3", "--failing");
    expect(ofAddress.stdout).toContain("Alpha Mail: 5 messages, 0 pass DMARC");
    const first = await run("reports", "acme.example", "--limit", "1");
    expect(first.stdout).toMatch(/Alpha Mail[\s\S]*There are more/);
  });

  it("says where a report may be that is not listed, and which domain is unknown", async () => {
    const { code, stdout } = await run("reports", "acme.example", "--reporter", "gamma");
    expect(code).toBe(0);
    expect(stdout).toContain("No accepted report matches.");
    expect(stdout).toContain("dmarc dead-letters list --domain acme.example");
    expect((await run("reports", "acme.example", "--reporter", "gamma", "--json")).stdout).toBe("");
    expect(await run("reports", "nobody.example")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("'nobody.example' is unknown"),
    });
  });
});

describe("dmarc senders find", () => {
  it("says in whose names an address sends, from the days asked for", async () => {
    const { code, stdout } = await run("senders", "find", "192.0.2.7");
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`acme\\.example.*acme.*2,400.*2,400.*${isoDay(TODAY - 2)}`));
    expect(stdout).toContain("/domains/acme.example/addresses/192.0.2.7");
    expect(stdout).not.toContain("beta.example");
    const json = await run("senders", "find", "203.0.113.3", "--days", "4", "--json");
    expect(JSON.parse(json.stdout)).toEqual({
      address: "203.0.113.3",
      account: "acme",
      domain: "acme.example",
      messages: 5,
      passed: 0,
      lastDay: isoDay(TODAY - 2),
    });
  });

  it("says that no report names an address, and refuses what is none", async () => {
    expect((await run("senders", "find", "2001:DB8::1")).stdout).toBe(
      "No report of the last 30 days names 2001:db8::1.\n",
    );
    const refused = await run("senders", "find", "mail.example'");
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("It must be an IP address.") });
  });
});

describe("dmarc channels without --account", () => {
  it("asks whose a new channel is, lists those of all accounts, and finds whose a channel is", async () => {
    expect(await run("channels", "add", "webhook", "https://hooks.acme.example/x")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("There are several accounts: name one of them with --account: acme, beta."),
    });
    const json = await run("channels", "add", "webhook", "https://hooks.beta.example/x", "--account", "beta", "--json");
    const { id } = JSON.parse(json.stdout);
    expect((await run("channels", "list")).stdout).toMatch(
      new RegExp(`id +│ account +│ kind[\\s\\S]*${id} │ beta +│ webhook`),
    );
    expect((await run("channels", "list", "--account", "acme")).stdout).toContain("No channels");
    expect(await run("channels", "remove", id)).toMatchObject({ code: 0, stdout: `Channel ${id} is removed.\n` });
    expect(await run("channels", "remove", id)).toMatchObject({ code: 1 });
  });
});

it("dmarc domain tag finds the accounts of many domains at once, each under its own", async () => {
  const names = ["acme.example", "beta.example", "Desk.example.", "no such", "e.example", "f.example"];
  const few = await run("domain", "tag", ...names.slice(0, 2), "--add", "shop", "--json");
  expect(few.stdout.match(/"domain":"[a-z.]+"/g)).toEqual(['"domain":"acme.example"', '"domain":"beta.example"']);
  const { code, stdout } = await run("domain", "tag", ...names, "--add", "shop", "--json");
  expect(code).toBe(2);
  const done = stdout
    .trimEnd()
    .split("\n")
    .map((line): { domain: string; problem?: string } => JSON.parse(line));
  expect(done.filter(({ problem }) => problem === undefined).map(({ domain }) => domain)).toEqual([
    "acme.example",
    "desk.example",
    "beta.example",
  ]);
});

it("dmarc senders prints a suggestion as the command that takes it", async () => {
  const { stdout } = await run("senders", "desk.example", "--undecided");
  expect(stdout).toContain("  suggested: dmarc senders decide desk.example helpdesk.example mine\n");
});

it("dmarc verdict of a domain with old reports alone says for which days there are figures", async () => {
  const { stdout } = await run("verdict", "beta.example");
  const day = isoDay(TODAY - 400);
  expect(stdout).toContain(
    `The newest report is for ${day}: dmarc verdict beta.example --from ${isoDay(TODAY - 429)} --to ${day}`,
  );
  const then = await run("verdict", "beta.example", "--from", isoDay(TODAY - 429), "--to", day);
  expect(then.stdout).toContain("1,205 messages");
  expect(then.stdout).not.toContain("The newest report");
});

describe("a command about a domain, without --account", () => {
  it("is about the account that has it: a mute elsewhere would silence nothing", async () => {
    expect((await run("watch", "mute", "--domain", "acme.example")).stdout).toMatch(/^acme: acme\.example, for good/);
    expect((await run("watch", "unmute", "--domain", "acme.example")).stdout).toBe("No longer muted.\n");
    expect((await run("watch", "list", "--mutes")).stdout).toBe("Nothing is muted.\n");
    const tagged = await run("domain", "tag", "acme.example", "beta.example", "--add", "shop");
    expect(tagged).toMatchObject({ code: 0, stdout: "acme.example  shop\nbeta.example  shop\n" });
    expect((await run("domain", "check", "ACME.example", "--json")).stdout).toContain('"account":"acme"');
    expect(await run("mta-sts", "acme.example", "--json")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"account":"acme"'),
    });
  });

  it("asks which one, where several have it, and is about default where nobody has", async () => {
    for (const account of ["acme", "beta"]) {
      const domains = ["twice.example"];
      await pipeline.ask(`/registry/twice@${account}.example`, "PUT", { account, domains });
    }
    expect(await run("domain", "check", "twice.example")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        "Several accounts have twice.example: name one of them with --account: acme, beta.",
      ),
    });
    const named = await run("domain", "check", "twice.example", "--account", "beta", "--json");
    expect(named.stdout).toContain('"account":"beta"');
    expect((await run("domain", "check", "nobody.example")).stderr).toContain("account default has not added");
  });
});

describe("dmarc accounts add-people", () => {
  async function addPeople(text: string, ...options: string[]): Promise<CommandOutcome> {
    const file = join(folder, "people.csv");
    await writeFile(file, text);
    return run("accounts", "add-people", file, ...options);
  }

  async function peopleOf(account: string): Promise<unknown> {
    const { stdout } = await run("accounts", "people", account, "--json");
    return (JSON.parse(stdout) as { email: string; role: string }[]).map(({ email, role }) => `${email} ${role}`);
  }

  it("gives each line its role, and says of each that is wrong why", async () => {
    const text =
      "Account;Role;Address\r\nacme;;ann@acme.example\r\nbeta;administrator;bob@beta.example\r\n\r\n" +
      "nowhere;viewer;cay@nowhere.example\r\nacme;owner;dan@acme.example\r\nacme;viewer;nobody\r\n;;x@acme.example\r\n";
    const dry = await addPeople(text, "--dry-run");
    expect(dry.stdout).toContain("line 2: ann@acme.example would be viewer of acme\n");
    expect(await peopleOf("acme")).toEqual([]);
    const { code, stdout } = await addPeople(text);
    expect(code).toBe(2);
    expect(stdout).toContain("line 2: ann@acme.example is viewer of acme\n");
    expect(stdout).toContain("line 3: bob@beta.example is administrator of beta\n");
    expect(stdout).toMatch(/line 5: .*nowhere/);
    expect(stdout).toContain("line 6: The role is one of ");
    expect(stdout).toContain("line 7: It names no mail address.\n");
    expect(stdout).toContain("line 8: It names no account.\n2 given, 4 with errors.\n");
    expect(await peopleOf("acme")).toEqual(["ann@acme.example viewer"]);
    expect(await peopleOf("beta")).toEqual(["bob@beta.example administrator"]);
  });

  it("may be given a file again, and refuses one that has other columns", async () => {
    const again = await addPeople("account,address\nacme,ann@acme.example\n", "--role", "administrator", "--json");
    expect(JSON.parse(again.stdout)).toEqual([
      { line: 2, account: "acme", address: "ann@acme.example", role: "administrator" },
    ]);
    expect(await peopleOf("acme")).toEqual(["ann@acme.example administrator"]);
    expect(await addPeople("account,name\nacme,Ann\n")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("account, address"),
    });
  });
});
