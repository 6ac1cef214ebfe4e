/** `dmarc import gmail|graph` against stand-ins of the services and all Workers. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MAX_MAIL_BYTES } from "../../cli/import/mailbox.ts";
import { API_TOKEN } from "../dashboard/harness.ts";
import { type Pipeline, startPipeline } from "../dashboard/pipeline.ts";
import { type MailServices, startMailServices } from "../support/mail-services.ts";
import { sampleMail, sampleReport } from "../support/sample-report.ts";
import { type CommandOutcome, runAgain } from "./run-command.ts";

const NOON = Date.UTC(2026, 0, 1, 12);

let pipeline: Pipeline;
let services: MailServices;
let state: string;

beforeAll(async () => {
  pipeline = await startPipeline();
  await pipeline.ask("/registry/rua@acme.example", "PUT", { account: "acme" });
});

afterAll(() => pipeline?.close());

beforeEach(async () => {
  services = await startMailServices();
  state = await mkdtemp(join(tmpdir(), "dmarc-import-state-"));
});

afterEach(async () => {
  await services.close();
  await rm(state, { recursive: true, force: true });
});

/** A mail a minute, of which one holds no report. */
function fill(prefix: string, count: number, places: string[]): void {
  for (let i = 0; i < count; i++) {
    const content = Buffer.from(sampleReport({ reportId: `${prefix}-${i}` }));
    services.mails.push({
      id: `${prefix}-${i}`,
      bytes: sampleMail([{ name: `${i}.xml`, content }]),
      came: NOON + i * 60_000,
      places: [...places],
    });
  }
  const letter = Buffer.from("From: a@b.example\r\nSubject: Dinner\r\n\r\nAt eight?\r\n");
  services.mails.push({ id: `${prefix}-letter`, bytes: letter, came: NOON, places: [...places] });
}

