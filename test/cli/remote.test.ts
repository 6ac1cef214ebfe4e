/**
 * A deployment over HTTP with a token answers each command as the stack of this machine does: the same Workers, asked once
 * through a profile and once through the local stack's state folder.
 */
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { secretPath } from "../../local/secret.ts";
import { type ContractSetup, startContractSetup } from "../dashboard/contract-setup.ts";
import { API_TOKEN } from "../dashboard/harness.ts";
import { allCommands } from "./commands.ts";
import { type CommandOutcome, runAgain } from "./run-command.ts";

let simulation: ContractSetup;
let folder: string;
let local: string[];

beforeAll(async () => {
  simulation = await startContractSetup();
  folder = mkdtempSync(join(tmpdir(), "dmarc-remote-"));
  writeFileSync(secretPath(folder), JSON.stringify({ apiToken: API_TOKEN }), { mode: 0o600 });
  local = ["--http", new URL(simulation.pipeline.origin).port, "--state", folder];
  const token = simulation.askers.find(({ name }) => name === "all operate")?.bearer ?? "";
  const added = await run(["profile", "add", "there", "--url", simulation.pipeline.origin], { DMARC_TOKEN: token });
  expect(added, added.stderr).toMatchObject({ code: 0 });
}, 240_000);

afterAll(async () => {
  await simulation.pipeline.close();
  rmSync(folder, { recursive: true, force: true });
});

function run(args: string[], env: Record<string, string> = {}): Promise<CommandOutcome> {
  return runAgain(args, { XDG_CONFIG_HOME: folder, ...env });
}

/** What the commands need no stack for, reach by another way, or do with files, each over HTTP in a test of its own. */
const WITHOUT_API = [
  "accounts export",
  "accounts import",
  "accounts add-people",
  "import imap",
  "import gmail",
  "import graph",
  "mcp",
  "parse",
  "check",
  "check domain",
  "spf",
  "spf domain",
  "send",
  "profile add",
  "profile list",
  "profile default",
  "profile remove",
  "completion",
];

/** Commands that differ in the operation alone from one that is compared. */
const LIKE_ANOTHER = [
  "dead-letters requeue",
  "dead-letters restore",
  "conflicts accept",
  "conflicts discard",
  "channels test",
  "channels confirm",
  "forward retry",
  "forward remove",
  "reprocess cancel",
  "watch unmute",
  "senders undo",
  "accounts rename",
  "accounts logo",
  "accounts remove-person",
  "reports undo-take-back",
  "domain groups",
  "domain tags",
  "rua refused",
  "conflicts show",
  "dead-letters show",
  "channels remove",
  "tokens revoke",
  "identity remove",
  "rua remove",
];

/** Arguments for each command; THING is another name each time, for what can be done once. */
const ARGUMENTS: Record<string, string[]> = {
  "domain add": ["THING.example"],
  "domain list": ["--csv"],
  "domain check": ["acme.example", "--account", "acme"],
  "domain remove": ["THING.example", "--account", "acme"],
  "domain tag": ["acme.example", "--account", "acme", "--add", "shop"],
  "domain group": ["acme", "north"],
  "mta-sts": ["acme.example", "show", "--account", "acme"],
  "rua add": ["THING@acme.example", "--account", "acme", "--json"],
  "rua set": ["rua@acme.example", "--account", "acme", "--yes"],
  "rua show": ["rua@acme.example"],
  "rua list": ["--json"],
  "rua restore": [],
  "accounts forget": ["nowhere", "--confirm", "nowhere"],
  "accounts list": ["acme", "--json"],
  "accounts create": ["THING"],
  "accounts people": ["acme"],
  "accounts add-person": ["acme", "THING@acme.example"],
  audit: ["--account", "other", "--format", "ndjson"],
  "forward list": [],
  "forward add": ["http", "https://THING.example/reports"],
  "forward test": ["0123456789abcdef"],
  "import files": ["docs/example-report.xml", "--account", "acme", "--dry-run"],
  "identity add": ["THING@acme.example", "--role", "viewer", "--account", "acme"],
  "identity list": [],
  "channels list": ["--account", "acme"],
  "channels add": ["webhook", "https://THING.example/x", "--account", "acme"],
  "channels deliveries": ["--account", "acme"],
  status: ["--json"],
  stats: [],
  verdict: ["acme.example", "--json"],
  "senders list": ["acme.example", "--json"],
  "senders find": ["192.0.2.1"],
  "senders decide": ["acme.example", "192.0.2.1", "mine", "--account", "acme"],
  "watch run": [],
  "watch list": [],
  "watch mute": ["--account", "acme", "--domain", "acme.example"],
  worklist: [],
  query: ["SELECT 1 AS one"],
  export: ["--since", "2020-01-01"],
  compare: ["acme.example"],
  "dead-letters list": [],
  "dead-letters reasons": [],
  "dead-letters discard": ["--all", "--dry-run"],
  "conflicts list": ["--json"],
  "conflicts decide": ["20200101-000000000000000000000000", "keep"],
  "reports list": ["acme.example"],
  "reports take-back": [`acme/acme.example/2026-01-01/${"f".repeat(32)}`, "--reason", "a test"],
  "reprocess status": ["none"],
  reconcile: ["--dry-run"],
  "tokens create": ["THING", "--account", "acme"],
  "tokens list": ["--account", "other"],
};

