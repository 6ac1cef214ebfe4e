/**
 * Every page over what strangers wrote, with the real Workers behind it: whatever it was written into, it is in <bdi>,
 * and no character of it acts on the screen.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pageRoutes } from "../../workers/dashboard/routes.ts";
import { linksOf, textsOf } from "../support/html.ts";
import { sampleMail } from "../support/sample-report.ts";
import { type Pipeline, startPipeline } from "./pipeline.ts";

/** Stands in every text of a stranger; no page's own words hold it. */
const MARK = "qzmark";
/** Turns the writing direction, clears a screen, and is not seen. */
const HOSTILE = `\u202e\u2066${MARK}\u200f\u0085\ufeff`;
const DOMAIN = `${MARK}.example`;
const RUA = `${MARK}@acme.example`;
const PERIOD = "from=2023-11-01&to=2023-11-30";
/** What a browser takes no element in. */
const TEXT_ONLY = ["title", "option"];
const ACTING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

function aggregate(count: number): string {
  return `<feedback><report_metadata><org_name>${HOSTILE} org</org_name><email>${HOSTILE}@mail</email>
<extra_contact_info>${HOSTILE}</extra_contact_info><report_id>${HOSTILE}</report_id><error>${HOSTILE}</error>
<generator>${HOSTILE}</generator><date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>
<policy_published><domain>${DOMAIN}</domain><p>${HOSTILE}</p><sp>${HOSTILE}</sp><fo>${HOSTILE}</fo><pct>${HOSTILE}</pct></policy_published>
<record><row><source_ip>192.0.2.1</source_ip><count>${count}</count><policy_evaluated><disposition>${HOSTILE}</disposition>
<dkim>${HOSTILE}</dkim><spf>fail</spf><reason><type>${HOSTILE}</type><comment>${HOSTILE}</comment></reason></policy_evaluated></row>
<identifiers><header_from>${HOSTILE}.${DOMAIN}</header_from><envelope_from>${HOSTILE}</envelope_from><envelope_to>${HOSTILE}</envelope_to></identifiers>
<auth_results><dkim><domain>${HOSTILE}.test</domain><selector>${HOSTILE}</selector><result>pass</result></dkim>
<dkim><domain>${MARK}.sender.test</domain><selector>${HOSTILE}</selector><result>pass</result></dkim>
<spf><domain>${HOSTILE}</domain><scope>${HOSTILE}</scope><result>${HOSTILE}</result></spf></auth_results></record>
<record><row><source_ip>192.0.2.2</source_ip><count>1</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><header_from>${DOMAIN}</header_from></identifiers><${MARK}_extension>${HOSTILE}</${MARK}_extension></record></feedback>`;
}

const TLS = {
  "organization-name": HOSTILE,
  "date-range": { "start-datetime": "2023-11-14T00:00:00Z", "end-datetime": "2023-11-14T23:59:59Z" },
  "contact-info": HOSTILE,
  "report-id": HOSTILE,
  policies: [
    {
      policy: {
        "policy-type": HOSTILE,
        "policy-domain": DOMAIN,
        "policy-string": [HOSTILE, HOSTILE],
        "mx-host": [HOSTILE],
      },
      summary: { "total-successful-session-count": 9, "total-failure-session-count": 3 },
      "failure-details": [
        {
          "result-type": HOSTILE,
          "sending-mta-ip": HOSTILE,
          "receiving-mx-hostname": HOSTILE,
          "receiving-mx-helo": HOSTILE,
          "receiving-ip": HOSTILE,
          "failed-session-count": 3,
          "failure-reason-code": HOSTILE,
          "additional-information": HOSTILE,
        },
      ],
    },
  ],
};

const FAILURE = `From: reports@mail.example
To: ${RUA}
Message-ID: <f1@mail.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: message/feedback-report

Feedback-Type: auth-failure
User-Agent: ${MARK}
Version: 1
Auth-Failure: ${MARK}
Identity-Alignment: ${MARK}
Delivery-Result: ${MARK}
Source-IP: 192.0.2.7
Reported-Domain: ${DOMAIN}
Original-Mail-From: <someone@bounce.${DOMAIN}>
DKIM-Domain: ${DOMAIN}
DKIM-Selector: ${MARK}
SPF-DNS: txt : ${DOMAIN} : ${MARK}
Arrival-Date: Tue, 14 Nov 2023 10:00:00 +0000
Reporting-MTA: dns; ${MARK}.mail.example

--b
Content-Type: text/rfc822-headers

From: someone@${DOMAIN}
--b--
`.replaceAll("\n", "\r\n");

let pipeline: Pipeline;
/** Path without its parameters → the page. */
const pages = new Map<string, string>();

beforeAll(async () => {
  pipeline = await startPipeline();
  await pipeline.ask(`/registry/${RUA}`, "PUT", { account: MARK });
  // A domain that is registered has a page of its set-up.
  await pipeline.ask("/registry/own@acme.example", "PUT", { account: MARK, domains: [DOMAIN] });
  const mail = (files: Record<string, string>): string =>
    sampleMail(Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content) })))
      .toString()
      .replace(/^From: .*$/m, `From: "${MARK}" <${MARK}@forged.example>`)
      .replace(/^Subject: .*$/m, `Subject: ${MARK}`);
  const deliver = (raw: string): Promise<void> => pipeline.deliverMail({ from: `${MARK}@b.example`, to: RUA, raw });
  await deliver(mail({ [`${MARK}.xml`]: aggregate(10), [`${MARK}.json`]: JSON.stringify(TLS) }));
  await deliver(FAILURE);
  await pipeline.settled({ accepted: 3 });
  await deliver(mail({ "second.xml": aggregate(20) }));
  await deliver(mail({ [`${MARK}-broken.xml`]: `<feedback><report_metadata><org_name>${HOSTILE}` }));
  await pipeline.settled({ accepted: 3, conflict: 1, dead_letter: 1 });
  await pipeline.ask("/reprocess", "POST", { filter: { domain: DOMAIN }, dryRun: true });
  await crawl();
});

