/**
 * Nothing of one account reaches another's channels: every kind of channel with every kind of digest, for two accounts that
 * have a domain in common, over the real rules and the real senders.
 */
import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { channelsQuery, deliveriesQuery } from "../../shared/ledger/channels.ts";
import { ask, change } from "../../shared/ledger/database.ts";
import { addNotices, keepIncidents } from "../../shared/ledger/notices.ts";
import { putPerson } from "../../shared/ledger/people.ts";
import { CHANNEL_KINDS, DIGEST_INTERVALS } from "../../shared/notify/channel.ts";
import { OPERATOR } from "../../shared/people.ts";
import type { Incident } from "../../shared/watch/finding.ts";
import { inShardOf } from "../../workers/process/env.ts";
import { confirmByOperator } from "../../workers/process/notify/confirm-channel.ts";
import { enqueueDeliveries } from "../../workers/process/notify/enqueue-deliveries.ts";
import { createChannel, deleteChannel, testChannel } from "../../workers/process/operations/channels.ts";
import { watchDomains } from "../../workers/process/watch/round.ts";
import { aggregateReport, commitSamples, sampleRecord } from "../support/ledger-fill.ts";
import { listenLocally } from "../support/ports.ts";
import { Simulation } from "../support/simulation/simulation.ts";

/** Words that only one account's reports, incidents and settings hold. */
const ACCOUNTS = {
  acme: { domain: "acme-only.example", sender: "acme-service.test", ip: "192.0.2.11", count: 41_414 },
  other: { domain: "other-only.example", sender: "other-service.test", ip: "198.51.100.99", count: 987_654 },
} as const;
type Account = keyof typeof ACCOUNTS;
const COMMON = "common.example";
const NAMES = ["acme", "other"] as const;

const CALLER = { name: "olga@example.net", authority: OPERATOR };

function words(account: Account): string[] {
  const { domain, sender, ip, count } = ACCOUNTS[account];
  return [domain, sender, ip, String(count), count.toLocaleString("en-US"), `${account} Holding`];
}

