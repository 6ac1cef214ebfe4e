import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  AnalyticsUnavailableError,
  parseAnswer,
  postSql,
  querySql,
  type SqlConnection,
} from "../../shared/analytics/sql.ts";
import { eventRow, recordRow, startTestEngine, type TestEngine } from "../support/local-engine.ts";
import { listenLocally } from "../support/ports.ts";

let engine: TestEngine;
/** Answers as a broken engine would: status and body come from the statement. */
let faulty: Server;
let faultyConnection: SqlConnection;

beforeAll(async () => {
  engine = await startTestEngine();
  faulty = createServer((request, response) => {
    const status = Number(request.url?.split("/").at(-3));
    response.writeHead(status).end(status === 200 ? "<html>not the engine</html>" : "the reason");
  });
  const port = await listenLocally(faulty);
  faultyConnection = { baseUrl: `http://127.0.0.1:${port}`, accountId: "200", token: "t" };
});

afterAll(async () => {
  await engine.stop();
  await new Promise((resolve) => faulty.close(resolve));
});

describe("querySql", () => {
  it("distinguishes an empty dataset from a wrong statement", async () => {
    const missing = await querySql(engine.connection, "SELECT count() AS n FROM dmarc_records", fetch);
    expect(missing).toMatchObject({ ok: false, error: { code: "no_data" } });
    await engine.write("records", [recordRow({ count: 3 })]);
    const wrong = await querySql(engine.connection, "SELECT nonsense( FROM dmarc_records", fetch);
    expect(wrong).toMatchObject({
      ok: false,
      error: { code: "invalid_statement", message: expect.stringMatching(/./) },
    });
  });

  it("asks for the datasets by the names that the deployment gave them", async () => {
    const sent: unknown[] = [];
    const connection = { ...engine.connection, datasetPrefix: "staging" };
    const sql = "SELECT blob1 FROM dmarc_records, 'dmarc_tls', old_dmarc_events, dmarc_events_2 WHERE index1 = 'dmarc'";
    for (const one of [connection, engine.connection]) {
      await postSql(one, sql, async (_, { body }) => {
        sent.push(body);
        return new Response("{}");
      });
    }
    expect(sent).toEqual([
      "SELECT blob1 FROM staging_records, 'staging_tls', old_dmarc_events, dmarc_events_2 WHERE index1 = 'dmarc'",
      sql,
    ]);
  });

  it("treats an untyped column as missing data only if the dataset has that column", async () => {
    const refusals: [string, string][] = [
      ["unknown table: dmarc_records", "no_data"],
      ["unable to find type of column: blob20", "no_data"],
      ["unable to find type of column: `double7`", "no_data"],
      ["unable to find type of column: blob21", "invalid_statement"],
      ["unable to find type of column: double0", "invalid_statement"],
      ["unable to find type of column: weight", "invalid_statement"],
      ["unable to find type of column: timestamp", "invalid_statement"],
      ["unable to find type of column: count()", "invalid_statement"],
      ["COUNT() function must have 0 arguments", "invalid_statement"],
    ];
    for (const [message, code] of refusals) {
      const refuse = async (): Promise<Response> => new Response(message, { status: 422 });
      expect(await postSql(engine.connection, "SELECT 1", refuse)).toEqual({ ok: false, error: { code, message } });
    }
    // The real engine: a column that no point has, and a name that is none.
    await engine.write("events", [eventRow({})]);
    const asked = async (column: string) =>
      querySql(engine.connection, `SELECT ${column} AS x FROM dmarc_events`, fetch);
    expect(await asked("blob20")).toMatchObject({ ok: false, error: { code: "no_data" } });
    expect(await asked("reporter")).toMatchObject({ ok: false, error: { code: "invalid_statement" } });
    expect(await asked("blob11")).toMatchObject({ ok: true });
  });

  it("converts the engine's numbers and leaves text unchanged", async () => {
    await engine.write("records", [recordRow({ reportId: "007", count: 3 })]);
    const answer = await querySql(
      engine.connection,
      "SELECT blob5 AS reportId, double4 AS messages, count() AS n FROM dmarc_records WHERE blob5 = '007' GROUP BY reportId, messages",
      fetch,
    );
    expect(answer).toMatchObject({ ok: true, value: { rows: [{ reportId: "007", messages: 3, n: 1 }] } });
  });

  it.each([403, 429, 500, 503])("throws on status %i, with the status and the engine's text", async (status) => {
    const connection = { ...faultyConnection, accountId: String(status) };
    const asked = querySql(connection, "SELECT 1", fetch);
    await expect(asked).rejects.toThrow(AnalyticsUnavailableError);
    await expect(querySql(connection, "SELECT 1", fetch)).rejects.toMatchObject({
      status,
      message: expect.stringContaining("the reason"),
    });
  });

  it("throws when the engine is unreachable or its answer is invalid", async () => {
    const nowhere = { ...faultyConnection, baseUrl: "http://127.0.0.1:1" };
    await expect(querySql(nowhere, "SELECT 1", fetch)).rejects.toMatchObject({ status: 0 });
    await expect(querySql(faultyConnection, "SELECT 1", fetch)).rejects.toMatchObject({ status: 502 });
  });

  it("escapes the account id in the path", async () => {
    const seen: string[] = [];
    const connection = { baseUrl: "https://engine.example", accountId: "../../x?y", token: "t" };
    await postSql(connection, "SELECT 1", async (url) => {
      seen.push(url);
      return new Response("{}");
    });
    expect(seen).toEqual(["https://engine.example/accounts/..%2F..%2Fx%3Fy/analytics_engine/sql"]);
  });
});

describe("parseAnswer", () => {
  it("reads UInt64 sent as text", () => {
    const text = JSON.stringify({
      meta: [
        { name: "n", type: "UInt64" },
        { name: "id", type: "String" },
        { name: "none", type: "Nullable(Float64)" },
      ],
      data: [{ n: "12345678901", id: "12", none: null }],
      rows: 1,
    });
    expect(parseAnswer(text)?.rows).toEqual([{ n: 12_345_678_901, id: "12", none: null }]);
  });

  it.each(["", "plain", "[]", "null", '{"data":[]}', '{"meta":{},"data":[]}'])("refuses %j", (text) => {
    expect(parseAnswer(text)).toBeUndefined();
  });
});