afterAll(() => pipeline.close());

/** Every page that can be reached, two of each route. */
async function crawl(): Promise<void> {
  const routes = readRoutes();
  const seen = new Map<string, number>();
  const waiting = [`/?${PERIOD}`, "/operations"];
  for (const path of waiting) {
    const { pathname } = new URL(path, pipeline.origin);
    const route = routes.find(({ pattern }) => pattern.test(pathname))?.path ?? pathname;
    if (pages.has(pathname) || (seen.get(route) ?? 0) >= 2 || /^\/assets|\/raw$/.test(pathname)) continue;
    seen.set(route, (seen.get(route) ?? 0) + 1);
    const { status, text } = await pipeline.page(path);
    expect([status, path]).toEqual([200, path]);
    pages.set(pathname, text);
    waiting.push(...linksOf(text).filter((link) => link.startsWith("/") && !link.includes("export=")));
  }
}

/** The paths of the route table, and what matches them. */
function readRoutes(): { path: string; pattern: RegExp }[] {
  return pageRoutes().map(([path]) => ({ path, pattern: new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`) }));
}

/** Texts with the mark that stand where they must not. */
function astray(html: string): string[] {
  return textsOf(html)
    .filter(({ text }) => text.toLowerCase().includes(MARK))
    .filter(({ elements: [nearest = ""] }) => nearest !== "bdi" && !TEXT_ONLY.includes(nearest))
    .map(({ text, elements }) => `${elements.slice(0, 3).join(" in ")}: ${text}`);
}

function actingTexts(html: string): string[] {
  return textsOf(html)
    .map(({ text }) => text)
    .filter((text) => ACTING.test(text));
}

describe("text from reports", () => {
  it("was searched for on every page of the route table", async () => {
    const routes = readRoutes().filter(({ path }) => !/\/(raw|logo)$/.test(path));
    expect(routes.length).toBeGreaterThan(12);
    const missing = routes.filter(({ pattern }) => ![...pages.keys()].some((path) => pattern.test(path)));
    expect(missing.map(({ path }) => path)).toEqual([]);
    for (const kind of ["/operations/conflicts", "/operations/dead-letters", "/operations/jobs"]) {
      expect(pages.get(kind)).toContain(MARK);
    }
    const reports = [...pages].filter(([path]) => path.startsWith("/reports/"));
    expect(reports.length).toBeGreaterThan(0);
  });

  it("is inside <bdi> and has no effect, wherever it came from", () => {
    let marked = 0;
    for (const [path, html] of pages) {
      expect([path, astray(html)]).toEqual([path, []]);
      expect([path, actingTexts(html)]).toEqual([path, []]);
      marked += textsOf(html).filter(({ text }) => text.includes(MARK)).length;
    }
    expect(marked).toBeGreaterThan(100);
  });

  it("is inside <bdi> on every kind of report", async () => {
    const lists = [
      ["reports", "/reports/"],
      ["tls", "TLS report of"],
      ["failures", "Failure report about"],
    ];
    for (const [list = "", title = ""] of lists) {
      const { text } = await pipeline.page(`/domains/${DOMAIN}/${list}?${PERIOD}`);
      const [link = ""] = linksOf(text).filter((href) => href.startsWith("/reports/"));
      const page = await pipeline.page(link);
      expect(page.text).toContain(title);
      expect(page.text).toContain("<bdi");
      expect([list, astray(page.text), actingTexts(page.text)]).toEqual([list, [], []]);
    }
  });

  it.each([
    `/${encodeURIComponent(HOSTILE)}`,
    `/domains/${encodeURIComponent(HOSTILE)}`,
    `/domains/${encodeURIComponent(HOSTILE)}/sources/${encodeURIComponent(HOSTILE)}`,
    `/domains/${encodeURIComponent(HOSTILE)}/addresses/${encodeURIComponent(HOSTILE)}`,
    `/domains/${encodeURIComponent(HOSTILE)}/reports?source=${encodeURIComponent(HOSTILE)}&reporter=${MARK}`,
    `/domains/${encodeURIComponent(HOSTILE)}/tls`,
    `/domains/${encodeURIComponent(HOSTILE)}/failures`,
    `/domains/${DOMAIN}/sources?${PERIOD}&sources.q=${encodeURIComponent(HOSTILE)}x`,
    `/?days=${encodeURIComponent(HOSTILE)}`,
    `/operations/dead-letters?code=${encodeURIComponent(HOSTILE)}`,
    `/operations/dead-letters/${encodeURIComponent(HOSTILE)}`,
  ])("is inside <bdi> when it comes from a link: %s", async (path) => {
    const { text } = await pipeline.page(path);
    expect(astray(text)).toEqual([]);
    expect(actingTexts(text)).toEqual([]);
  });
});

describe("the test itself", () => {
  it("finds text outside <bdi> and text that has an effect", () => {
    expect(astray(`<p>a ${MARK}</p><p><bdi>${MARK}</bdi></p>`)).toEqual([`p: a ${MARK}`]);
    expect(astray(`<bdi><wbr/>a<b>${MARK}</b></bdi>`)).toEqual([`b in bdi: ${MARK}`]);
    expect(actingTexts(`<bdi>${HOSTILE}</bdi>`)).toHaveLength(1);
  });
});
