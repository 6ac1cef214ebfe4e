/**
 * Every page over reports, mails and settings with markup in each of their texts, with the real Workers behind it: no element and no
 * attribute of them is one of the page, and no link leads elsewhere. Other markup as of any property (support/properties.ts).
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { pageRoutes } from "../../workers/dashboard/routes.ts";
import { linksOf, textsOf } from "../support/html.ts";
import fc from "../support/properties.ts";
import { sampleMail } from "../support/sample-report.ts";
import { type Pipeline, startPipeline } from "./pipeline.ts";

const DOMAIN = "markup.example";
const RUA = "rua@markup.example";
const PERIOD = "from=2023-11-01&to=2023-11-30";

/** What may end a text, a value or an element, around an element and an attribute that no page has. */
const markup = fc
  .array(
    fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom("<q-evil onq=1>", '" onq=1 ', "' onq=1 ", "<script>onq=1</script>") },
      fc.constantFrom(
        ...['"', "'", "<", ">", "&lt;", "&#60;q-evil&#62;", "</td>", "</title>", "</textarea>", "</script>"],
      ),
      fc.constantFrom(
        ...["<!--", "-->", "]]>", "javascript:onq", "{{", "${", "`", "=", "/", "\\", "%3Cq-evil%3E", "\u2028"],
      ),
    ),
    { minLength: 2, maxLength: 5 },
  )
  .map((pieces) => `${pieces.join("")}<q-evil onq=1>`);

/** Gives another text each time. */
function texts(): () => string {
  const sampled = fc.sample(markup, 200);
  let next = 0;
  return () => sampled[next++ % sampled.length] ?? "";
}

const text = texts();
const inXml = (): string => text().replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("\u2028", " ");

/** The same in both versions of a report. */
const REPORTER = inXml();

function aggregate(reportId: string, count: number): string {
  return `<feedback><report_metadata><org_name>${REPORTER}</org_name><email>${inXml()}</email>
<extra_contact_info>${inXml()}</extra_contact_info><report_id>${reportId}</report_id><error>${inXml()}</error>
<generator>${inXml()}</generator><date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>
<policy_published><domain>${DOMAIN}</domain><p>${inXml()}</p><sp>${inXml()}</sp><fo>${inXml()}</fo><pct>${inXml()}</pct>
<adkim>${inXml()}</adkim></policy_published>
<record><row><source_ip>192.0.2.1</source_ip><count>${count}</count><policy_evaluated><disposition>${inXml()}</disposition>
<dkim>${inXml()}</dkim><spf>fail</spf><reason><type>${inXml()}</type><comment>${inXml()}</comment></reason></policy_evaluated></row>
<identifiers><header_from>${inXml()}.${DOMAIN}</header_from><envelope_from>${inXml()}</envelope_from><envelope_to>${inXml()}</envelope_to></identifiers>
<auth_results><dkim><domain>${inXml()}.test</domain><selector>${inXml()}</selector><result>pass</result><human_result>${inXml()}</human_result></dkim>
<spf><domain>${inXml()}</domain><scope>${inXml()}</scope><result>${inXml()}</result></spf></auth_results></record>
<record><row><source_ip>${inXml()}</source_ip><count>${inXml()}</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim>
<spf>fail</spf></policy_evaluated></row><identifiers><header_from>${DOMAIN}</header_from></identifiers></record></feedback>`;
}

function tls(): string {
  return JSON.stringify({
    "organization-name": text(),
    "date-range": { "start-datetime": "2023-11-14T00:00:00Z", "end-datetime": "2023-11-14T23:59:59Z" },
    "contact-info": text(),
    "report-id": text(),
    policies: [
      {
        policy: {
          "policy-type": text(),
          "policy-domain": DOMAIN,
          "policy-string": [text(), text()],
          "mx-host": [text()],
        },
        summary: { "total-successful-session-count": 9, "total-failure-session-count": 3 },
        "failure-details": [
          {
            "result-type": text(),
            "sending-mta-ip": text(),
            "receiving-mx-hostname": text(),
            "receiving-mx-helo": text(),
            "receiving-ip": text(),
            "failed-session-count": 3,
            "failure-reason-code": text(),
            "additional-information": text(),
          },
        ],
      },
    ],
  });
}

function failure(): string {
  const one = (): string => text().replaceAll("\u2028", " ");
  return `From: reports@mail.example
To: ${RUA}
Message-ID: <f1@mail.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: message/feedback-report

Feedback-Type: auth-failure
User-Agent: ${one()}
Version: 1
Auth-Failure: ${one()}
Identity-Alignment: ${one()}
Delivery-Result: ${one()}
Source-IP: ${one()}
Reported-Domain: ${DOMAIN}
Original-Mail-From: <${one()}@bounce.${DOMAIN}>
DKIM-Domain: ${one()}
DKIM-Selector: ${one()}
SPF-DNS: txt : ${DOMAIN} : ${one()}
Arrival-Date: Tue, 14 Nov 2023 10:00:00 +0000
Reporting-MTA: dns; ${one()}

--b
Content-Type: text/rfc822-headers

From: someone@${DOMAIN}
Subject: ${one()}
--b--
`.replaceAll("\n", "\r\n");
}

