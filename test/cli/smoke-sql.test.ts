/** `npm run smoke:sql`, with the local engine in the account's place. */
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { namedStatements } from "../../shared/analytics/statements.ts";
import { eventRow, failureRow, recordRow, startTestEngine, type TestEngine, tlsRow } from "../support/local-engine.ts";
import { listenLocally } from "../support/ports.ts";
import type { CommandOutcome } from "./run-command.ts";

let engine: TestEngine;

beforeAll(async () => {
  engine = await startTestEngine();
});

afterAll(() => engine.stop());

async function smoke(env: Record<string, string>, url = engine.connection.baseUrl): Promise<CommandOutcome> {
  const child = spawn(process.execPath, ["scripts/smoke-sql.ts", "--url", url], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const code = new Promise<number | null>((done) => child.once("close", done));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

const credentials = () => ({ CLOUDFLARE_ACCOUNT_ID: "local", CLOUDFLARE_API_TOKEN: engine.connection.token });

test("missing credentials are explained in one sentence, with exit code 2", async () => {
  const environments: Record<string, string>[] = [{}, { CLOUDFLARE_ACCOUNT_ID: "a" }, { CLOUDFLARE_API_TOKEN: "t" }];
  for (const env of environments) {
    expect(await smoke(env)).toEqual({
      code: 2,
      stdout: "",
      stderr: "CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN must be set; the token needs Account Analytics, Read.\n",
    });
  }
});

test("a refused token is reported but never printed", async () => {
  const { code, stdout, stderr } = await smoke({ CLOUDFLARE_ACCOUNT_ID: "a", CLOUDFLARE_API_TOKEN: "wrong-secret" });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain("403");
  expect(stderr).not.toContain("wrong-secret");
});

test("a refusal of the service is printed with its statement, with exit code 1", async () => {
  const server = createServer(async (request, response) => {
    const refused = (await text(request)).includes("argMax");
    response.writeHead(refused ? 422 : 200).end(refused ? "unknown function call: argMax" : '{"meta":[],"data":[]}');
  });
  const port = await listenLocally(server);
  onTestFinished(() => void server.close());
  const { code, stdout } = await smoke(credentials(), `http://127.0.0.1:${port}`);
  expect(code).toBe(1);
  expect(stdout).toContain("REFUSED   failing sources: unknown function call: argMax\nSELECT source");
  expect(stdout).toContain("taken     outcomes by day: no row\n");
});

test("an account without data shows nothing; with data every statement is accepted", async () => {
  const names = Object.keys(namedStatements({ writtenInLastDays: 30 }));
  const empty = await smoke(credentials());
  expect(empty.code).toBe(1);
  expect(empty.stdout).toMatch(/^0 taken, 0 refused, \d+ not tried$/m);

  const yesterday = Math.floor(Date.now() / 1000) - 86_400;
  await engine.write("records", [recordRow({ beginSeconds: yesterday, endSeconds: yesterday, passed: 0 })]);
  await engine.write("events", [eventRow({})]);
  await engine.write("tls", [tlsRow({ beginSeconds: yesterday, endSeconds: yesterday })]);
  await engine.write("failures", [failureRow({})]);
  const { code, stdout, stderr } = await smoke(credentials());
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const name of names) expect(stdout).toContain(`taken     ${name}: a row\n`);
  expect(stdout).toContain("taken     messages by domain and day, narrowed: no row\n");
  expect(stdout).toMatch(/^29 taken, 0 refused, 0 not tried$/m);
});
