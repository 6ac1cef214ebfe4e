/** Accounts, their people, names and logos, viewing as an account, imports and the audit log, on the real Workers. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { OPERATION_NAMES, OPERATIONS, type OperationName, type Outputs } from "../../shared/contract/operations.ts";
import { importChunks, readImportFile } from "../../shared/import-lines.ts";
import { ACCOUNT_LIMITS, AUDIT_LIMITS } from "../../shared/limits.ts";
import { authorityOf } from "../../shared/people.ts";
import { INPUTS } from "../contract/inputs.ts";
import { type Pipeline, startPipeline } from "./pipeline.ts";

/** Who comes through Access; what they may do is another thing in each part. */
const PERSON = "person@acme.example";
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
);

/** Operations of process that can be asked with JSON; a file's bytes are none. */
const BY_RPC = OPERATION_NAMES.filter((name) => OPERATIONS[name].answeredBy === "process" && name !== "importFile");
/** What pages do by themselves; and schedules, which take long. */
const UNWRITTEN: readonly OperationName[] = ["nameAddresses", "noteSeen", "runSchedule", "runWatch"];

/** What somebody who came through Access is answered. */
function browser(pipeline: Pipeline) {
  const { origin } = pipeline;
  const headers = { accept: "text/html", origin };
  return {
    get: (path: string, cookie = "") => fetch(origin + path, { headers: { ...headers, cookie } }),
    post: (path: string, body: URLSearchParams | FormData, cookie = "") =>
      fetch(origin + path, { method: "POST", headers: { ...headers, cookie }, body, redirect: "manual" }),
  };
}

function fields(values: Record<string, string>): URLSearchParams {
  return new URLSearchParams(values);
}

async function entries(pipeline: Pipeline, query = ""): Promise<Outputs["listAudit"]["items"]> {
  return (await pipeline.ask<Outputs["listAudit"]>(`/audit${query}`)).items;
}

let pipeline: Pipeline;
let site: ReturnType<typeof browser>;

beforeAll(async () => {
  pipeline = await startPipeline({ accessEmail: PERSON });
  site = browser(pipeline);
}, 180_000);
afterAll(() => pipeline.close());

