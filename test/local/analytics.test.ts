/** The local Analytics Engine as a process: what it keeps, whom it answers, and many writers at once. */
import { describe, expect, test } from "vitest";
import { type RunningAnalytics, StateInUseError, startAnalytics } from "../../local/analytics/start.ts";
import { LOCAL_ENGINE_LIMITS } from "../../shared/limits.ts";
import { ask, askRows, TOKEN, testFolder, write } from "./support.ts";

async function withEngine<T>(stateDir: string, use: (engine: RunningAnalytics) => Promise<T>): Promise<T> {
  const engine = await startAnalytics({ stateDir, port: 0, token: TOKEN });
  try {
    return await use(engine);
  } finally {
    await engine.stop();
  }
}

const COUNT = "SELECT count() AS n, sum(double1) AS total FROM points";

describe("acknowledged points", () => {
  test("survive an orderly stop and a restart", async () => {
    const folder = testFolder();
    await withEngine(folder, (engine) => write(engine.url, "points", [{ doubles: [1] }, { doubles: [2] }]));
    await withEngine(folder, async (engine) => {
      expect(await askRows(engine.url, COUNT)).toEqual([{ n: "2", total: 3 }]);
      await write(engine.url, "points", [{ doubles: [4] }]);
      expect(await askRows(engine.url, COUNT)).toEqual([{ n: "3", total: 7 }]);
    });
  });

  test("survive a crash", async () => {
    const folder = testFolder();
    const engine = await startAnalytics({ stateDir: folder, port: 0, token: TOKEN });
    await write(engine.url, "points", [{ doubles: [1] }]);
    engine.kill();
    expect(await engine.exited).toBe("signal SIGKILL");
    await withEngine(folder, async (next) => expect(await askRows(next.url, COUNT)).toEqual([{ n: "1", total: 1 }]));
  });

  test("include those in flight at an orderly stop, or they are not acknowledged", async () => {
    const folder = testFolder();
    const engine = await startAnalytics({ stateDir: folder, port: 0, token: TOKEN });
    const writes = Array.from({ length: 100 }, () =>
      write(engine.url, "points", [{ doubles: [1] }]).then(
        ({ status }) => (status === 200 ? 1 : 0),
        () => 0,
      ),
    );
    await Promise.race(writes);
    await engine.stop();
    const acknowledged = (await Promise.all(writes)).reduce<number>((sum, taken) => sum + taken, 0);
    expect(acknowledged).toBeGreaterThan(0);
    await withEngine(folder, async (next) => {
      const [row] = await askRows(next.url, COUNT);
      expect(Number(row?.n)).toBeGreaterThanOrEqual(acknowledged);
    });
  });
});

describe("a running engine", () => {
  test("makes points of concurrent writers available to queries as soon as it answers", async () => {
    await withEngine(testFolder(), async ({ url }) => {
      const writers = Array.from({ length: 300 }, async (_, place) => {
        const { status } = await write(url, "points", [{ blobs: [`writer ${place}`], doubles: [place] }]);
        if (place % 30 !== 0) return status;
        const rows = await askRows(url, `SELECT double1 FROM points WHERE blob1 = 'writer ${place}'`);
        return rows.length === 1 && rows[0]?.double1 === place ? status : 0;
      });
      expect(new Set(await Promise.all(writers))).toEqual(new Set([200]));
      expect(await askRows(url, COUNT)).toEqual([{ n: "300", total: (299 * 300) / 2 }]);
    });
  });

  test("runs some statements, queues some, and tells the rest when to come back", async () => {
    await withEngine(testFolder(), async ({ url }) => {
      await write(url, "points", [{ doubles: [1] }]);
      const { maxRunning, maxWaiting, retryAfterSeconds } = LOCAL_ENGINE_LIMITS;
      const replies = await Promise.all(Array.from({ length: 200 }, () => ask(url, COUNT)));
      const refused = replies.filter(({ status }) => status === 503);
      expect(replies.filter(({ status }) => status === 200).length).toBe(200 - refused.length);
      expect(200 - refused.length).toBeGreaterThanOrEqual(maxRunning + maxWaiting);
      expect(refused.length).toBeGreaterThan(0);
      expect(refused.every(({ retryAfter }) => retryAfter === String(retryAfterSeconds))).toBe(true);
      expect(await askRows(url, COUNT)).toEqual([{ n: "1", total: 1 }]);
    });
  });

  test("creates each dataset at its first write", async () => {
    await withEngine(testFolder(), async ({ url }) => {
      expect(await askRows(url, "SHOW TABLES")).toEqual([]);
      expect((await ask(url, COUNT)).text).toBe("unknown table: points");
      await Promise.all([write(url, "points", [{ doubles: [1] }]), write(url, "others", [{ doubles: [2] }])]);
      expect(await askRows(url, "SHOW TABLES")).toEqual([{ dataset: "others" }, { dataset: "points" }]);
      expect(await askRows(url, "SELECT dataset, double1 FROM others")).toEqual([{ dataset: "others", double1: 2 }]);
    });
  });

  test("returns any text unchanged", async () => {
    const blobs = ["", "a'b\"c`d", "tab\tline\nnul\u0000", "\\N \\t {x}", "日本語 😀", "'; DROP TABLE points; --"];
    await withEngine(testFolder(), async ({ url }) => {
      await write(url, "points", [{ index: "ü", blobs, doubles: [0.1, -1e300, 2 ** 53] }]);
      const [row = {}] = await askRows(url, "SELECT * FROM points");
      expect(blobs.map((_, place) => row[`blob${place + 1}`])).toEqual(blobs);
      expect([row.index1, row.double1, row.double2, row.double3, row.double4]).toEqual(["ü", 0.1, -1e300, 2 ** 53, 0]);
    });
  });

  test("refuses requests without the token and wrong bodies", async () => {
    await withEngine(testFolder(), async ({ url }) => {
      for (const token of ["", "wrong", `${TOKEN}x`]) {
        const reply = await ask(url, "SELECT 1", token);
        expect(reply.status).toBe(403);
        expect(JSON.parse(reply.text)).toMatchObject({ success: false, errors: [{ code: 10000 }] });
      }
      expect((await write(url, "points; DROP TABLE x", [{}])).status).toBe(400);
      expect((await write(url, "system.users", [{}])).status).toBe(400);
      const broken = await fetch(`${url}/local/points`, {
        method: "POST",
        headers: { authorization: `Bearer ${TOKEN}` },
        body: "{",
      });
      expect(broken.status).toBe(400);
      expect((await fetch(`${url}/elsewhere`, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(404);
    });
  });

  test("refuses to start twice on the same folder", async () => {
    const folder = testFolder();
    await withEngine(folder, async () => {
      const second = startAnalytics({ stateDir: folder, port: 0, token: TOKEN });
      await expect(second).rejects.toThrow(StateInUseError);
      await expect(second).rejects.toThrow(`The state folder ${folder} is in use`);
    });
  });
});
