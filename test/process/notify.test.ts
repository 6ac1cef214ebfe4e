/**
 * Notices and digests on their way to channels, over the simulated platform and a real HTTP server: once, whatever fails, and
 * caught up after a day; nobody else's account.
 */

import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Caller } from "../../shared/contract/rpc.ts";
import { channelsQuery, deliveriesQuery } from "../../shared/ledger/channels.ts";
import { ask, change } from "../../shared/ledger/database.ts";
import { addNotices } from "../../shared/ledger/notices.ts";
import { putPerson } from "../../shared/ledger/people.ts";
import { NOTIFY_LIMITS } from "../../shared/limits.ts";
import type { ChannelSettings } from "../../shared/notify/channel.ts";
import { authorityOf, OPERATOR as EVERYTHING } from "../../shared/people.ts";
import type { Notice } from "../../shared/watch/finding.ts";
import { followWholeRegistry } from "../../workers/process/domains/follow-registry.ts";
import { confirmByLink, confirmByOperator } from "../../workers/process/notify/confirm-channel.ts";
import { enqueueDeliveries } from "../../workers/process/notify/enqueue-deliveries.ts";
import { attemptDeliveries } from "../../workers/process/notify/send-delivery.ts";
import { takePersonRole } from "../../workers/process/operations/accounts.ts";
import { createChannel, deleteChannel, testChannel } from "../../workers/process/operations/channels.ts";
import { dropPerson, registerPerson } from "../../workers/process/operations/people.ts";
import { aggregateReport, commitSamples, sampleRecord } from "../support/ledger-fill.ts";
import { listenLocally } from "../support/ports.ts";
import { Simulation } from "../support/simulation/simulation.ts";

const CALLER = { name: "ann@example.com", authority: authorityOf({ role: "administrator", accounts: ["acme"] }) };
const OPERATOR: Caller = { name: "olga@example.net", authority: EVERYTHING };

interface Received {
  path: string;
  body: string;
  id: string;
  signature: string;
}

let simulation: Simulation;
let server: Server;
let received: Received[];
let status: number;
/** The text of its answers, and what their headers have besides. */
let said: string;
let headers: Record<string, string>;
/** The receiver takes what comes and never answers. */
let isHanging: boolean;

beforeEach(async () => {
  simulation = new Simulation();
  for (const account of ["acme", "other"]) simulation.register(`rua@${account}.example`, { account });
  const ann = { email: "ann@example.com", entry: { role: "viewer" as const, accounts: ["acme"] } };
  await change(simulation.ledger, putPerson(ann, { by: "", nowSeconds: 0 }));
  received = [];
  status = 200;
  said = "";
  headers = {};
  isHanging = false;
  server = createServer(async (request, response) => {
    const header = (name: string): string => request.headers[name]?.toString() ?? "";
    const body = await text(request);
    received.push({
      path: request.url ?? "",
      body,
      id: header("dmarc-delivery"),
      signature: header("dmarc-signature"),
    });
    if (isHanging) return;
    response.writeHead(status, status === 302 ? { location: "/elsewhere" } : headers).end(said);
  });
  simulation.webhookOrigin = `http://127.0.0.1:${await listenLocally(server)}`;
});

afterEach(() => {
  server.close();
  server.closeAllConnections();
});

async function add(settings: Partial<ChannelSettings>, account = "acme", caller: Caller = CALLER) {
  const channel = {
    account,
    kind: "webhook" as const,
    name: "Ops",
    target: `${simulation.webhookOrigin}/hook`,
    sendsNotices: true,
    digest: "none" as const,
    timeZone: "UTC",
    ...settings,
  };
  const added = await createChannel(channel, { invocation: simulation.invocation(), caller });
  if (!added.ok) throw new Error(added.error.message);
  return added.value;
}

