import { describe, expect, it } from "vitest";
import { readAll } from "../support/read.ts";

const record = (lastOctet: number): string =>
  `<record><row><source_ip>192.0.2.${lastOctet}</source_ip><count>1</count><policy_evaluated>` +
  "<disposition>none</disposition><dkim>pass</dkim><spf>pass</spf></policy_evaluated></row>" +
  "<identifiers><header_from>a.example</header_from></identifiers>" +
  "<auth_results><spf><domain>a.example</domain><result>pass</result></spf></auth_results></record>";
const records = Array.from({ length: 20 }, (_, i) => record(i)).join("");
const head =
  "<feedback><report_metadata><org_name>x</org_name><email>a@b.example</email><report_id>1</report_id>" +
  "<date_range><begin>1700000000</begin><end>1700086400</end></date_range></report_metadata>" +
  "<policy_published><domain>a.example</domain><p>none</p></policy_published>";

// Once a shape is known, the stream is cut at every `<record`; these hold many that begin none. Looking at them again at
// each cut took minutes, far beyond the time a test may take.
describe("what only looks like the start of a record", () => {
  const many = (count: number) => "<record".repeat(count);

  it.each([
    ["a comment between records", `${head}${records}<!-- ${many(140_000)} -->${records}</feedback>`, 40],
    ["a comment in a record", `${head}${records}<record><!-- ${many(30_000)} -->${record(1).slice(8)}</feedback>`, 21],
    ["CDATA in an unknown element", `${head}${records}<x><![CDATA[${many(140_000)}]]></x></feedback>`, 20],
    ["elements in an extension", `${head}<extension>${"<record/>".repeat(9000)}</extension>${records}</feedback>`, 20],
  ])("is skipped in %s", async (_, xml, expected) => {
    const { reports, problems } = await readAll(xml);
    expect(problems).toEqual([]);
    expect(reports.map(({ records }) => records.length)).toEqual([expected]);
  });

  it("is the cut end of a truncated report", async () => {
    const { problems } = await readAll(`${head}${records}<record>${many(30_000)}`);
    expect(problems.map(({ code }) => code)).toEqual(["truncated"]);
  });
});