describe("an administrator of one account", () => {
  beforeAll(async () => {
    await pipeline.ask("/accounts", "POST", { account: "acme" });
    await pipeline.ask("/accounts", "POST", { account: "other", name: "The secret customer" });
    await pipeline.ask(`/accounts/acme/people/${PERSON}`, "PUT", { role: "administrator" });
    await pipeline.ask("/accounts/other/people/secret-person@other.example", "PUT", { role: "viewer" });
    await pipeline.ask("/accounts/other/people/ann@acme.example", "PUT", { role: "viewer" });
  });

  it("is recorded as seen at their first visit", async () => {
    expect((await site.get("/")).status).toBe(200);
    const people = await vi.waitUntil(async () => {
      const { items } = await pipeline.ask<Outputs["listAccountPeople"]>("/accounts/acme/people");
      return items.some(({ firstSeenSeconds }) => firstSeenSeconds > 0) ? items : undefined;
    });
    expect(people).toMatchObject([{ email: PERSON, role: "administrator" }]);
  });

  it("adds, changes and removes people of the account, who are invited until their first visit", async () => {
    const add = await site.post(
      "/accounts/acme",
      fields({ action: "person", email: "Ann@acme.example", role: "viewer" }),
    );
    expect([add.status, add.headers.get("location")]).toEqual([303, "/accounts/acme?said=saved"]);
    const page = await (await site.get("/accounts/acme")).text();
    expect(page).toContain("ann@acme.example");
    expect(page).toContain("invited");
    await site.post("/accounts/acme", fields({ action: "person", email: "ann@acme.example", role: "administrator" }));
    expect(await pipeline.ask("/identities/ann@acme.example")).toMatchObject({
      entry: { role: "administrator", accounts: ["acme"], alsoViews: ["other"] },
    });
    await site.post("/accounts/acme", fields({ action: "remove", email: "ann@acme.example" }));
    expect(await pipeline.ask("/identities/ann@acme.example")).toMatchObject({
      entry: { role: "viewer", accounts: ["other"] },
    });
  });

  it("cannot remove their own role, so an account always keeps an administrator", async () => {
    for (const action of ["person", "remove"]) {
      const answer = await site.post("/accounts/acme", fields({ action, email: PERSON, role: "viewer" }));
      expect(answer.status).toBe(422);
      expect(await answer.text()).toContain("Your own role");
    }
  });

  it("names the account and gives it a logo that its pages show", async () => {
    await site.post("/accounts/acme", fields({ action: "name", name: "Acme <Ltd>" }));
    const form = new FormData();
    form.set("action", "logo");
    form.set("logo", new Blob([PNG], { type: "text/html" }), "logo.html");
    expect((await site.post("/accounts/acme", form)).status).toBe(303);
    const page = await (await site.get("/")).text();
    expect(page).toContain("Acme &lt;Ltd&gt;");
    const [, path = ""] = /<img class="logo" src="([^"]+)"/.exec(page) ?? [];
    const logo = await site.get(path);
    expect(logo.headers.get("content-type")).toBe("image/png");
    expect(logo.headers.get("x-content-type-options")).toBe("nosniff");
    expect(Buffer.from(await logo.arrayBuffer())).toEqual(PNG);
    expect((await site.get("/accounts/other/logo")).status).toBe(404);
  });

  it.each([
    ["a script", Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"), "neither a PNG nor"],
    ["too large", Buffer.concat([PNG, Buffer.alloc(ACCOUNT_LIMITS.logoBytes)]), "a logo may have"],
  ])("gets no logo that is %s", async (_, bytes, message) => {
    const form = new FormData();
    form.set("action", "logo");
    form.set("logo", new Blob([new Uint8Array(bytes)], { type: "image/png" }), "logo.png");
    const answer = await site.post("/accounts/acme", form);
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain(message);
  });

  it("has by the API the logo that the page shows, and no other account's", async () => {
    const base64 = Buffer.concat([PNG, Buffer.from("by the API")]).toString("base64");
    const set = await pipeline.ask<Outputs["setAccountLogo"]>("/accounts/acme/logo", "PUT", { base64 });
    expect(await pipeline.ask("/accounts/acme/logo")).toEqual({
      account: "acme",
      mediaType: "image/png",
      base64,
      logoSeconds: set.logoSeconds,
    });
    const picture = await site.get("/accounts/acme/logo");
    expect(Buffer.from(await picture.arrayBuffer()).toString("base64")).toBe(base64);
    const api = async (path: string): Promise<[number, string]> => {
      const answer = await site.get(`/api/v1${path}`);
      return [answer.status, await answer.text()];
    };
    expect((await api("/accounts/acme/logo"))[0]).toBe(200);
    expect((await api("/accounts/other/logo"))[0]).toBe(403);
    await pipeline.ask("/accounts/acme/logo", "DELETE");
    expect(await api("/accounts/acme/logo")).toEqual([404, expect.stringContaining("has no logo")]);
    await expect(pipeline.ask("/accounts/nowhere/logo")).rejects.toThrow("There is no account 'nowhere'");
  });

  it("sets no logo that is too large by the API", async () => {
    const base64 = Buffer.concat([PNG, Buffer.alloc(ACCOUNT_LIMITS.logoBytes)]).toString("base64");
    await expect(pipeline.ask("/accounts/acme/logo", "PUT", { base64 })).rejects.toThrow("a logo may have");
  });

  it("cannot see, change or detect another account", async () => {
    for (const path of ["/accounts/other", "/accounts/nowhere", "/accounts/other?export=csv&table=people"]) {
      const answer = await site.get(path);
      expect(answer.status, path).toBe(404);
      expect(await answer.text()).not.toContain("secret");
    }
    for (const account of ["other", "nowhere"]) {
      const form = fields({ action: "person", email: PERSON, role: "administrator" });
      expect((await site.post(`/accounts/${account}`, form)).status).toBe(404);
    }
    const list = await (await site.get("/accounts")).text();
    expect(list).toContain("/accounts/acme");
    expect(list).not.toContain("secret");
    const forms: [path: string, body: URLSearchParams][] = [
      ["/accounts", fields({ account: "mine" })],
      ["/import", fields({ text: "account\nmine", action: "import" })],
      ["/view-as", fields({ account: "other" })],
    ];
    for (const [path, body] of forms) expect((await site.post(path, body)).status, path).toBe(403);
  });

  it("sees only the account's own changes in the audit log", async () => {
    for (const path of ["/audit", "/audit?export=csv&table=entries", "/audit?account=other", "/audit?who=secret"]) {
      const text = await (await site.get(path)).text();
      expect(text, path).not.toContain("secret-person");
      expect(text, path).not.toContain("create account</a>");
      const word = path.includes("export") ? "putAccountPerson" : "put account person";
      if (!path.includes("=other") && !path.includes("who=")) expect(text, path).toContain(word);
    }
  });
});

