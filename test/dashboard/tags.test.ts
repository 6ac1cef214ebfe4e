/** Tags and groups in the browser's forms and by the API, with the real process behind them; and Domains filtered by them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TAG_LIMITS } from "../../shared/limits.ts";
import { TODAY } from "../support/today.ts";
import { STATE_DOMAINS, seedVerdicts } from "../support/verdict-domains.ts";
import { API_TOKEN } from "./harness.ts";
import { type Pipeline, startPipeline } from "./pipeline.ts";

const { ready, notYet, notInUse } = STATE_DOMAINS;

let pipeline: Pipeline;

beforeAll(async () => {
  pipeline = await startPipeline();
  await seedVerdicts(pipeline.ledger, TODAY, Math.floor(Date.now() / 1000));
  for (const account of ["acme", "globex"]) {
    await pipeline.ledger
      .prepare("INSERT INTO accounts (account, shard, created_seconds) VALUES (?1, 0, 1) ON CONFLICT DO NOTHING")
      .bind(account)
      .all();
  }
});

afterAll(() => pipeline.close());

async function submit(fields: Record<string, string>): Promise<{ status: number; location: string; text: string }> {
  const answer = await fetch(`${pipeline.origin}/tags`, {
    method: "POST",
    redirect: "manual",
    headers: {
      authorization: `Bearer ${API_TOKEN}`,
      "content-type": "application/x-www-form-urlencoded",
      origin: pipeline.origin,
    },
    body: new URLSearchParams(fields),
  });
  const text = (await answer.text()).replaceAll(/<\/?bdi[^>]*>|<wbr\/?>/g, "");
  return { status: answer.status, location: answer.headers.get("location") ?? "", text };
}

async function listed(filter: string): Promise<{ domain: string; tags: string; group: string }[]> {
  const { text } = await pipeline.page(`/?${filter}&export=json&table=domains`);
  return JSON.parse(text);
}

describe("tags", () => {
  it("are offered for the domains that a filter finds, and for nothing less", async () => {
    const { text } = await pipeline.page("/?domains.q=.example");
    const link = /href="(\/tags\?domains=[^"]*)">Tag these (\d+)</.exec(text);
    const form = await pipeline.page(link?.[1] ?? "");
    const filled = /<textarea[^>]*name="domains"[^>]*>([^<]*)</.exec(form.text)?.[1]?.split("\n") ?? [];
    expect(filled).toHaveLength(Number(link?.[2]));
    expect(filled).toEqual(expect.arrayContaining([ready, notYet, notInUse]));
    expect((await pipeline.page("/")).text).not.toContain("Tag these");
    expect((await pipeline.page(`/?domains.q=${ready}`)).text).not.toContain("Tag these");
  });

  it("are put on all domains that a filter finds, as many as the form says", async () => {
    const names = Array.from({ length: 30 }, (_, i) => `many${i}.bulk.example`);
    await pipeline.ask("/domains/list", "POST", { account: "globex", domains: names });
    const { text } = await pipeline.page("/?domains.q=bulk.example&days=90");
    const link = /href="(\/tags\?list=[^"]*)">Tag all 30</.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const form = await pipeline.page(link);
    expect(form.text).toContain("All 30 domains of the list");
    expect(form.text).not.toContain("<textarea");
    const hidden = Object.fromEntries(new URLSearchParams(link.slice(link.indexOf("?"))));
    await pipeline.ask("/domains", "POST", { account: "globex", domain: "another.bulk.example" });
    const changed = await submit({ ...hidden, action: "add", tags: "bulk" });
    expect([changed.status, changed.text]).toEqual([422, expect.stringContaining("The list has 31 domains now.")]);
    expect(changed.text).toContain('name="count" value="31"');
    expect(await listed("tag=bulk")).toEqual([]);
    const done = await submit({ ...hidden, count: "31", action: "add", tags: "bulk" });
    expect([done.status, done.location]).toEqual([303, "/tags?changed=31"]);
    expect(await listed("tag=bulk")).toHaveLength(31);
    await submit({ ...hidden, count: "31", action: "remove", tags: "bulk" });
    expect(await listed("tag=bulk")).toEqual([]);
  });

  it("are added by a form, shown in the list, and filter it", async () => {
    const done = await submit({ action: "add", domains: `${ready}\n${notYet.toUpperCase()}`, tags: "Shop, eu" });
    expect([done.status, done.location]).toEqual([303, "/tags?changed=2"]);
    await submit({ action: "remove", domains: notYet, tags: "eu" });
    expect((await listed("tag=shop")).map(({ domain, tags }) => [domain, tags]).sort()).toEqual([
      [notYet, "shop"],
      [ready, "eu, shop"],
    ]);
    expect((await listed("tag=eu")).map(({ domain }) => domain)).toEqual([ready]);
    expect(await listed("tag=nothing")).toEqual([]);
    expect((await listed("")).find(({ domain }) => domain === notInUse)?.tags).toBe("");
    const { text } = await pipeline.page("/?tag=shop");
    expect(text).toMatch(/<a class="chip" href="\/" aria-current="true">.*?shop/);
    expect((await pipeline.page("/tags")).text).toContain('href="/?tag=eu"');
  });

  it("are refused with a reason, and the input is kept", async () => {
    const wrong = await submit({ action: "add", domains: ready, tags: "a<b" });
    expect(wrong.status).toBe(422);
    expect(wrong.text).toContain("a tag has letters");
    expect(wrong.text).toContain('value="a&lt;b"');
    const foreign = await submit({ action: "add", domains: "nobody.example", tags: "shop" });
    expect(foreign.text).toContain("Not one of your domains: nobody.example");
    expect((await submit({ action: "add", domains: " \n", tags: "shop" })).text).toContain(
      "Enter at least one domain.",
    );
    const grouped = await submit({ action: "group", account: "", group: "eu" });
    expect([grouped.status, grouped.text]).toEqual([422, expect.stringContaining("account: at least 1 character<")]);
    const long = await submit({ action: "group", account: "a".repeat(65), group: "eu" });
    expect(long.text).toContain("account: at most 64 characters<");
  });

  it("can be set by the API", async () => {
    await pipeline.ask("/tags", "POST", { account: "acme", domains: [notInUse], add: ["parked"] });
    expect(await pipeline.ask("/tags?tag=parked")).toEqual({
      items: [{ account: "acme", domain: notInUse, tags: ["parked"] }],
    });
  });

  it("of other accounts are not listed by the API for an account's own people and tokens", async () => {
    await submit({ action: "add", domains: ready, tags: "confidential" });
    const tagsFor = async (account: string): Promise<string[]> => {
      const token = { account, name: "tags", scope: "read" };
      const { secret } = await pipeline.ask<{ secret: string }>("/tokens", "POST", token);
      const answer = await fetch(`${pipeline.origin}/api/v1/tags`, { headers: { authorization: `Bearer ${secret}` } });
      const { items } = (await answer.json()) as { items: { account: string; domain: string }[] };
      return items.map(({ account, domain }) => `${account} ${domain}`);
    };
    const all = await pipeline.ask<{ items: { account: string; domain: string }[] }>("/tags");
    const [{ account: owner = "" } = {}] = all.items.filter(({ domain }) => domain === ready);
    expect(await tagsFor(owner)).toContain(`${owner} ${ready}`);
    expect(await tagsFor("globex")).toEqual([]);
  });
});

describe("groups", () => {
  it("are set by operators and do not change the domains of accounts", async () => {
    const done = await submit({ action: "group", account: "acme", group: "North" });
    expect(done.location).toBe("/tags?changed=1");
    expect(await pipeline.ask("/account-groups")).toEqual({ items: [{ account: "acme", group: "north" }] });
    const north = await listed("group=north");
    expect(north.length).toBe(Object.keys(STATE_DOMAINS).length);
    expect(new Set(north.map(({ group }) => group))).toEqual(new Set(["north"]));
    expect(await listed("group=south")).toEqual([]);
    expect((await submit({ action: "group", account: "nobody", group: "north" })).text).toContain(
      "There is no account",
    );
  });
});

it("tags of domains of several accounts are put on all that may have them, and the form says how many may not", async () => {
  const full = "full.example";
  await pipeline.ask("/domains/list", "POST", { account: "acme", domains: [full] });
  await pipeline.ask("/domains/list", "POST", { account: "globex", domains: ["later.example"] });
  const most = Array.from({ length: TAG_LIMITS.perDomain }, (_, i) => `t${i}`).join(", ");
  expect((await submit({ domains: full, tags: most, action: "add" })).location).toBe("/tags?changed=1");
  const refused = await submit({ domains: `${full} later.example`, tags: "last", action: "add" });
  expect(refused.text).toContain(`1 changed, 1 not: ${full} would have more than ${TAG_LIMITS.perDomain} tags.`);
  expect((await listed("domains.q=later.example"))[0]?.tags).toContain("last");
});