describe.each([1, 3])("the ledger in %i databases", (shards) => {
  let simulation: Simulation;
  let server: Server;
  /** What came, with whose it should be. */
  let received: { account: string; content: string }[];

  beforeEach(async () => {
    simulation = new Simulation({ shards });
    received = [];
    server = createServer(async (request, response) => {
      const [, account = ""] = (request.url ?? "").split("/");
      received.push({ account, content: await text(request) });
      response.writeHead(204).end();
    });
    simulation.webhookOrigin = `http://127.0.0.1:${await listenLocally(server)}`;
    for (const account of NAMES) await fill(account);
    await change(simulation.ledger, keepIncidents([incident("", "", "pipeline-secret.test")]));
  });

  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  /** Reports of a domain of its own and of the common one, an incident and notices; names that nobody else has. */
  async function fill(account: Account): Promise<void> {
    simulation.register(`rua@${account}.example`, { account });
    const { domain, sender, ip, count } = ACCOUNTS[account];
    const { ledger, nowSeconds, shards: all } = await inShardOf(account, simulation.invocation());
    const display = "UPDATE accounts SET display_name = ?2 WHERE account = ?1";
    await change(all.directory, [{ sql: display, parameters: [account, `${account} Holding`] }]);
    const day = Math.floor(nowSeconds / 86_400) - 1;
    for (const [i, name] of [domain, COMMON].entries()) {
      const results = [{ domain: sender, selector: "k", result: "pass" as const, rawResult: "", humanResult: "" }];
      const records = [sampleRecord(name, { sourceIp: ip, count, dkim: "fail", dkimResults: results })];
      const uid = `${account === "acme" ? "a" : "b"}${i}`.padEnd(32, "0");
      const report = aggregateReport(name, { day, records, reporter: `${account} Reporter` });
      await commitSamples(ledger, [{ account, uid, report, records, receivedSeconds: nowSeconds }], { nowSeconds });
    }
  }

  function incident(account: string, domain: string, subject: string): Incident {
    const { nowSeconds } = simulation.invocation();
    return {
      id: `${account}-${domain}-${nowSeconds}`,
      account,
      domain,
      rule: "newSender",
      subject,
      severity: "urgent",
      title: `${subject} began to send`,
      evidence: [subject],
      causes: [{ code: "x", sentence: subject }],
      link: "/",
      isEvent: true,
      state: "open",
      openedSeconds: nowSeconds,
      foundSeconds: nowSeconds,
      remindedSeconds: 0,
      resolvedSeconds: 0,
    };
  }

  /** An incident of each account about its own domain and about the common one, with a notice at once. */
  async function happen(): Promise<void> {
    for (const account of NAMES) {
      const { domain, sender } = ACCOUNTS[account];
      const { ledger } = await inShardOf(account, simulation.invocation());
      for (const name of [domain, COMMON]) {
        const one = incident(account, name, sender);
        const told = {
          ...one,
          incident: one.id,
          step: "opened" as const,
          cause: sender,
          urgency: "immediate" as const,
        };
        await change(ledger, [
          ...keepIncidents([one]),
          ...addNotices([{ ...told, createdSeconds: one.openedSeconds }]),
        ]);
      }
    }
    const one = incident("", "", "pipeline-secret.test");
    const told = { ...one, incident: one.id, step: "opened" as const, cause: "", urgency: "immediate" as const };
    await change(simulation.ledger, addNotices([{ ...told, createdSeconds: one.openedSeconds }]));
  }

  /** Every kind of channel with every kind of digest. */
  async function addChannels(account: Account): Promise<string[]> {
    const ids: string[] = [];
    for (const kind of CHANNEL_KINDS) {
      for (const digest of DIGEST_INTERVALS) {
        const target =
          kind === "email" ? `${digest}@${account}.test` : `${simulation.webhookOrigin}/${account}/${kind}/${digest}`;
        const settings = {
          account,
          kind,
          digest,
          target,
          name: `${account} ${kind}`,
          timeZone: "UTC",
          sendsNotices: true,
        };
        const added = await createChannel(settings, { invocation: simulation.invocation(), caller: CALLER });
        if (!added.ok) throw new Error(added.error.message);
        ids.push(added.value.id);
      }
    }
    return ids;
  }

  async function run(): Promise<void> {
    for (let minute = 0; minute < 4; minute++) {
      await watchDomains(simulation.invocation(), true);
      await enqueueDeliveries(simulation.invocation());
      await simulation.drain();
      simulation.clock.nowMilliseconds += 60_000;
    }
  }

  it("sends notices, digests, tests and confirmations only to the account's own channels", async () => {
    await watchDomains(simulation.invocation(), true);
    const ids = { acme: await addChannels("acme"), other: await addChannels("other") };
    simulation.clock.nowMilliseconds += 1000;
    for (const account of NAMES) {
      for (const id of ids[account]) {
        expect((await testChannel({ account, id }, { invocation: simulation.invocation(), caller: CALLER })).ok).toBe(
          true,
        );
      }
    }
    await happen();
    await run();
    // Past a Monday and the first of a month: every digest is due.
    simulation.clock.nowMilliseconds = Date.UTC(2026, 11, 1, 12);
    await run();

    const mails = simulation.sentMails.map(({ to, ...mail }) => ({
      account: /@(\w+)\.test$/.exec(to)?.[1] ?? "",
      content: JSON.stringify(mail),
    }));
    const all = [...received, ...mails];
    for (const account of NAMES) {
      const own = all.filter((one) => one.account === account);
      const foreign = NAMES.filter((one) => one !== account).flatMap(words);
      // A test and two notices for each channel, and a digest for those that want one.
      const { length: kinds } = CHANNEL_KINDS;
      expect(own).toHaveLength(kinds * 4 * 3 + kinds * 3);
      for (const { content } of own) {
        for (const word of [...foreign, "pipeline-secret.test"]) expect(content).not.toContain(word);
      }
      const together = own.map(({ content }) => content).join("\n");
      for (const word of [ACCOUNTS[account].domain, ACCOUNTS[account].sender, `${account} Holding`, "/report?account"])
        expect(together).toContain(word);
    }
    expect(all.every(({ account }) => account === "acme" || account === "other")).toBe(true);
  });

  it("never finds, tests, confirms or removes a channel under another account's name", async () => {
    const [id = ""] = await addChannels("other");
    const call = { invocation: simulation.invocation(), caller: CALLER };
    expect((await testChannel({ account: "acme", id }, call)).ok).toBe(false);
    expect((await confirmByOperator({ account: "acme", id }, call)).ok).toBe(false);
    await deleteChannel({ account: "acme", id }, call);
    for (const database of simulation.ledgers) {
      expect(await ask(database, channelsQuery(["acme"]))).toEqual([]);
      expect(await ask(database, deliveriesQuery(["acme"], 100))).toEqual([]);
    }
    const { ledger } = await inShardOf("other", simulation.invocation());
    expect(await ask(ledger, channelsQuery(["other"]))).toHaveLength(CHANNEL_KINDS.length * DIGEST_INTERVALS.length);
  });

  it("asks a person of another account for confirmation like anybody else", async () => {
    const person = { email: "bob@other.test", entry: { role: "viewer" as const, accounts: ["other"] } };
    await change(simulation.ledger, putPerson(person, { by: "", nowSeconds: 1 }));
    const channel = { kind: "email" as const, target: "bob@other.test", name: "Bob", digest: "daily" as const };
    const caller = {
      name: "ann@acme.test",
      authority: { isOperator: false, accounts: { acme: "administrator" as const } },
    };
    const settings = { ...channel, account: "acme", timeZone: "UTC", sendsNotices: true };
    const added = await createChannel(settings, { invocation: simulation.invocation(), caller });
    expect(added).toMatchObject({ value: { confirmedSeconds: 0 } });
    simulation.clock.nowMilliseconds += 1000;
    await happen();
    await run();
    simulation.clock.nowMilliseconds += 2 * 86_400_000;
    await run();
    expect(simulation.sentMails).toHaveLength(1);
    expect(simulation.sentMails[0]?.subject).toContain("Confirm");
    for (const word of [ACCOUNTS.acme.domain, ACCOUNTS.acme.sender])
      expect(simulation.sentMails[0]?.text).not.toContain(word);
  });
});