describe.each([
  ["gmail", ["--label", "DMARC"], ["Label_1"], "Label_2"],
  ["graph", ["--user", "reports@acme.example"], ["inbox"], "AAMk-imported"],
] as const)("%s", (kind, options, places, moved) => {
  const run = (token: string, ...more: string[]): Promise<CommandOutcome> =>
    runAgain(["import", kind, ...options, "--json", ...more], {
      DMARC_URL: pipeline.origin,
      DMARC_TOKEN: API_TOKEN,
      DMARC_GMAIL_URL: services.url,
      DMARC_GRAPH_URL: services.url,
      DMARC_GMAIL_TOKEN: token,
      DMARC_GRAPH_TOKEN: token,
      XDG_STATE_HOME: state,
    });
  const runJson = async (...more: string[]): Promise<Record<string, unknown>> => {
    const { code, stdout, stderr } = await run("good", ...more);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout);
  };

  it("imports existing mail page by page without changing it, and continues after it", async () => {
    fill(`${kind}-all`, 10, [...places]);
    const before = JSON.stringify(services.mails);
    expect(await runJson("--wait")).toMatchObject({ files: 11, taken: 10, noReport: 1, outcomes: { accepted: 10 } });
    expect(JSON.stringify(services.mails)).toBe(before);
    expect(services.requests.filter((request) => request.startsWith("POST"))).toEqual([]);
    fill(`${kind}-later`, 1, [...places]);
    const reads = services.requests.length;
    expect(await runJson()).toMatchObject({ files: 2, taken: 1, noReport: 1 });
    // The mails of the first run are listed, and not read.
    expect(services.requests.slice(reads).some((request) => request.includes(`${kind}-all`))).toBe(false);
    const since = new Date(NOON + 86_400_000).toISOString().slice(0, 10);
    expect(await runJson("--since", since)).toMatchObject({ files: 0 });
  });

  it("reads the mails of another mailbox of the same name from the first one on", async () => {
    fill(`${kind}-first`, 2, [...places]);
    expect(await runJson()).toMatchObject({ taken: 2 });
    services.owner = "old-reports@acme.example";
    services.mails = [];
    fill(`${kind}-second`, 2, [...places]);
    for (const mail of services.mails) mail.came -= 30 * 86_400_000;
    expect(await runJson()).toMatchObject({ taken: 2 });
  });

  it("goes on finding new mail after one that came in the future, as its clock says", async () => {
    fill(`${kind}-clock`, 1, [...places]);
    for (const mail of services.mails) mail.came = Date.now() + 40 * 86_400_000;
    expect(await runJson()).toMatchObject({ files: 2, taken: 1 });
    const content = Buffer.from(sampleReport({ reportId: `${kind}-clock-today` }));
    const bytes = sampleMail([{ name: "today.xml", content }]);
    services.mails.push({ id: `${kind}-clock-today`, bytes, came: Date.now(), places: [...places] });
    expect(await runJson()).toMatchObject({ files: 1, taken: 1 });
    expect(await runJson()).toMatchObject({ files: 0 });
  });

  it("waits as long as the service asks, then continues", async () => {
    fill(`${kind}-slow`, 2, [...places]);
    services.refusals.push({ status: 429, headers: { "retry-after": "1" } });
    services.refusals.push({ status: 503, headers: { "retry-after": new Date(Date.now()).toUTCString() } });
    expect(await runJson()).toMatchObject({ taken: 2 });
  });

  it("asks again where the service fails for a while, and where the connection breaks in the middle of a mail", async () => {
    fill(`${kind}-fails`, 2, [...places]);
    services.refusals.push({
      status: 500,
      headers: { "retry-after": "0" },
      body: { error: { message: "Backend Error" } },
    });
    services.refusals.push({ status: 504, headers: { "retry-after": "0" }, body: "<html>Gateway Timeout</html>" });
    services.breaks = 2;
    expect(await runJson()).toMatchObject({ files: 3, taken: 2 });
  });

  it("passes over a mail that is too large, names it, and does not read it again", async () => {
    fill(`${kind}-large`, 2, [...places]);
    const [first] = services.mails;
    if (first !== undefined) first.bytes = Buffer.alloc(MAX_MAIL_BYTES + 1, "a");
    const { code, stdout, stderr } = await run("good");
    expect({ code, counts: JSON.parse(stdout) }).toMatchObject({ code: 1, counts: { taken: 1, unreadable: 1 } });
    expect(stderr).toContain(`mail ${kind}-large-0: it is larger than`);
    const reads = services.requests.length;
    expect(await runJson()).toMatchObject({ files: 0, unreadable: 0 });
    expect(services.requests.slice(reads).some((request) => request.includes(`${kind}-large`))).toBe(false);
  });

  it.each([403, 404, 500])("a mail that is refused with %s each time does not keep back the others", async (status) => {
    const name = `${kind}-refused-${status}`;
    fill(name, 3, [...places]);
    const [, second] = services.mails;
    const body = { error: { message: "It cannot be had." } };
    if (second !== undefined) second.refusal = { status, body, headers: { "retry-after": "0" } };
    const { code, stdout, stderr } = await run("good");
    // One that is not found was deleted meanwhile.
    const unreadable = status === 404 ? 0 : 1;
    expect({ code, counts: JSON.parse(stdout) }).toMatchObject({ code: unreadable, counts: { taken: 2, unreadable } });
    if (unreadable > 0)
      expect(stderr).toMatch(new RegExp(`mail ${name}-1: .+ status ${status}: It cannot be had\\.\n$`));
    expect(await runJson()).toMatchObject({ files: 0, unreadable: 0 });
  });

  it("a mail that is refused where the last one before it was, too, is named", async () => {
    fill(`${kind}-denied`, 2, [...places]);
    const refusal = { status: 403, body: { error: { message: "It cannot be had." } } };
    const [, second] = services.mails;
    if (second !== undefined) second.refusal = refusal;
    expect(JSON.parse((await run("good")).stdout)).toMatchObject({ taken: 1, unreadable: 1 });
    fill(`${kind}-later`, 1, [...places]);
    for (const mail of services.mails) if (mail.id.startsWith(`${kind}-later`)) mail.refusal = refusal;
    const { stdout, stderr } = await run("good");
    expect(stderr).toContain(`mail ${kind}-later-0: `);
    expect(JSON.parse(stdout)).toMatchObject({ files: 0, unreadable: 2 });
  });

  it.each([429, 503])("a mail for which the service is too busy, with %s, is for the next run", async (status) => {
    fill(`${kind}-busy-${status}`, 3, [...places]);
    const [, second] = services.mails;
    if (second === undefined) throw new Error("No mail.");
    second.refusal = { status, body: { error: { message: "Too many requests." } }, headers: { "retry-after": "0" } };
    const end = `status ${status}: Too many requests. Run the same command again to continue.\n`;
    expect(await run("good")).toMatchObject({ code: 1, stderr: expect.stringContaining(end) });
    delete second.refusal;
    expect(await runJson()).toMatchObject({ taken: 3, unreadable: 0 });
  });

  it("passes over nothing where all mails are refused", async () => {
    fill(`${kind}-forbidden`, 2, [...places]);
    for (const mail of services.mails) mail.refusal = { status: 403, body: { error: { message: "Not allowed." } } };
    expect(await run("good")).toMatchObject({ code: 1, stderr: expect.stringContaining("status 403: Not allowed.") });
    for (const mail of services.mails) delete mail.refusal;
    expect(await runJson()).toMatchObject({ files: 3, taken: 2 });
  });

  it("says so where what answers is not that API", async () => {
    services.refusals.push({ status: 200, body: "<html>Sign in to the network</html>" });
    expect(await run("good")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("answer is not as its documents say"),
    });
  });

  it("says at once that nothing answers, where nothing ever did", async () => {
    await services.close();
    // After having waited in vain it says to run it again.
    expect(await run("good")).toMatchObject({ code: 1, stderr: expect.stringMatching(/can't be reached: .*\d\.\n$/) });
    services = await startMailServices();
  });

  it("says what to do when the token expires, and continues with a new one", async () => {
    fill(`${kind}-expired`, 30, [...places]);
    // In the middle of the second page of mails.
    services.expiresAfter = 36;
    const first = await run("good");
    expect(first).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Put a new one into DMARC_G\w+_TOKEN and run/),
    });
    services.tokens.add("second");
    services.expiresAfter = Number.POSITIVE_INFINITY;
    const second = await run("second", "--wait");
    expect(second.code).toBe(0);
    // The first page of 20 is not read again.
    expect(JSON.parse(second.stdout)).toMatchObject({ files: 11 });
    const rows = await pipeline.rows(`SELECT 1 FROM imports WHERE origin LIKE '%${kind}-expired%'`);
    expect(rows).toHaveLength(30);
  });

  it("moves mails after the ledger has their reports, and leaves other mails alone", async () => {
    fill(`${kind}-move`, 3, [...places]);
    expect(await runJson("--move-to", "Imported")).toMatchObject({ taken: 3, noReport: 1 });
    const at = (place: string): string[] =>
      services.mails.filter((mail) => mail.places.includes(place)).map(({ id }) => id);
    expect(at(moved)).toEqual([0, 1, 2].map((i) => `${kind}-move-${i}`));
    expect(at(places[0])).toEqual([`${kind}-move-letter`]);
    fill(`${kind}-nowhere`, 1, [...places]);
    expect(await run("good", "--move-to", "Nowhere")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("'Nowhere': make it first."),
    });
  });

  it("says when the token is missing", async () => {
    expect(await run("")).toMatchObject({ code: 1, stderr: expect.stringContaining("must contain an access token") });
  });
});

