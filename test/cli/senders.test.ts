/** `dmarc senders` and the form of the page against all Workers: list, decide, undo, accept by one press. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Outputs } from "../../shared/contract/operations.ts";
import { API_TOKEN } from "../dashboard/harness.ts";
import { type Pipeline, startPipeline } from "../dashboard/pipeline.ts";
import { sampleReport } from "../support/sample-report.ts";
import { TODAY } from "../support/today.ts";
import { type CommandOutcome, runAgain } from "./run-command.ts";

type Sender = Outputs["senders"]["items"][number];

/** A broken signature of the domain itself would be a sign of forwarding. */
const BROKEN_SIGNATURE = /<dkim><domain>[^\n]*<result>fail<\/result><\/dkim>/g;
const UNAUTHENTICATED = "<spf><domain>acme.example</domain><result>softfail</result></spf>";
const RUA = "rua@acme.example";
let pipeline: Pipeline;

beforeAll(async () => {
  pipeline = await startPipeline();
  await pipeline.ask(`/registry/${RUA}`, "PUT", { account: "acme", domains: ["acme.example"] });
  const records = [
    { sourceIp: "192.0.2.1", count: 100, pass: true },
    { sourceIp: "203.0.113.3", count: 5, pass: false },
    { sourceIp: "203.0.113.4", count: 4, pass: false },
  ];
  const begin = (TODAY - 2) * 86_400;
  const report = sampleReport({ reportId: "one", records, period: [begin, begin + 86_399] });
  await pipeline.deliver(RUA, { "one.xml": report.replaceAll(BROKEN_SIGNATURE, UNAUTHENTICATED) });
  await pipeline.settled({ accepted: 1 });
});

afterAll(() => pipeline.close());

function run(...args: string[]): Promise<CommandOutcome> {
  return runAgain(["senders", ...args], { DMARC_URL: pipeline.origin, DMARC_TOKEN: API_TOKEN });
}

async function undecided(): Promise<string[]> {
  const { code, stdout, stderr } = await run("acme.example", "--undecided", "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as Sender).source);
}

it("lists senders, decides about an address or prefix, and undoes decisions", async () => {
  expect(await undecided()).toEqual(["203.0.113.3", "203.0.113.4"]);
  const { stdout } = await run("acme.example");
  expect(stdout).toContain("203.0.113.3: undecided");
  expect(stdout).toContain("acme.example: own");
  const decided = await run("decide", "ACME.example", "203.0.113.77/24", "not-mine", "--note", "never ours");
  expect(decided).toMatchObject({ code: 0, stdout: "203.0.113.0/24: not-mine for acme.example\n" });
  expect(await undecided()).toEqual([]);
  expect((await run("acme.example")).stdout).toContain("decided: 203.0.113.0/24 is not-mine");
  expect((await run("acme.example", "--undecided")).stdout).toBe("No sender waits for a decision.\n");
  const json = await run("undo", "acme.example", "203.0.113.0/24", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({ account: "acme", source: "203.0.113.0/24", decision: "undecided" });
  expect(await undecided()).toHaveLength(2);
});

it("refuses an invalid sender, an invalid decision and an unknown domain", async () => {
  expect(await run("decide", "acme.example", "10.0.0.0/8", "mine")).toMatchObject({ code: 1, stdout: "" });
  expect((await run("decide", "acme.example", "10.0.0.0/8", "mine")).stderr).toContain("16 to 32 bits");
  expect((await run("decide", "acme.example", "203.0.113.3", "yes")).stderr).toContain("mine, not-mine, forwarder");
  expect((await run("decide", "nobody.example", "203.0.113.3", "mine")).stderr).toContain("--account");
  expect((await run("undo", "acme.example", "never.example")).stderr).toContain("There is no decision");
});

it("the page's form decides about several senders at once, accepts suggestions, and undoes with one click", async () => {
  const press = async (fields: [string, string][], account = "acme"): Promise<number> => {
    const answer = await fetch(`${pipeline.origin}/domains/acme.example/senders`, {
      method: "POST",
      redirect: "manual",
      headers: { authorization: `Bearer ${API_TOKEN}`, origin: pipeline.origin, "sec-fetch-site": "same-origin" },
      body: new URLSearchParams([["account", account], ...fields]),
    });
    return answer.status;
  };
  const both: [string, string][] = ["203.0.113.3", "203.0.113.4"].map((name) => ["subject", name]);
  expect(await press([...both, ["decision", "forwarder"]])).toBe(303);
  expect(await undecided()).toEqual([]);
  expect(await press([["undo", "203.0.113.3"]])).toBe(303);
  expect(await undecided()).toEqual(["203.0.113.3"]);
  expect(await press([["accept", "notMine 203.0.113.3"]])).toBe(303);
  expect(await undecided()).toEqual([]);
  expect(await press([["decision", "mine"]])).toBe(422);
  expect(await press([["accept", "yes 203.0.113.3"]])).toBe(422);
  const many = Array.from({ length: 101 }, (_, i): [string, string] => ["subject", `s${i}.example`]);
  expect(await press([...many, ["decision", "mine"]])).toBe(422);
  expect(await press([...both, ["decision", "mine"]], "other")).toBe(404);
});