async function notice(id: string, fields: Partial<Notice> = {}): Promise<void> {
  const { ledger, nowSeconds } = simulation.invocation();
  const made: Notice = {
    id,
    incident: id,
    account: "acme",
    domain: "shop.example",
    rule: "newSender",
    subject: "esp.example",
    severity: "attention",
    step: "opened",
    title: "A new sender uses this domain",
    evidence: [],
    cause: "",
    link: "/domains/shop.example",
    createdSeconds: nowSeconds,
    urgency: "immediate",
    ...fields,
  };
  await change(ledger, addNotices([made]));
}

/** Cron and the queue, every minute for some minutes. */
async function minutes(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await enqueueDeliveries(simulation.invocation());
    await simulation.drain();
    simulation.clock.nowMilliseconds += 60_000;
  }
}

function deliveries(account = "acme") {
  return ask(simulation.ledger, deliveriesQuery([account], 100));
}

it("a notice is delivered once to each channel of its account, signed, and to no other account's", async () => {
  const hook = await add({});
  await add({ kind: "slack", target: `${simulation.webhookOrigin}/slack` });
  await add({ kind: "teams", target: `${simulation.webhookOrigin}/teams` });
  await add({ kind: "email", target: "ann@example.com" });
  await add({ target: `${simulation.webhookOrigin}/other` }, "other");
  await notice("n1");
  await minutes(3);

  expect(received.map(({ path }) => path).sort()).toEqual(["/hook", "/slack", "/teams"]);
  expect(simulation.sentMails).toMatchObject([{ from: "dmarc@sim.example", to: "ann@example.com" }]);
  const [sent] = received.filter(({ path }) => path === "/hook");
  const [, seconds, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(sent?.signature ?? "") ?? [];
  expect(createHmac("sha256", hook.secret).update(`${seconds}.${sent?.body}`).digest("hex")).toBe(mac);
  expect(JSON.parse(sent?.body ?? "")).toMatchObject({ version: 1, id: `${hook.id} notice n1`, kind: "notice" });
  expect((await deliveries()).map(({ state }) => state)).toEqual(["sent", "sent", "sent", "sent"]);
});

it("a mail to a suppressed address is tried once a day, and one that can never be taken once", async () => {
  const channel = await add({ kind: "email", target: "ann@example.com" });
  await notice("n1");
  await enqueueDeliveries(simulation.invocation());
  const attempt = async (code: string): Promise<string[]> => {
    const invocation = simulation.invocation();
    const send = () => Promise.reject(Object.assign(new Error("no"), { code }));
    const refusing = { ...invocation, env: { ...invocation.env, SEND_EMAIL: { send } } };
    const due = (await deliveries()).filter(
      ({ state, nextSeconds }) => state === "waiting" && nextSeconds <= invocation.nowSeconds,
    );
    return attemptDeliveries(
      due.map(({ id }) => id),
      refusing,
    );
  };
  const outcomes: string[] = [];
  for (let hour = 0; hour < 80; hour++) {
    outcomes.push(...(await attempt("E_RECIPIENT_SUPPRESSED")));
    simulation.clock.nowMilliseconds += 3_600_000;
  }
  expect(outcomes).toEqual(["retry", "retry", "failed"]);
  expect(await deliveries()).toMatchObject([{ state: "failed", result: expect.stringContaining("Suppressions") }]);

  await testChannel({ account: "acme", id: channel.id }, { invocation: simulation.invocation(), caller: CALLER });
  expect(await attempt("E_HEADER_NOT_ALLOWED")).toEqual(["failed"]);
});

it("notices for the digest, and those older than a channel, are not sent separately", async () => {
  await notice("before");
  simulation.clock.nowMilliseconds += 1000;
  await add({});
  await notice("later", { urgency: "digest" });
  await minutes(2);
  expect(received).toEqual([]);
});

it("a channel that is down for a day is caught up, with the same id on every attempt", async () => {
  await add({});
  await notice("n1");
  status = 503;
  await minutes(24 * 60);
  const attempts = received.length;
  expect(attempts).toBeGreaterThan(5);
  expect(attempts).toBeLessThan(20);
  expect(await deliveries()).toMatchObject([{ state: "waiting", attempts, result: "Answered 503." }]);
  status = 204;
  await minutes(6 * 60);
  expect(received).toHaveLength(attempts + 1);
  expect(new Set(received.map(({ id }) => id)).size).toBe(1);
  expect(await deliveries()).toMatchObject([{ state: "sent" }]);
});

it("a delivery is shown as failed after three days and never sent after that", async () => {
  await add({});
  await notice("n1");
  status = 410;
  for (let hours = 0; hours < 80; hours++) {
    await minutes(1);
    simulation.clock.nowMilliseconds += 59 * 60_000;
  }
  expect(await deliveries()).toMatchObject([{ state: "failed", result: "Answered 410." }]);
  const attempts = received.length;
  status = 200;
  await minutes(60);
  expect(received).toHaveLength(attempts);
});

it("a delivery does not follow redirects and needs an answer", async () => {
  await add({});
  await notice("n1");
  status = 302;
  await minutes(1);
  expect(received.map(({ path }) => path)).toEqual(["/hook"]);
  server.close();
  server.closeAllConnections();
  await minutes(2);
  const [delivery] = await deliveries();
  expect(delivery?.result).toMatch(/^No answer: /);
});

it.each([
  [404, "Cannot POST /services/T0/B0/xyz?v=1&sig=abc%2Fdefgh", {}, "Answered 404: Cannot POST …"],
  [404, "no /services/T0/B0/xyz here", {}, "Answered 404: no … here"],
  [404, '{"path":"\\/services\\/T0\\/B0\\/xyz"}', {}, 'Answered 404: {"path":"…"}'],
  [404, "no /services/T0/B0/xyz?v=1&amp;sig=abc%2Fdefgh", {}, "Answered 404: no …?v=1&amp;sig=…"],
  [403, "signature abc/defgh is wrong", {}, "Answered 403: signature … is wrong"],
  [
    301,
    "",
    { location: "https://hooks.example/services/T0/B0/xyz" },
    "Answered 301: it redirects to https://hooks.example…, which is not followed. Enter the address it leads to, if that is yours.",
  ],
])(
  "an answer of %i that repeats the address does not tell the path, which is secret",
  async (code, text, more, result) => {
    await add({ kind: "slack", target: `${simulation.webhookOrigin}/services/T0/B0/xyz?v=1&sig=abc%2Fdefgh` });
    await notice("n1");
    [status, said, headers] = [code, text, more];
    await minutes(1);
    expect(await deliveries()).toMatchObject([{ state: "waiting", result }]);
  },
);

it("a message delivered twice sends once, even at the same time", async () => {
  await add({});
  await notice("n1");
  await enqueueDeliveries(simulation.invocation());
  const [delivery] = await deliveries();
  const id = delivery?.id ?? "";
  const outcomes = await Promise.all([1, 2, 3].map(() => attemptDeliveries([id], simulation.invocation())));
  await simulation.drain();
  expect(outcomes.flat().sort()).toEqual(["not_now", "not_now", "sent"]);
  expect(received).toHaveLength(1);
});

it("of domains that nobody registered, fifty a day interrupt: anybody may report about as many as they like", async () => {
  simulation.register("rua@listed.example", { account: "acme", domains: ["shop.example"] });
  await followWholeRegistry(simulation.invocation());
  await add({});
  for (let i = 0; i < 60; i++) await notice(`strange-${i}`, { domain: `strange-${i}.example`, severity: "urgent" });
  await minutes(2);
  for (let i = 0; i < 10; i++) await notice(`later-${i}`, { domain: `later-${i}.shop.example`, severity: "urgent" });
  for (let i = 0; i < 5; i++) await notice(`own-${i}`);
  await notice("strange-of-other", { account: "other", domain: "strange.example" });
  await add({}, "other", OPERATOR);
  await minutes(10);
  const told = received.map(({ id }) => id.split(" ").at(-1) ?? "");
  expect(told.filter((id) => id.startsWith("strange-") || id.startsWith("later-"))).toHaveLength(50 + 1);
  expect(told.filter((id) => id.startsWith("own-"))).toHaveLength(5);
  expect(told).toContain("strange-of-other");
  simulation.clock.nowMilliseconds += 86_400_000;
  await notice("next-day", { domain: "later-0.shop.example" });
  await minutes(1);
  expect(received.at(-1)?.id).toMatch(/ next-day$/);
});

it("a message that is lost with its queue is enqueued again", async () => {
  await add({});
  await notice("n1");
  await enqueueDeliveries(simulation.invocation());
  simulation.queues["dmarc-points"].messages.length = 0;
  await minutes(20);
  expect(received).toHaveLength(1);
});

it("digests come once a day even without news, and once after an outage", async () => {
  await add({ kind: "email", target: "ann@example.com", digest: "daily", sendsNotices: false });
  await notice("n1", { urgency: "digest" });
  for (let day = 0; day < 3; day++) {
    simulation.clock.nowMilliseconds += 86_400_000;
    await minutes(2);
  }
  expect(simulation.sentMails).toHaveLength(3);
  expect(simulation.sentMails[0]?.text).toContain("A new sender uses this domain");
  expect(simulation.sentMails[1]?.text).toContain("Nothing changed since yesterday.");
  simulation.clock.nowMilliseconds += 5 * 86_400_000;
  await minutes(2);
  expect(simulation.sentMails).toHaveLength(4);
});

it("a test is sent at once, removed channels get nothing, and accounts have a limited number of channels", async () => {
  const { id } = await add({});
  const call = { invocation: simulation.invocation(), caller: CALLER };
  expect((await testChannel({ account: "other", id }, call)).ok).toBe(false);
  expect((await testChannel({ account: "acme", id }, call)).ok).toBe(true);
  await simulation.drain();
  expect(received).toHaveLength(1);

  await deleteChannel({ account: "other", id }, call);
  await notice("n1");
  await deleteChannel({ account: "acme", id }, call);
  await minutes(2);
  expect(received).toHaveLength(1);
  expect(await deliveries()).toEqual([]);

  for (let i = 0; i < 20; i++) await add({});
  await expect(add({})).rejects.toThrow("20 channels");
});

it("a receiver that never answers is tried once for everything that waits, on a queue without ordinary reports", async () => {
  await add({ target: `${simulation.webhookOrigin}/hangs` });
  const mail = await add({ kind: "email", target: "ann@example.com" });
  for (let i = 0; i < 20; i++) await notice(`n${String(i).padStart(2, "0")}`);
  isHanging = true;
  await enqueueDeliveries(simulation.invocation());
  expect(simulation.queues["dmarc-reports"].messages).toEqual([]);
  const startedMilliseconds = performance.now();
  await simulation.drain();
  expect(performance.now() - startedMilliseconds).toBeLessThan(1.5 * NOTIFY_LIMITS.timeoutMilliseconds);
  expect(received).toHaveLength(1);
  expect(simulation.sentMails).toHaveLength(NOTIFY_LIMITS.deliveriesPerMessage);
  await minutes(1);
  expect(received).toHaveLength(1);

  isHanging = false;
  await minutes(8);
  expect(new Set(received.map(({ id }) => id)).size).toBe(20);
  expect(received).toHaveLength(21);
  expect(simulation.sentMails).toHaveLength(20);
  expect((await deliveries()).every(({ state }) => state === "sent")).toBe(true);
  expect(mail.confirmedSeconds).toBeGreaterThan(0);
}, 60_000);

it("one refused delivery does not stop the others", async () => {
  await add({});
  await notice("n1");
  status = 400;
  await minutes(2);
  status = 200;
  await notice("n2");
  await minutes(1);
  expect((await deliveries()).map(({ subject, state }) => [subject, state]).sort()).toEqual([
    ["n1", "waiting"],
    ["n2", "sent"],
  ]);
});

it.each([
  ["slack", 400, "invalid_payload", "waiting", "Answered 400: invalid_payload"],
  ["slack", 404, "channel_not_found", "waiting", "Answered 404: channel_not_found"],
  ["slack", 410, "channel_is_archived", "waiting", "Answered 410: channel_is_archived"],
  ["slack", 200, "ok", "sent", "Answered 200."],
  ["teams", 202, "", "sent", "Answered 202."],
  ["teams", 200, "1", "sent", "Answered 200."],
  [
    "teams",
    200,
    "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
    "waiting",
    "Answered 200: Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
  ],
  ["webhook", 200, "<html>Microsoft Teams endpoint returned HTTP error 429</html>", "sent", "Answered 200."],
  ["webhook", 403, "<html>\n<b>Forbidden</b>", "waiting", "Answered 403: <html> <b>Forbidden</b>"],
] as const)("%s that answers %i and %s: %s", async (kind, given, text, state, result) => {
  await add({ kind });
  await notice("n1");
  status = given;
  said = text;
  await minutes(1);
  expect(await deliveries()).toMatchObject([{ state, result }]);
});

it("a receiver that asks to wait, as Discord does in JSON, gets one request and nothing else until then", async () => {
  await add({});
  for (const id of ["n1", "n2", "n3"]) await notice(id);
  status = 429;
  said = '{"message": "You are being rate limited.", "retry_after": 599.5, "global": false}';
  await minutes(10);
  expect(received).toHaveLength(1);
  status = 204;
  said = "";
  await minutes(2);
  expect(received).toHaveLength(4);
  expect((await deliveries()).map(({ state }) => state)).toEqual(["sent", "sent", "sent"]);
  // A header counts before the text.
  await notice("n4");
  status = 503;
  headers = { "retry-after": "300" };
  said = '{"retry_after": 5}';
  await minutes(5);
  expect(received).toHaveLength(5);
});

it("an account that does not exist gets no channel", async () => {
  await expect(add({}, "nobody")).rejects.toThrow("There is no account 'nobody'.");
  await expect(add({}, "nobody", OPERATOR)).rejects.toThrow("There is no account 'nobody'.");
});

describe("a mail address of nobody in the account", () => {
  const list = { kind: "email" as const, target: "list@elsewhere.example", digest: "daily" as const };
  const call = (caller = CALLER) => ({ invocation: simulation.invocation(), caller });

  /** What the link in the newest mail says. */
  function link(): Parameters<typeof confirmByLink>[0] {
    const url = /https:\S+\/confirm\?\S+/.exec(simulation.sentMails.at(-1)?.text ?? "")?.[0] ?? "";
    const { account = "", id = "", until, signature = "" } = Object.fromEntries(new URL(url).searchParams);
    return { account, id, untilSeconds: Number(until), signature };
  }

  it("gets only a confirmation mail until its link is followed", async () => {
    const { id, confirmedSeconds } = await add(list);
    expect(confirmedSeconds).toBe(0);
    await notice("before");
    await minutes(2);
    simulation.clock.nowMilliseconds += 86_400_000;
    await minutes(2);
    expect(simulation.sentMails.map(({ subject }) => subject)).toEqual(["Confirm this address for DMARC notices"]);
    for (const forged of [
      { ...link(), signature: "0".repeat(64) },
      { ...link(), untilSeconds: link().untilSeconds + 1 },
      { ...link(), account: "other" },
      { ...link(), id: "0000000000000000" },
    ]) {
      expect(await confirmByLink(forged, call())).toMatchObject({ ok: false, error: { code: "not_found" } });
    }
    expect((await confirmByLink(link(), call())).ok).toBe(true);
    const [channel] = await ask(simulation.ledger, channelsQuery(["acme"]));
    expect(channel).toMatchObject({ id, confirmedSeconds: simulation.invocation().nowSeconds });
    simulation.clock.nowMilliseconds += 1000;
    await notice("after");
    await minutes(1);
    expect(simulation.sentMails.slice(1).map(({ to }) => to)).toEqual([
      "list@elsewhere.example",
      "list@elsewhere.example",
    ]);
    expect(simulation.sentMails.some(({ headers }) => headers["X-DMARC-Delivery"] === `${id} notice before`)).toBe(
      false,
    );
    expect(simulation.sentMails.some(({ headers }) => headers["X-DMARC-Delivery"] === `${id} notice after`)).toBe(true);
    // No vacation answer comes back (RFC 3834).
    expect(new Set(simulation.sentMails.map(({ headers }) => headers["Auto-Submitted"]))).toEqual(
      new Set(["auto-generated"]),
    );
  });

  it("is asked again at most once an hour, with a link valid for a week", async () => {
    const { id } = await add(list);
    await simulation.drain();
    for (let i = 0; i < 5; i++) await testChannel({ account: "acme", id }, call());
    await simulation.drain();
    expect(simulation.sentMails).toHaveLength(1);
    const first = link();
    simulation.clock.nowMilliseconds += NOTIFY_LIMITS.confirmationSeconds * 1000 + 1000;
    expect((await confirmByLink(first, call())).ok).toBe(false);
    await testChannel({ account: "acme", id }, call());
    await simulation.drain();
    expect(simulation.sentMails).toHaveLength(2);
    expect((await confirmByLink(link(), call())).ok).toBe(true);
  });

  it("gets three questions a week, also where its channel is removed and added again", async () => {
    for (let i = 0; i < 3; i++) {
      const { id } = await add({ ...list, target: i === 1 ? "LIST@elsewhere.example" : list.target });
      await simulation.drain();
      expect((await deleteChannel({ account: "acme", id }, call())).ok).toBe(true);
    }
    await expect(add(list)).rejects.toThrow(
      "list@elsewhere.example was asked to confirm 3 times within a week, as often as may be. Try again later, or ask an operator to confirm the address.",
    );
    expect(simulation.sentMails).toHaveLength(3);
    expect((await add({ ...list, target: "other@elsewhere.example" })).confirmedSeconds).toBe(0);
    simulation.clock.nowMilliseconds += NOTIFY_LIMITS.confirmationSeconds * 1000 + 1000;
    const { id } = await add(list);
    for (let hour = 0; hour < 10; hour++) {
      await testChannel({ account: "acme", id }, call());
      await simulation.drain();
      simulation.clock.nowMilliseconds += 3_600_000;
    }
    const sent = simulation.sentMails.filter(({ to }) => to.toLowerCase() === list.target);
    expect(sent).toHaveLength(6);
    expect(await testChannel({ account: "acme", id }, call())).toMatchObject({
      ok: false,
      error: { code: "too_large" },
    });
  });

  it("is one of ten that an account asks within a day", async () => {
    for (let i = 0; i < 10; i++) {
      const { id } = await add({ ...list, target: `list${i}@elsewhere.example` });
      if (i % 2 === 0) await deleteChannel({ account: "acme", id }, call());
    }
    await expect(add(list)).rejects.toThrow("The account has asked 10 addresses to confirm within a day");
    expect((await add({ ...list, kind: "webhook", target: "https://hooks.example/a" })).id).toMatch(/^[0-9a-f]{16}$/);
    expect((await add(list, "acme", OPERATOR)).confirmedSeconds).toBeGreaterThan(0);
    simulation.clock.nowMilliseconds += 86_401_000;
    expect((await add(list)).confirmedSeconds).toBe(0);
  });

  it("is one of ten also where all are added or asked again at the same time, and no other channel is left", async () => {
    const targets = Array.from({ length: 20 }, (_, i) => `list${i}@elsewhere.example`);
    const added = await Promise.allSettled(targets.map((target) => add({ ...list, target })));
    expect(added.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
    expect(await ask(simulation.ledger, channelsQuery(["acme"]))).toHaveLength(10);
    await simulation.drain();
    expect(simulation.sentMails).toHaveLength(10);
    const [first] = await ask(simulation.ledger, channelsQuery(["acme"]));
    simulation.clock.nowMilliseconds += 86_401_000;
    const { id = "" } = first ?? {};
    const again = await Promise.all(Array.from({ length: 3 }, () => testChannel({ account: "acme", id }, call())));
    expect(again.map(({ ok }) => ok)).toEqual([true, true, true]);
    await simulation.drain();
    expect(simulation.sentMails).toHaveLength(11);
  });

  it("reads who added it and how to stop it, with no text or picture that the account chose", async () => {
    await change(simulation.ledger, [
      { sql: "UPDATE accounts SET display_name = 'Win at casino.example' WHERE account = 'acme'", parameters: [] },
      {
        sql: "INSERT INTO account_logos (account, media_type, picture, changed_seconds) VALUES ('acme', 'image/png', 'AAAA', 1)",
        parameters: [],
      },
    ]);
    await add(list);
    await simulation.drain();
    const [mail = expect.unreachable()] = simulation.sentMails;
    expect(mail.text).toContain(
      `${CALLER.name} added this address to the DMARC notices of the account "acme". Nothing else is sent until it is confirmed.`,
    );
    expect(mail.text).toContain(`To stop it, write to ${CALLER.name}.`);
    expect(JSON.stringify(mail)).not.toContain("casino");
    expect(mail.attachments).toEqual([]);
  });

  it("does not read the name of the token that added it, which people of the account choose", async () => {
    await add(list, "acme", { ...CALLER, name: "Win at www.casino.example" });
    await simulation.drain();
    const [mail = expect.unreachable()] = simulation.sentMails;
    expect(mail.text).toContain(
      'A program of the account "acme" added this address to its DMARC notices. Nothing else',
    );
    expect(mail.text).toContain("this question at most 3 times a week.");
    expect(JSON.stringify(mail)).not.toContain("casino");
  });

  it("cannot be confirmed by an old link once its person has lost the account", async () => {
    await add({ ...list, target: "carl@example.com" });
    await simulation.drain();
    const old = link();
    expect((await confirmByLink(old, call())).ok).toBe(true);
    const entry = { role: "viewer" as const, accounts: ["acme"] };
    await registerPerson({ email: "carl@example.com", entry }, call(OPERATOR));
    await takePersonRole({ account: "acme", email: "carl@example.com" }, call(OPERATOR));
    expect(await confirmByLink(old, call())).toMatchObject({ ok: false, error: { code: "not_found" } });
    simulation.clock.nowMilliseconds += 3_600_000;
    await testChannel({ account: "acme", id: old.id }, call());
    await simulation.drain();
    expect((await confirmByLink(link(), call())).ok).toBe(true);
  });

  it("can be confirmed or added as confirmed by an operator, but not by another account's person", async () => {
    const bob = { email: "bob@example.com", entry: { role: "viewer" as const, accounts: ["other"] } };
    await change(simulation.ledger, putPerson(bob, { by: "", nowSeconds: 0 }));
    const { id, confirmedSeconds } = await add({ ...list, target: "bob@example.com" });
    expect(confirmedSeconds).toBe(0);
    expect((await confirmByOperator({ account: "other", id }, call(OPERATOR))).ok).toBe(false);
    expect(await confirmByOperator({ account: "acme", id }, call(OPERATOR))).toMatchObject({
      value: { confirmedSeconds: simulation.invocation().nowSeconds },
    });
    expect((await add(list, "acme", OPERATOR)).confirmedSeconds).toBeGreaterThan(0);
    expect((await add({ ...list, target: "Ann@Example.com" })).confirmedSeconds).toBeGreaterThan(0);
  });
});

describe("a mail address whose person loses an account", () => {
  const call = (caller = OPERATOR) => ({ invocation: simulation.invocation(), caller });
  const ann = "ann@example.com";

  beforeEach(async () => {
    const entry = { role: "viewer" as const, accounts: ["acme", "other"] };
    await change(simulation.ledger, putPerson({ email: ann, entry }, { by: "", nowSeconds: 0 }));
    for (const account of ["acme", "other"]) await add({ kind: "email", target: "Ann@example.com" }, account);
    await add({ kind: "email", target: "list@elsewhere.example" }, "acme", OPERATOR);
  });

  /** Account and address of each mail that a notice in each account makes. */
  async function sent(): Promise<string[]> {
    simulation.clock.nowMilliseconds += 1000;
    for (const account of ["acme", "other"]) await notice(`of-${account}`, { account });
    await minutes(2);
    return simulation.sentMails.map(({ to, headers }) => `${to} ${headers["X-DMARC-Delivery"]?.split("-").at(-1)}`);
  }

  it("gets what is of the others, until then both", async () => {
    expect((await sent()).toSorted()).toEqual([
      "Ann@example.com acme",
      "Ann@example.com other",
      "list@elsewhere.example acme",
    ]);
  });

  it.each([
    ["by its administrator", () => takePersonRole({ account: "acme", email: ann }, call())],
    [
      "by an operator, who names the accounts that stay",
      () => registerPerson({ email: ann, entry: { role: "viewer", accounts: ["other"] } }, call()),
    ],
  ])("gets nothing more of it: %s", async (_, take) => {
    expect((await take()).ok).toBe(true);
    expect((await sent()).toSorted()).toEqual(["Ann@example.com other", "list@elsewhere.example acme"]);
    const channels = await ask(simulation.ledger, channelsQuery(["acme"]));
    expect(channels.map(({ target, confirmedSeconds }) => [target, confirmedSeconds > 0])).toEqual(
      expect.arrayContaining([
        ["Ann@example.com", false],
        ["list@elsewhere.example", true],
      ]),
    );
  });

  it("gets nothing more of any when the person is removed", async () => {
    expect((await dropPerson({ email: "ANN@example.com" }, call())).ok).toBe(true);
    expect(await sent()).toEqual(["list@elsewhere.example acme"]);
  });

  it("an operator who becomes a viewer gets what is of the account that stays", async () => {
    await change(
      simulation.ledger,
      putPerson({ email: ann, entry: { role: "operator", accounts: [] } }, { by: "", nowSeconds: 0 }),
    );
    const entry = { role: "viewer" as const, accounts: ["other"] };
    expect((await registerPerson({ email: ann, entry }, call())).ok).toBe(true);
    expect((await sent()).toSorted()).toEqual(["Ann@example.com other", "list@elsewhere.example acme"]);
  });
});

it("a digest's days are of the mail that the verdict counts, not of what forged reports claim", async () => {
  const { ledger, nowSeconds } = simulation.invocation();
  const day = Math.floor(nowSeconds / 86_400) - 1;
  const tell = async (uid: string, count: number, state: "verified" | "unverified"): Promise<void> => {
    const records = [
      sampleRecord("shop.example", { count, ...(state === "verified" ? {} : { dkim: "fail" as const }) }),
    ];
    const report = aggregateReport("shop.example", { day, records, reporter: state });
    const sender = { state, domain: "" };
    const sample = { account: "acme", uid: uid.repeat(32), report, records, receivedSeconds: nowSeconds, sender };
    await commitSamples(ledger, [sample], { nowSeconds });
  };
  await tell("a", 40, "verified");
  await tell("b", 1_000_000_000, "unverified");
  await add({ digest: "daily", sendsNotices: false });
  simulation.clock.nowMilliseconds += 86_400_000;
  await minutes(1);
  const days: { passed: number; failed: number }[] = JSON.parse(received[0]?.body ?? "").digest.days;
  expect(days.filter(({ passed, failed }) => passed + failed > 0)).toMatchObject([{ passed: 40, failed: 0 }]);
});

it("a digest lists the worst of many notices first, and counts them all", async () => {
  await add({ kind: "email", target: "ann@example.com", digest: "daily", sendsNotices: false });
  for (let i = 0; i < 250; i++) await notice(`n${i}`, { urgency: "digest", title: `Old ${i}` });
  simulation.clock.nowMilliseconds += 1000;
  await notice("new", { urgency: "digest", title: "Newest of the ordinary" });
  await notice("urgent", { urgency: "digest", severity: "urgent", title: "Urgent", createdSeconds: 1_700_000_000 });
  await notice("worst", { urgency: "digest", severity: "urgent", title: "The worst" });
  simulation.clock.nowMilliseconds += 86_400_000;
  await minutes(1);
  const lines = (simulation.sentMails[0]?.text ?? "").split("\n").filter((line) => line.startsWith("- "));
  expect(lines.slice(0, 2)).toEqual(["- shop.example: The worst", "- shop.example: Newest of the ordinary"]);
  expect(lines.at(-1)).toBe("- and 242 more");
});
