import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deploy, survey } from "../../deploy/run.ts";
import { startDeployment, type TestDeployment } from "./deployment.ts";

describe("a deployment, from nothing", () => {
  let test1: TestDeployment;
  beforeAll(async () => {
    test1 = await startDeployment();
  });
  afterAll(() => test1.close());

  test("makes everything, and the ledger has the test report", { timeout: 300_000 }, async () => {
    const said: string[] = [];
    const done = await deploy(test1.begin(), (line) => said.push(line));
    console.log(said.join("\n"), test1.cloudflare.asked.join("\n"));
    expect(done).toMatchObject({ ok: true });
  });
});
