/** The commands `rua` and `domain` against all Workers: what is registered takes mail, what is not is rejected. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { API_TOKEN } from "../dashboard/harness.ts";
import { type Pipeline, startPipeline } from "../dashboard/pipeline.ts";
import { sampleReport } from "../support/sample-report.ts";
import { type CommandOutcome, runAgain } from "./run-command.ts";

let pipeline: Pipeline;
let folder: string;

beforeAll(async () => {
  pipeline = await startPipeline();
  folder = await mkdtemp(join(tmpdir(), "dmarc-registry-"));
});
afterAll(async () => {
  await pipeline.close();
  await rm(folder, { recursive: true, force: true });
});

function run(...args: string[]): Promise<CommandOutcome> {
  return runAgain(args, { DMARC_URL: pipeline.origin, DMARC_TOKEN: API_TOKEN });
}

function lines({ stdout }: CommandOutcome): Record<string, unknown>[] {
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

it("rua add refuses a registered address, rua set changes it", async () => {
  const rua = "dmarc@acme.example";
  expect((await run("rua", "add", rua, "--account", "acme", "--domain", "acme.example")).code).toBe(0);
  const again = await run("rua", "add", rua, "--account", "other");
  expect(again.code).toBe(1);
  expect(again.stderr).toContain("dmarc@acme.example is registered already; nothing was changed.");
  expect((await run("rua", "show", rua)).stdout).toMatch(/account +acme\ndomains +acme\.example/);
  const asked = await run("rua", "set", rua, "--domain", "acme.example", "acme.test");
  expect(asked).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("domains acme.example -> acme.example acme.test"),
  });
  const set = await run("rua", "set", rua, "--domain", "acme.example", "acme.test", "--yes");
  expect(set).toMatchObject({ code: 0, stdout: expect.stringMatching(/domains +acme\.example acme\.test/) });
  // What an address names is on the list of domains, before any report.
  const page = await pipeline.ask("/registry");
  expect(page).toMatchObject({ items: [{ rua, entry: { domains: ["acme.example", "acme.test"] } }] });
});

it("domain add --file adds a list with one result per line, and the new addresses accept mail", async () => {
  const file = join(folder, "domains.txt");
  const list = "; of a zone file\r\nshop.example\r\n# a comment\rno name\n\nhttps://www.second.example/  # with one\n";
  await writeFile(file, `\ufeff${list}`);
  const added = await run("domain", "add", "--file", file, "--account", "acme", "--json");
  expect(added.code).toBe(2);
  const [shop, none, second] = lines(added);
  expect(shop).toMatchObject({ typed: "shop.example", domain: "shop.example", isNew: true });
  expect(none).toMatchObject({ typed: "no name", problem: expect.stringContaining("not a domain name") });
  expect(second).toMatchObject({ domain: "second.example", rua: expect.stringMatching(/@rua\.example\.com$/) });
  const again = await run("domain", "add", "--file", file, "--account", "acme");
  expect(again.stdout).toContain(`shop.example  ${shop?.rua}  was added before`);
  expect(again.stdout).toContain("0 added, 2 already there, 1 with errors.");
  // As a spreadsheet saves it, with quotation marks, each of them twice.
  await writeFile(file, Buffer.from('\ufeff"shop.example";\r\nSHOP.example.;second.example\r\n', "utf16le"));
  const spread = await run("domain", "add", "--file", file, "--account", "acme", "--json");
  expect(lines(spread).map(({ domain, isNew }) => [domain, isNew])).toEqual([
    ["shop.example", false],
    ["shop.example", false],
    ["second.example", false],
  ]);
  await pipeline.deliver(String(shop?.rua), {
    "first.xml": sampleReport({ reportId: "first", domain: "shop.example" }),
  });
  await pipeline.settled({ accepted: 1 });
  expect((await run("domain", "check", "shop.example", "--account", "acme")).stdout).toContain("state    receiving");
});

it("domain add accepts an existing address, and domain remove keeps it for other domains", async () => {
  const own = ["--rua", "reports@own.example", "--account", "acme"];
  expect((await run("domain", "add", "one.example", ...own)).stdout).toContain("reports@own.example (new)");
  expect((await run("domain", "add", "two.example", ...own)).code).toBe(0);
  const foreign = await run("domain", "add", "three.example", "--rua", "reports@own.example", "--account", "other");
  expect(foreign).toMatchObject({ code: 1, stderr: expect.stringContaining("registered for another account") });
  // The same address again changes nothing; another one is refused, alone and in a list, with the way to change it.
  expect((await run("domain", "add", "one.example", ...own)).code).toBe(0);
  const other = ["--rua", "new@own.example", "--account", "acme"];
  const refused = await run("domain", "add", "one.example", ...other);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(
    "one.example of the account acme has the address reports@own.example already; nothing was changed.",
  );
  expect(refused.stderr).toContain("remove the domain first and add it again");
  const file = join(folder, "moved.txt");
  await writeFile(file, "fresh.example\none.example\n");
  const inList = await run("domain", "add", "--file", file, ...other);
  expect(inList).toMatchObject({ code: 2, stdout: expect.stringContaining("fresh.example  new@own.example  added") });
  expect(inList.stderr).toContain("one.example of the account acme has the address reports@own.example already");
  const first = await run("domain", "remove", "one.example", "--account", "acme");
  expect(first.stdout).toContain("reports@own.example stays, for other domains");
  const last = await run("domain", "remove", "two.example", "--account", "acme");
  expect(last.stdout).toContain("reports@own.example is no longer registered");
});

it("domain add without --account refuses a domain of another account, alone and in a list", async () => {
  expect((await run("domain", "add", "owned.example", "--account", "acme")).code).toBe(0);
  const refused = await run("domain", "add", "OWNED.example");
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toContain(
    "OWNED.example is a domain of the account acme; nothing was changed. Say whose it is: --account acme, or " +
      "--account default for an address there, too.",
  );
  const file = join(folder, "owned.txt");
  await writeFile(file, "owned.example\nunowned.example\n");
  const inList = await run("domain", "add", "--file", file);
  expect(inList).toMatchObject({
    code: 2,
    stdout: expect.stringContaining("1 added, 0 already there, 1 with errors."),
  });
  expect(inList.stderr).toContain("owned.example is a domain of the account acme; nothing was changed.");
  const page = await pipeline.ask("/domains?text=owned.example");
  expect(page).toMatchObject({
    items: [
      { domain: "owned.example", accounts: ["acme"] },
      { domain: "unowned.example", accounts: ["default"] },
    ],
  });
  // The others find the account that has it.
  expect((await run("domain", "check", "Owned.example")).stdout).toMatch(/^owned\.example\n {2}address {2}/);
  expect((await run("domain", "add", "owned.example", "--account", "other")).stdout).toContain("(new)");
  for (const action of ["check", "remove"]) {
    expect((await run("domain", action, "owned.example")).stderr).toContain(
      "Several accounts have owned.example: name one of them with --account: acme, other.",
    );
  }
  expect((await run("domain", "remove", "owned.example", "--account", "other")).code).toBe(0);
  expect((await run("domain", "add", "owned.example", "--account", "default")).stdout).toContain("(new)");
  // It is one of that account, too.
  expect((await run("domain", "add", "owned.example")).code).toBe(0);
});

it("accounts logo sets, saves and removes the logo, and says which of them it wants", async () => {
  await run("accounts", "create", "pictured");
  const picture = join(folder, "logo.png");
  await writeFile(picture, Buffer.from("iVBORw0KGgo=", "base64"));
  const logo = (...rest: string[]) => run("accounts", "logo", "pictured", ...rest);
  expect((await logo()).stderr).toContain("Name a picture to set, or --output FILE");
  expect((await logo(picture, "--remove")).code).toBe(1);
  expect((await logo("--output", join(folder, "none.png"))).stderr).toContain("has no logo");
  expect((await logo(picture)).code).toBe(0);
  const saved = join(folder, "saved.png");
  expect((await logo("--output", saved)).stdout).toContain("image/png, 8 bytes");
  expect(await readFile(saved)).toEqual(await readFile(picture));
  expect((await logo("--remove")).stdout).toContain("no longer has a logo");
  expect((await logo("--output", saved)).code).toBe(1);
  expect((await run("accounts", "logo", "nowhere", "--remove")).stderr).toContain("There is no account 'nowhere'");
});

it("a job that forgets an account is not said to be about all reports", async () => {
  await run("accounts", "create", "forgotten");
  const [job] = lines(await run("accounts", "forget", "forgotten", "--confirm", "forgotten", "--json"));
  const scope = async () => /^scope +(.*)$/m.exec((await run("reprocess", "status", String(job?.id))).stdout)?.[1];
  expect(await scope()).toBe("account forgotten");
  // As it is kept when it has ended, which takes 20 minutes.
  const ended = "json_set(json_remove(job, '$.filter.account'), '$.graceSeconds', 0)";
  await pipeline.rows(`UPDATE jobs SET state = 'done', job = ${ended} WHERE kind = 'forget'`);
  expect(await scope()).toBe("an account");
  expect((await pipeline.page("/operations/jobs")).text).toContain(">an account<");
});

it("identity add refuses an account that does not exist, and names those that do", async () => {
  await run("rua", "add", "known@acme.example", "--account", "known");
  const add = ["identity", "add", "ann@acme.example", "--role", "administrator", "--account"];
  const refused = await run(...add, "known", "knwon");
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("There is no account 'knwon'; there are") });
  expect((await run(...add, "known", "--also-views", "beta")).stderr).toContain("There is no account 'beta'");
  expect((await run("identity", "list")).stdout).toContain("Nobody has access");
  expect((await run(...add, "known")).code).toBe(0);
});

it("audit refuses an operation that does not exist, and lists those that do", async () => {
  const refused = await run("audit", "--operation", "decideSendr");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("decideSender");
  expect(refused.stderr).not.toContain("listAudit");
  expect((await run("audit", "--operation", "addDomain")).code).toBe(0);
});

it("lists that end at a limit say so, on pages, too", async () => {
  const day = Math.floor(Date.now() / 86_400_000);
  const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ";
  await pipeline.rows(`${numbers} 501) INSERT INTO refused_mail (day, rua, mails, last_seconds, last_sender)
    SELECT ${day}, i || '@refused.example', 1, ${day * 86_400}, '' FROM n`);
  expect((await run("rua", "refused")).stderr).toBe(
    "Only 500 are listed, and there may be more: those with the most mail.\n",
  );
  expect((await pipeline.page("/operations")).text).toContain("Only 500 rows are shown, and there may be more");
  await pipeline.rows(`${numbers} 20001) INSERT INTO dead_letters (id, day, account, rua, domain, code, filed_seconds,
      part, raw_key, generation, received_seconds, attempts, letter)
    SELECT '20260101-' || i, 20454, '', '', '', 'not_a_report', 1767225600, '', '', 1, 1767225600, 0,
      '{"message":"","stage":"read","queueMessage":{}}' FROM n`);
  const letters = await pipeline.page("/operations/dead-letters");
  expect(letters.text).toContain("CSV and JSON have the first 20,000 rows.");
  expect((await run("rua", "add", "limits@acme.example")).code).toBe(0);
  const cut = await run("audit", "--limit", "1");
  expect(cut).toMatchObject({
    code: 0,
    stderr: "Only the newest 1 are listed, and there may be more: --limit 0 lists all.\n",
  });
  expect(await run("audit", "--limit", "0", "--operation", "decideSender")).toEqual({
    code: 0,
    stdout: "No change matches.\n",
    stderr: "",
  });
});

it("watch list has all notices of a domain, however many came since", async () => {
  await pipeline.rows(`WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)
    INSERT INTO notices (id, incident, account, domain, rule, subject, severity, step, title, evidence, cause, link,
      created_seconds, urgency)
    SELECT 'n' || i, '', '', iif(i = 0, 'old.example', 'new.example'), 'newSender', '', 'info', 'opened', 'A title', '[]',
      '', '', 1767225600 + i, 'digest' FROM n`);
  expect(lines(await run("watch", "list", "--notices", "--domain", "old.example", "--json"))).toHaveLength(1);
});