let pipeline: Pipeline;

beforeAll(async () => {
  pipeline = await startPipeline();
  await pipeline.ask(`/registry/${RUA}`, "PUT", { account: "markup", domains: [DOMAIN] });
  const mail = (files: Record<string, string>): string =>
    sampleMail(Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content) })))
      .toString()
      .replace(/^From: .*$/m, () => `From: "${text().replaceAll('"', "")}" <a@b.example>`)
      .replace(/^Subject: .*$/m, () => `Subject: ${text().replaceAll("\u2028", " ")}`);
  const deliver = (raw: string): Promise<void> => pipeline.deliverMail({ from: "a@b.example", to: RUA, raw });
  await deliver(mail({ "<q-evil onq=1>.xml": aggregate("twice", 10), "' onq=1 .json": tls() }));
  await deliver(failure());
  await pipeline.settled({ accepted: 3 });
  await deliver(
    mail({ "a.xml": aggregate("twice", 20), "<q-evil onq=1>.xml": `<feedback><report_metadata><org_name>${inXml()}` }),
  );
  await pipeline.settled({ accepted: 3, conflict: 1, dead_letter: 1 });
  const { client } = pipeline;
  const set = [
    await client.ask("decideSender", {
      account: "markup",
      domain: DOMAIN,
      source: "192.0.2.1",
      decision: "mine",
      note: text(),
    }),
    await client.ask("mute", { account: "markup", domain: DOMAIN, note: text() }),
  ];
  expect(set.map(({ ok }) => ok)).toEqual([true, true]);
  await pipeline.ask("/reprocess", "POST", { filter: { domain: DOMAIN }, dryRun: true });
}, 120_000);

afterAll(() => pipeline.close());

/** What is on a page and must not be. */
function alive(html: string): string[] {
  // Values stand in double quotes, in which no double quote can be.
  const withoutValues = html.replaceAll(/="[^"]*"/g, '=""');
  const tags = withoutValues.match(/<[^>]*>/g) ?? [];
  const links = [...html.matchAll(/\s(?:href|src|action|formaction)="([^"]*)"/g)].map(([, link = ""]) => link);
  return [
    ...tags.filter((tag) => /onq|q-evil/i.test(tag)),
    ...links.filter((link) => /^\s*(?:javascript:|data:text|\/\/)/i.test(link)),
    ...(html.includes("<q-evil") ? ["<q-evil"] : []),
    ...(withoutValues.match(/<script\b[^>]*>[^<]/g) ?? []),
  ];
}

it("no page has an element, an attribute or a link of theirs", { timeout: 300_000 }, async () => {
  const routes = pageRoutes().map(([path]) => ({
    path,
    pattern: new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`),
  }));
  const seen = new Map<string, number>();
  const asked = new Set<string>();
  const waiting = [`/?${PERIOD}`, "/operations"];
  let quoted = 0;
  for (const path of waiting) {
    const { pathname, search } = new URL(path, pipeline.origin);
    const route = routes.find(({ pattern }) => pattern.test(pathname))?.path ?? pathname;
    if (asked.has(pathname + search) || (seen.get(route) ?? 0) >= 6 || /^\/assets|\/raw$/.test(pathname)) continue;
    asked.add(pathname + search);
    seen.set(route, (seen.get(route) ?? 0) + 1);
    const { status, text } = await pipeline.page(path);
    expect([status, path]).toEqual([200, path]);
    if (search.includes("export=")) continue;
    expect([path, alive(text)]).toEqual([path, []]);
    // Its tags match.
    quoted += textsOf(text).filter((one) => one.text.includes("<q-evil")).length;
    waiting.push(...linksOf(text).filter((link) => link.startsWith("/")));
  }
  expect(quoted).toBeGreaterThan(50);
  expect(seen.size).toBeGreaterThan(25);
});

it("the test finds them", () => {
  expect(alive('<p title="a" onq=1>')).toHaveLength(1);
  expect(alive("<p><q-evil></p>")).toHaveLength(2);
  expect(alive('<a href="javascript:x">')).toHaveLength(1);
  expect(alive('<p title="&lt;q-evil onq=1&gt;">&lt;q-evil onq=1&gt;</p>')).toEqual([]);
});

it("a failure that names no address has no link to the page of one", async () => {
  const { status, text } = await pipeline.page(`/domains/${DOMAIN}/failures?${PERIOD}`);
  expect(status).toBe(200);
  expect(text).toContain("none given");
  expect(linksOf(text).filter((link) => link.includes("/addresses/"))).toEqual([]);
});
