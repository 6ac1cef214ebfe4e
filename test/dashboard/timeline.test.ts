/** The timeline on the overview, over a ledger in workerd's D1: what it says of which day, where its marks stand, its bounds. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { StoredCheck } from "../../shared/guidance/stored-check.ts";
import { ask, type Change, change } from "../../shared/ledger/database.ts";
import { keepCheck, recordChangesOfPeriodQuery } from "../../shared/ledger/domain-checks.ts";
import { decisionsOfPeriodQuery, putSenderDecision } from "../../shared/ledger/sender-decisions.ts";
import { DASHBOARD_LIMITS } from "../../shared/limits.ts";
import { aggregateReport, commitSamples, sampleRecord } from "../support/ledger-fill.ts";
import { TODAY } from "../support/today.ts";
import { API_TOKEN, type Dashboard, startDashboard } from "./harness.ts";

const DOMAIN = "acme.example";
const nowSeconds = Math.floor(Date.now() / 1000);
const iso = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);
const { maxTimelineEvents } = DASHBOARD_LIMITS;

const NOTHING_FOUND: StoredCheck = {
  domain: DOMAIN,
  state: "unknown",
  organizationalDomain: DOMAIN,
  policies: {},
  olderPolicies: {},
  destinations: [],
  spfLookups: 0,
  keys: [],
  checks: [],
};

let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await startDashboard({ vars: { API_TOKEN } });
  await seedReport({ uid: "1", day: TODAY - 60, p: "none", addresses: ["192.0.2.1"] });
  const many = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"];
  await seedReport({ uid: "2", day: TODAY - 10, p: "quarantine", addresses: many });
  await change(dashboard.ledger, [
    decide({ account: "acme", source: "192.0.2.2", day: TODAY - 5 }),
    decide({ account: "elsewhere", source: "192.0.2.3", day: TODAY - 5 }),
  ]);
  const found = { name: `_dmarc.${DOMAIN}`, type: "TXT" as const, before: ["v=DMARC1; p=none"], after: [] };
  const kept = { account: "acme", domain: DOMAIN, checkedSeconds: (TODAY - 7) * 86_400, check: NOTHING_FOUND };
  await change(dashboard.ledger, keepCheck(kept, [found]));
});

afterAll(() => dashboard.close());

interface Seed {
  uid: string;
  day: number;
  p: "none" | "quarantine";
  addresses: string[];
}

async function seedReport({ uid, day, p, addresses }: Seed): Promise<void> {
  const records = addresses.map((sourceIp) =>
    sampleRecord(DOMAIN, { count: 10, sourceIp, dkimResults: [], spfResults: [], dkim: "fail", spf: "fail" }),
  );
  const report = aggregateReport(DOMAIN, { day, records, p });
  const sample = { account: "acme", uid: uid.repeat(32), report, records, receivedSeconds: (day + 1) * 86_400 };
  await commitSamples(dashboard.ledger, [sample], { nowSeconds });
}

interface Decided {
  account: string;
  source: string;
  day: number;
}

function decide({ account, source, day }: Decided): Change {
  const decided = { account, domain: DOMAIN, source, decision: "notMine", note: "", decidedBy: "ann" } as const;
  return putSenderDecision({ ...decided, decidedSeconds: day * 86_400 + 60 });
}

async function overview(query = ""): Promise<string> {
  const answer = await dashboard.ask(`/domains/${DOMAIN}${query}`, { headers: { accept: "text/html" } });
  return (await answer.text()).replaceAll(/<\/?bdi[^>]*>|<wbr\/?>/g, "");
}

/** Text of the list, a line an entry. */
function entries(page: string): string[] {
  return [...page.matchAll(/<ol class="timeline">(.*?)<\/ol>/gs)]
    .flatMap(([, list = ""]) => list.split("</li>"))
    .map((item) => item.replaceAll(/<svg.*?<\/svg>/gs, "|").replaceAll(/<[^>]+>/g, ""))
    .filter((item) => item !== "");
}

it("the timeline lists what changed each day, the newest first", async () => {
  expect(entries(await overview())).toEqual([
    `${iso(TODAY - 5)}|192.0.2.2 decided: not mine, by ann`,
    `${iso(TODAY - 7)}|TXT record of _dmarc.${DOMAIN} removed`,
    `${iso(TODAY - 10)}|Receivers first reported p=quarantine`,
    `${iso(TODAY - 10)}|4 new sources: 192.0.2.2, 192.0.2.3, 192.0.2.4 and 1 more`,
  ]);
});

it("the timeline leaves out other days and the very first policy", async () => {
  const page = await overview(`?from=${iso(TODAY - 65)}&to=${iso(TODAY - 50)}`);
  expect(page).toContain('id="volume"');
  expect(page).not.toContain("What changed");
});

it("marks are in the middle of their days", async () => {
  const page = await overview();
  const [wide = ""] = page.match(/<svg class="wide".*?<\/svg>/s) ?? [];
  const strip = new RegExp(`<rect class="hover" x="([\\d.]+)"[^>]*width="([\\d.]+)"[^>]*data-tip="${iso(TODAY - 10)}:`);
  const [, x, width] = strip.exec(wide) ?? [];
  const middle = Number(x) + Number(width) / 2;
  const marks = [...wide.matchAll(/<path class="mark"[^>]*translate\(([\d.]+) ([\d.]+)\)" data-tip="([^"]*)"/g)];
  const ofDay = marks.filter(([, , , tip = ""]) => tip.startsWith(iso(TODAY - 10)));
  expect(ofDay.map(([, , , tip]) => tip)).toEqual([
    `${iso(TODAY - 10)}: First reported: p=quarantine`,
    `${iso(TODAY - 10)}: 4 new sources`,
  ]);
  for (const [, at] of ofDay) expect(Math.abs(Number(at) - middle)).toBeLessThan(0.02);
  // A lane a kind.
  expect(new Set(marks.map(([, , y]) => y)).size).toBe(4);
});

it("the timeline queries only the given accounts, and no more than is shown", async () => {
  const period = { firstDay: TODAY - 30, lastDay: TODAY, limit: 10 };
  const own = await ask(dashboard.ledger, decisionsOfPeriodQuery(DOMAIN, ["acme"], period));
  expect(own.map(({ source }) => source)).toEqual(["192.0.2.2"]);
  expect(await ask(dashboard.ledger, recordChangesOfPeriodQuery(DOMAIN, ["elsewhere"], period))).toEqual([]);
  const sources = Array.from({ length: maxTimelineEvents }, (_, i) => `192.0.3.${i}`);
  const day = TODAY - 2;
  await change(
    dashboard.ledger,
    sources.map((source) => decide({ account: "acme", source, day })),
  );
  const page = await overview();
  expect(page).toContain(`the newest ${maxTimelineEvents} are shown`);
  expect(entries(page).filter((entry) => entry.includes("decided"))).toHaveLength(maxTimelineEvents);
  expect(page).toContain(`<summary>and ${maxTimelineEvents + 3 - 6} more</summary>`);
});
