/** The balance of parts: what was found in mail, and what became of each of them. */
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { missingParts, partsQuery, readParts } from "../../shared/ledger/activity.ts";
import { ask } from "../../shared/ledger/database.ts";
import { PROCESS_LIMITS } from "../../shared/limits.ts";
import { zip } from "../support/archives.ts";
import { sampleMail, sampleReport, sampleTlsReport } from "../support/sample-report.ts";
import { setUpSimulation } from "../support/simulation/setup.ts";
import { Simulation } from "../support/simulation/simulation.ts";
import { base64Lines, uuencode } from "../support/uuencode.ts";

setUpSimulation();

const RUA = "dmarc@acme.example";

function newSimulation(): Simulation {
  const simulation = new Simulation();
  simulation.register(RUA, { account: "acme" });
  return simulation;
}

async function send(simulation: Simulation, ...files: { name: string; content: Uint8Array }[]): Promise<void> {
  expect(await simulation.deliver({ from: "a@reporter.example", to: RUA, raw: sampleMail(files) })).toBe("taken");
  await simulation.drain();
}

async function balance(simulation: Simulation) {
  const parts = readParts(await ask(simulation.ledger, partsQuery(simulation.clock.nowMilliseconds / 1000)));
  expect(missingParts(parts)).toBe(0);
  return { found: parts.found, outcomes: parts.outcomes };
}

const file = (name: string, content: string | Uint8Array) => ({ name, content: Buffer.from(content) });

it("parts include each report, copy, other version and unreadable file", async () => {
  const simulation = newSimulation();
  await send(
    simulation,
    file("a.xml", sampleReport()),
    file("b.xml", sampleReport({ reportId: "id-2" }).slice(0, 300)),
    file("c.xml", sampleReport({ reportId: "id-3" })),
  );
  await send(simulation, file("d.xml", sampleReport().replaceAll("\n", "\r\n")));
  await send(simulation, file("e.xml", sampleReport({ records: [{ sourceIp: "192.0.2.9", count: 1, pass: true }] })));
  expect(await balance(simulation)).toEqual({
    found: 5,
    outcomes: { accepted: 2, dead_letter: 1, duplicate: 1, conflict: 1 },
  });
});

it("parts include files sent as text, each report of a list, and a mail without its header", async () => {
  const simulation = newSimulation();
  const inBase64 = base64Lines(gzipSync(sampleReport()));
  await send(
    simulation,
    file("a.xml.gz", inBase64),
    file("b.txt", uuencode(gzipSync(sampleReport({ reportId: "b" })), "b.gz")),
  );
  await send(simulation, file("a.xml.gz", gzipSync(sampleReport())));
  const reports = [1, 2].map((day) => sampleTlsReport("example.com", `2026-01-0${day}`));
  const list = `[${reports.join(",")},{"date-range":{},"report-id":"t3"}]`;
  await send(simulation, file("tls.json", list));
  const whole = Buffer.from(sampleMail([file("c.xml", sampleReport({ reportId: "c" }))])).toString("latin1");
  const raw = Buffer.from(
    whole.replace(/^(?:MIME-Version|Content-Type):.*\r\n(?:[ \t].*\r\n)*/gim, (field, at: number) =>
      at < whole.indexOf("\r\n\r\n") ? "" : field,
    ),
    "latin1",
  );
  expect(await simulation.deliver({ from: "a@reporter.example", to: RUA, raw })).toBe("taken");
  await simulation.drain();
  expect(await balance(simulation)).toEqual({ found: 7, outcomes: { accepted: 5, duplicate: 1, dead_letter: 1 } });
});

it("counts every file of a dead letter that stands for many", async () => {
  const simulation = newSimulation();
  const unreadable = PROCESS_LIMITS.maxDeadLettersPerObject + 5;
  const entries = Array.from({ length: unreadable }, (_, i) => ({
    name: `${i}.xml`,
    content: `<feedback><broken ${i}`,
  }));
  await send(simulation, file("many.zip", zip([...entries, { name: "good.xml", content: sampleReport() }])));
  expect(simulation.rows("SELECT code FROM dead_letters")).toEqual([{ code: "too_many_problems" }]);
  expect(await balance(simulation)).toEqual({
    found: unreadable + 1,
    outcomes: { accepted: 1, dead_letter: unreadable },
  });
});

it("an object refused whole is one part, and separate parts once it is reprocessed", async () => {
  const simulation = newSimulation();
  simulation.recordsPerDay.address = 1;
  await send(simulation, file("a.xml", sampleReport()));
  expect(await balance(simulation)).toEqual({ found: 1, outcomes: { dead_letter: 1 } });
});