/** What is another one each time: names of things, ids, secrets, times, and who asks. */
function withoutChance(text: string): string {
  return (
    text
      .replaceAll(/\b(here|there)-thing\b/g, "THING")
      .replaceAll("API token", "WHO")
      .replaceAll("all operate", "WHO")
      // The first round sees what the second does not.
      .replaceAll(/\d had something new/g, "SOME had something new")
      .replaceAll(/dmarc_[\w-]{43}|\b[0-9a-f]{16,64}\b|\b[a-z]+-\d{8}T?[\w-]+|\b\d{14}-[0-9a-f]{8}\b/g, "ID")
      .replaceAll(/[a-z0-9]{10,}(?=@rua\.)/g, "ADDRESS")
      .replaceAll(/"\w*[sS]econds":\d+|\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?Z?)?/g, "TIME")
      .replaceAll(simulation.pipeline.origin, "ORIGIN")
      .replaceAll(/ +/g, " ")
  );
}

const leaves = allCommands().filter(({ command }) => command.commands.length === 0);

it("each command is compared, or needs no stack", () => {
  const known = [...Object.keys(ARGUMENTS), ...LIKE_ANOTHER, ...WITHOUT_API];
  expect(leaves.map(({ words }) => words).filter((words) => !known.includes(words))).toEqual([]);
});

describe("there and here", () => {
  it.each(Object.entries(ARGUMENTS))("dmarc %s is the same", { timeout: 120_000 }, async (words, rest) => {
    const [there, here] = [
      await run([
        "--profile",
        "there",
        ...words.split(" "),
        ...rest.map((word) => word.replace("THING", "there-thing")),
      ]),
      await run([...words.split(" "), ...rest.map((word) => word.replace("THING", "here-thing")), ...local]),
    ];
    expect({ code: there.code, out: withoutChance(there.stdout), err: withoutChance(there.stderr) }).toEqual({
      code: here.code,
      out: withoutChance(here.stdout),
      err: withoutChance(here.stderr),
    });
    expect(there.stderr).not.toMatch(/unknown option|missing required|too many arguments/i);
  });
});

describe("dmarc domain list", () => {
  it("has a line for each domain, in each form, and names an account that is not there", async () => {
    const shown = await run(["domain", "list", "--account", "acme", ...local]);
    expect(shown.stdout).toMatch(/domain.*account.*address.*set-up.*first report.*last report.*policy.*verdict/);
    // The round over the domains may have come here already.
    expect(shown.stdout).toMatch(
      /acme\.example.*acme.*rua@acme\.example.*receiving.*\d{4}-\d\d-\d\d.*(notJudged|silent)/,
    );
    const csv = await run(["domain", "list", "--find", "acme.ex", "--csv", ...local]);
    expect(csv.stdout).toMatch(
      /^domain,account,address,set-up,first report,last report,policy,verdict\r\nacme\.example,acme,/,
    );
    const json = await run(["domain", "list", "--find", "acme.ex", "--json", ...local]);
    expect(JSON.parse(json.stdout)).toMatchObject({ domain: "acme.example", addresses: ["rua@acme.example"] });
    expect(await run(["domain", "list", "--account", "nobody", ...local])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("There is no account 'nobody'"),
    });
    expect((await run(["domain", "list", "--verdict", "ready", ...local])).stdout).toContain("No domain matches.");
    expect((await run(["domain", "list", "--csv", "--json", ...local])).code).toBe(1);
  });
});

describe("profiles", () => {
  const path = () => join(folder, "dmarc", "profiles.json");

  it("are in a file that nobody else can read, and are not used from one that others can", async () => {
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    chmodSync(path(), 0o644);
    const refused = await run(["--profile", "there", "stats"]);
    chmodSync(path(), 0o600);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("chmod 600") });
  });

  it("are listed without tokens; the default is taken where nothing is named; an unknown one is refused", async () => {
    const listed = await run(["profile", "list", "--json"]);
    expect(JSON.parse(listed.stdout)).toEqual([
      { name: "there", url: simulation.pipeline.origin, hasServiceToken: false, isDefault: false },
    ]);
    expect(listed.stdout).not.toContain("dmarc_");
    expect((await run(["profile", "default", "there"])).code).toBe(0);
    expect(await run(["rua", "show", "rua@acme.example", "--json"])).toMatchObject({ code: 0 });
    expect((await run(["profile", "default", "local"])).code).toBe(0);
    expect(await run(["--profile", "nowhere", "stats"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no profile 'nowhere'.*there/),
    });
  });

  it("and tokens are refused where a command talks to no deployment, and over http elsewhere", async () => {
    expect(await run(["--profile", "there", "parse", "x.xml"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no deployment"),
    });
    expect(await run(["--url", "http://dmarc.example.com", "--token", "x", "stats"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("https"),
    });
  });

  it("a token that may only read says so", async () => {
    const token = simulation.askers.find(({ name }) => name === "all read")?.bearer ?? "";
    const to = ["--url", simulation.pipeline.origin, "--token", token];
    expect((await run([...to, "stats"])).code).toBe(0);
    expect(await run(["rua", "add", "x@acme.example", ...to])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("the scope operate"),
    });
  });
});