it("graph cannot give some mails as they came: they are passed over and named", async () => {
  fill("encrypted", 3, ["inbox"]);
  const [first] = services.mails;
  const error = { code: "ErrorMimeContentConversionFailed", message: "MIME content conversion failed." };
  if (first !== undefined) first.refusal = { status: 500, body: { error } };
  const outcome = await runAgain(["import", "graph", "--json"], {
    DMARC_URL: pipeline.origin,
    DMARC_TOKEN: API_TOKEN,
    DMARC_GRAPH_URL: services.url,
    DMARC_GRAPH_TOKEN: "good",
    XDG_STATE_HOME: state,
  });
  expect(outcome).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("mail encrypted-0: MIME content conversion failed."),
  });
  expect(JSON.parse(outcome.stdout)).toMatchObject({ taken: 2, unreadable: 1 });
  expect(services.requests.filter((request) => request.includes("encrypted-0"))).toHaveLength(1);
});

it("gmail gives what is in its spam only where it is asked for", async () => {
  fill("spam", 2, ["SPAM"]);
  const counts: unknown[] = [];
  for (const label of ["INBOX", "SPAM"]) {
    const { stdout } = await runAgain(["import", "gmail", "--label", label, "--json"], {
      DMARC_URL: pipeline.origin,
      DMARC_TOKEN: API_TOKEN,
      DMARC_GMAIL_URL: services.url,
      DMARC_GMAIL_TOKEN: "good",
      XDG_STATE_HOME: state,
    });
    counts.push(JSON.parse(stdout).taken);
  }
  expect(counts).toEqual([0, 2]);
});

it("gmail also reports exceeded quotas as 403", async () => {
  fill("quota", 1, ["INBOX"]);
  services.refusals.push({ status: 403, body: { error: { errors: [{ reason: "userRateLimitExceeded" }] } } });
  const { code, stdout } = await runAgain(["import", "gmail", "--json"], {
    DMARC_URL: pipeline.origin,
    DMARC_TOKEN: API_TOKEN,
    DMARC_GMAIL_URL: services.url,
    DMARC_GMAIL_TOKEN: "good",
    XDG_STATE_HOME: state,
  });
  expect({ code, counts: JSON.parse(stdout) }).toMatchObject({ code: 0, counts: { taken: 1 } });
});

it("graph reads and fills folders below others, by their path, of a shared mailbox too", async () => {
  fill("below", 2, ["AAMk-dmarc"]);
  const importFrom = (folder: string): Promise<CommandOutcome> =>
    runAgain(
      ["import", "graph", "--user", "shared@acme.example", "--folder", folder, "--move-to", "Imported/2026", "--json"],
      {
        DMARC_URL: pipeline.origin,
        DMARC_TOKEN: API_TOKEN,
        DMARC_GRAPH_URL: services.url,
        DMARC_GRAPH_TOKEN: "good",
        XDG_STATE_HOME: state,
      },
    );
  const { code, stdout, stderr } = await importFrom("inbox/DMARC");
  expect({ code, stderr, ...JSON.parse(stdout) }).toMatchObject({ code: 0, stderr: "", taken: 2, noReport: 1 });
  expect(services.mails.filter(({ places }) => places.includes("AAMk-2026"))).toHaveLength(2);
  expect(services.requests.every((request) => request.includes("/users/shared%40acme.example/"))).toBe(true);
  expect(await importFrom("inbox/Dmarc/x")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("The mailbox has no folder 'Dmarc'"),
  });
});