describe("an address that an operator moves from another account", () => {
  it("does not show its account's administrators whose it was, nor for which domains", async () => {
    await pipeline.ask("/registry/moved@rua.example", "PUT", { account: "other", domains: ["secret.example"] });
    await pipeline.ask("/registry/moved@rua.example", "PUT", { account: "acme", domains: ["acme.example"] });
    for (const path of ["/audit", "/audit?export=json&table=entries", "/audit?account=acme"]) {
      const text = await (await site.get(path)).text();
      expect(text, path).not.toContain("secret.example");
      expect(text, path).not.toContain("moved@rua.example");
    }
    const [moved, added] = await entries(pipeline, "?operation=putRegistration");
    expect(moved).toMatchObject({
      account: "",
      before: { account: "other", domains: ["secret.example"] },
      after: { account: "acme", domains: ["acme.example"] },
    });
    expect(added).toMatchObject({ account: "other", before: null });
    // Back, so that nothing of it is in the way of what follows.
    await pipeline.ask("/registry/moved@rua.example", "DELETE");
  });
});

describe("the audit log", () => {
  beforeAll(async () => {
    await pipeline.ask(`/identities/${PERSON}`, "PUT", { role: "operator", accounts: [] });
    await pipeline.ask("/registry/rua@acme.example", "PUT", { account: "acme", domains: ["acme.example"] });
  });

  it("is not written for an import form without a file", async () => {
    const answer = await site.post("/import", fields({ file: "not base64!", action: "import" }));
    expect(answer.status).toBe(422);
    expect(await answer.text()).toContain("choose it again");
  });

  it("has who, what, before and after for changes by page and by API", async () => {
    await pipeline.ask("/registry/rua@acme.example", "PUT", { account: "acme", domains: ["b.example"] });
    await site.post("/accounts/acme", fields({ action: "name", name: "Acme" }));
    const [named, changed, added] = await entries(pipeline);
    expect(named).toMatchObject({ who: PERSON, operation: "setAccountName", account: "acme", outcome: "done" });
    expect([named?.before, named?.after]).toMatchObject([{ name: "Acme <Ltd>" }, { name: "Acme" }]);
    expect(changed).toMatchObject({
      who: "API token",
      operation: "putRegistration",
      account: "acme",
      before: { domains: ["acme.example"] },
      after: { domains: ["b.example"] },
    });
    expect(added).toMatchObject({ operation: "putRegistration", before: null });
  });

  it("keeps no secret", async () => {
    const target = "https://hooks.slack.com/services/T000/B000/secretpart";
    const common = { account: "acme", sendsNotices: true, digest: "none", timeZone: "UTC" };
    await pipeline.ask("/channels", "POST", { ...common, kind: "slack", name: "chat", target });
    const hook = { ...common, kind: "webhook", name: "hook", target: "https://alerts.example/x?key=secretpart" };
    const { secret, id } = await pipeline.ask<Outputs["addChannel"]>("/channels", "POST", hook);
    expect(secret).not.toBe("");
    await pipeline.ask(`/channels/${id}?account=acme`, "DELETE");
    const kept = JSON.stringify(await pipeline.rows("SELECT * FROM audit_log"));
    expect(kept).toContain("addChannel");
    expect(kept).toContain("https://hooks.slack.com/…");
    expect(kept).not.toContain("secretpart");
    expect(kept).not.toContain(secret);
    expect((await entries(pipeline, "?operation=removeChannel"))[0]).toMatchObject({
      before: { name: "hook" },
      after: null,
    });
  });

  it("has no person of an account that does not exist", async () => {
    for (const entry of [
      { role: "viewer", accounts: ["acme", "acmee"] },
      { role: "administrator", accounts: ["acme"], alsoViews: ["acmee"] },
    ]) {
      const put = pipeline.ask("/identities/typo@acme.example", "PUT", entry);
      await expect(put).rejects.toThrow("There is no account 'acmee'");
    }
    await expect(pipeline.ask("/identities/typo@acme.example")).rejects.toThrow("404");
  });

  it("has refused changes but no dry runs", async () => {
    await expect(pipeline.ask("/accounts", "POST", { account: "acme" })).rejects.toThrow("409");
    expect((await entries(pipeline))[0]).toMatchObject({ operation: "createAccount", outcome: "refused" });
    const before = (await entries(pipeline)).length;
    await pipeline.ask("/accounts/import", "POST", { lines: [{ line: 2, account: "dry" }], dryRun: true });
    expect((await entries(pipeline)).length).toBe(before);
  });

  it("cuts long input, and the daily upkeep removes old entries", async () => {
    const lines = Array.from({ length: 200 }, (_, i) => ({ line: i + 2, account: `bulk-${i}` }));
    await pipeline.ask("/accounts/import", "POST", { lines });
    const [row] = await pipeline.rows<{ input: string; state_after: string }>(
      "SELECT input, state_after FROM audit_log WHERE operation = 'importAccounts'",
    );
    expect(JSON.parse(row?.input ?? "")).toMatchObject({ begins: expect.stringContaining("bulk-0") });
    expect(row?.input.length).toBeLessThan(2 * AUDIT_LIMITS.jsonChars);
    const old = Math.floor(Date.now() / 1000) - AUDIT_LIMITS.keptSeconds - 60;
    await pipeline.rows(
      `INSERT INTO audit_log (at_seconds, who, operation, account, domain, outcome, input, state_before)
      VALUES (${old}, 'long ago', 'mute', '', '', 'done', 'null', 'null')`,
    );
    expect(await entries(pipeline, "?who=long")).toHaveLength(1);
    await pipeline.ask("/schedules/run", "POST", { cron: "17 3 * * *" });
    expect(await entries(pipeline, "?who=long")).toEqual([]);
  });

  it("has filters and pages, and is exported whole", async () => {
    const page = await (await site.get("/audit?operation=putRegistration&entries.size=10")).text();
    expect(page).toContain("rua@acme.example");
    expect(page).not.toContain("<span>setAccountName");
    const csv = await (await site.get("/audit?export=csv&table=entries&account=acme")).text();
    expect(csv.split("\r\n")[0]).toBe("at,who,operation,account,domain,before,after,input,outcome,message");
    expect(csv).toContain("removeChannel");
    const found = await (await site.get("/audit?entries.q=HOOKS.slack")).text();
    expect(found).toContain("addChannel");
    expect(found).not.toContain("<bdi>putRegistration</bdi>");
    expect((await site.get("/audit?since=nonsense")).status).toBe(400);
  });

  it("is written for every operation that changes something", async () => {
    const operator = authorityOf({ role: "operator", accounts: [] });
    for (const name of BY_RPC.filter((one) => OPERATIONS[one].changes && !UNWRITTEN.includes(one))) {
      const { dryRun: _, ...input } = { dryRun: false, ...INPUTS[name] };
      const who = `caller of ${name}`;
      await pipeline.call(name, input, { name: who, authority: operator });
      const written = await entries(pipeline, `?who=${encodeURIComponent(who)}`);
      expect(written.map(({ operation }) => operation)).toContain(name);
    }
    for (const name of ["nameAddresses", "noteSeen"]) expect(await entries(pipeline, `?operation=${name}`)).toEqual([]);
  });
});

