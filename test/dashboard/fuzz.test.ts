/**
 * Requests made of the OpenAPI document, right and hostile ones, to all Workers: no answer is a failure of ours, and each
 * comes in time. A few seconds of the normal test run; more and other ones as of any property (support/properties.ts).
 */

import { afterAll, beforeAll, expect, it } from "vitest";
import { buildOpenApi } from "../../scripts/openapi.ts";
import { withoutReferences } from "../support/openapi-references.ts";
import fc from "../support/properties.ts";
import { type FuzzedRequest, type KnownValues, requestsFor } from "../support/schema-values.ts";
import { type ContractSetup, startContractSetup } from "./contract-setup.ts";
import { API_TOKEN } from "./harness.ts";

/** An operation. */
const REQUESTS = 5 * fc.TIMES;
/** Longer than DNS and the engine are waited for. */
const ANSWER_MS = 30_000;
const AT_ONCE = 6;

let simulation: ContractSetup;

beforeAll(async () => {
  simulation = await startContractSetup();
}, 240_000);

afterAll(() => simulation.pipeline.close());

const operations = Object.entries(withoutReferences(buildOpenApi()).paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: operation.operationId, method, path, operation })),
);

function known({ report, deadLetterId }: ContractSetup): KnownValues {
  return {
    account: ["acme", "other", ""],
    domain: ["acme.example", "ACME.example", "-", "bücher.example"],
    day: [report.day],
    uid: [report.uid],
    id: [deadLetterId, "0123456789abcdef"],
    rua: ["rua@acme.example", "new@acme.example"],
    source: ["192.0.2.1", "192.0.2.0/24", "service.example"],
    from: [report.day, "2026-01-01"],
    to: [report.day, "2026-12-31"],
    sql: ["SELECT count() AS n FROM dmarc_records", "SELECT 1"],
  };
}

/** What is wrong with an answer; undefined = nothing. */
async function faultOf({ method, path, body }: FuzzedRequest): Promise<string | undefined> {
  const request = `${method} ${path} ${body ?? ""}`;
  try {
    const answer = await fetch(simulation.pipeline.origin + path, {
      method,
      headers: { authorization: `Bearer ${API_TOKEN}` },
      signal: AbortSignal.timeout(ANSWER_MS),
      ...(body !== undefined && { body }),
    });
    const text = await answer.text();
    // The platform's faults and ours; without a resolver, DNS has no answer.
    const isFault = answer.status >= 500 && !text.includes('"dns_unavailable"');
    return isFault ? `${request}\n→ ${answer.status} ${text.slice(0, 500)}` : undefined;
  } catch (error) {
    return `${request}\n→ ${error}`;
  }
}

it.each(operations)("$name answers any request", { timeout: 600_000 }, async (operation) => {
  const requests = fc.sample(requestsFor(operation, known(simulation)), REQUESTS);
  const faults: string[] = [];
  for (let i = 0; i < requests.length; i += AT_ONCE) {
    const found = await Promise.all(requests.slice(i, i + AT_ONCE).map(faultOf));
    faults.push(...found.filter((fault) => fault !== undefined));
  }
  expect(faults).toEqual([]);
});