describe("process", () => {
  it("also refuses RPC callers without the required role", async () => {
    const call = async (name: OperationName, role: "administrator" | "viewer", account: string) => {
      const authority = { isOperator: false, accounts: { [account]: role } };
      return pipeline.call(name, INPUTS[name] ?? {}, { name: "a@b.example", authority });
    };
    const accountOf = (name: OperationName): string => {
      const input: { account?: string } = INPUTS[name] ?? {};
      return input.account ?? "acme";
    };
    for (const name of BY_RPC) {
      const { role } = OPERATIONS[name];
      const refused = { ok: false, error: { code: "forbidden" } };
      if (role !== "viewer") expect(await call(name, "viewer", accountOf(name)), name).toMatchObject(refused);
      if (role === "operator") expect(await call(name, "administrator", accountOf(name)), name).toMatchObject(refused);
      if ("account" in (INPUTS[name] ?? {})) {
        expect(await call(name, "administrator", "elsewhere"), name).toMatchObject(refused);
      }
    }
    expect(await pipeline.rows("SELECT * FROM audit_log WHERE who = 'a@b.example'")).toEqual([]);
  });

  it("imports ten thousand lines, and changes nothing the second time", async () => {
    const text = Array.from(
      { length: 10_000 },
      (_, i) => `c${i % 1000},Customer ${i % 1000},d${i}.example,d${i}@rua.example`,
    );
    const read = readImportFile(["account,name,domain,rua", ...text].join("\n"));
    if (!read.ok) throw new Error(read.error);
    const run = async (dryRun: boolean): Promise<Record<string, number>> => {
      const counts: Record<string, number> = {};
      for (const lines of importChunks(read.value)) {
        const { items } = await pipeline.ask<Outputs["importAccounts"]>("/accounts/import", "POST", { lines, dryRun });
        for (const { result } of items) counts[result] = (counts[result] ?? 0) + 1;
      }
      return counts;
    };
    expect(await run(true)).toEqual({ new: 10_000 });
    const imported = "SELECT count(*) AS n FROM accounts WHERE display_name LIKE 'Customer %'";
    expect(await pipeline.rows(imported)).toEqual([{ n: 0 }]);
    const started = performance.now();
    expect(await run(false)).toEqual({ new: 10_000 });
    console.log(`10,000 lines imported in ${Math.round(performance.now() - started)} ms`);
    const counts =
      "SELECT (SELECT count(*) FROM accounts WHERE display_name LIKE 'Customer %') AS accounts, (SELECT count(*) FROM addresses WHERE rua LIKE '%@rua.example') AS addresses, (SELECT count(*) FROM registered_domains WHERE rua LIKE '%@rua.example') AS domains";
    expect(await pipeline.rows(counts)).toEqual([{ accounts: 1000, addresses: 10_000, domains: 10_000 }]);
    expect(await run(false)).toEqual({ exists: 10_000 });
    expect(await pipeline.rows(counts)).toEqual([{ accounts: 1000, addresses: 10_000, domains: 10_000 }]);
  }, 240_000);
});

describe("an operator who views as an account", () => {
  let cookie: string;

  beforeAll(async () => {
    await pipeline.ask(`/identities/${PERSON}`, "PUT", { role: "operator", accounts: [] });
    await pipeline.ask("/accounts/acme/name", "PUT", { name: "Acme Ltd" });
    const answer = await site.post("/view-as", fields({ account: "acme" }));
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/"]);
    const set = answer.headers.get("set-cookie") ?? "";
    expect(set).toMatch(/HttpOnly; SameSite=Strict/);
    cookie = set.split(";")[0] ?? "";
  });

  it("sees a note about it on every page, and what the account's viewers see", async () => {
    for (const path of ["/", "/alerts", "/glossary", "/operations", "/accounts/other"]) {
      const page = await site.get(path, cookie);
      const text = await page.text();
      expect(text, path).toMatch(/viewing as the account.*acme/s);
      expect([path, page.status]).toEqual([
        path,
        path.startsWith("/operations") || path.startsWith("/acc") ? 403 : 200,
      ]);
    }
    expect(await (await site.get("/", cookie)).text()).toContain("Acme Ltd");
  });

  it("cannot change anything, and leaves with one click", async () => {
    expect((await site.post("/alerts", fields({ account: "acme", rule: "newSender" }), cookie)).status).toBe(403);
    expect((await site.post("/view-as", fields({ account: "other" }), cookie)).status).toBe(403);
    const left = await site.post("/view-as", fields({ action: "leave" }), cookie);
    expect([left.status, left.headers.get("location")]).toEqual([303, "/accounts/acme"]);
    expect(left.headers.get("set-cookie")).toMatch(/^view_as=;.*Max-Age=0/);
    expect((await site.get("/operations")).status).toBe(200);
  });

  it("cannot view as an account that does not exist", async () => {
    expect((await site.post("/view-as", fields({ account: "nowhere" }))).status).toBe(404);
  });
});
