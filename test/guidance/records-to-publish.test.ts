import { expect, it } from "vitest";
import { readDmarcRecord } from "../../shared/guidance/dmarc-record.ts";
import { NOTHING_PUBLISHED, type Published, recordsToPublish } from "../../shared/guidance/records-to-publish.ts";

function values(domain: string, rua: string): string[] {
  return recordsToPublish(domain, rua).map(({ name, value }) => `${name} ${value}`);
}

function amend(published: Partial<Published>, domain = "shop.example") {
  return recordsToPublish(domain, "new@shop.example", { ...NOTHING_PUBLISHED, ...published });
}

it("an address of another organisation needs the record and a permission record", () => {
  expect(values("shop.example", "k7f3@rua.provider.example")).toEqual([
    "_dmarc.shop.example v=DMARC1; p=none; rua=mailto:k7f3@rua.provider.example",
    "shop.example._report._dmarc.rua.provider.example v=DMARC1;",
    "_smtp._tls.shop.example v=TLSRPTv1; rua=mailto:k7f3@rua.provider.example",
  ]);
});

it("an address of the same organisation needs no permission record", () => {
  expect(values("mail.shop.example", "dmarc@shop.example").filter((line) => line.includes("_report"))).toEqual([]);
});

it.each([
  ["v=DMARC1; p=reject; sp=none", "v=DMARC1; p=reject; sp=none; rua=mailto:new@shop.example"],
  ["v=DMARC1;p=none;rua=mailto:a@b.example;", "v=DMARC1; p=none; rua=mailto:a@b.example,mailto:new@shop.example"],
  ["v=DMARC1; p=none; rua=mailto:NEW@shop.example", "v=DMARC1; p=none; rua=mailto:NEW@shop.example"],
  ["v=DMARC1; p=reject; psd=n; t=y", "v=DMARC1; p=reject; psd=n; t=y; rua=mailto:new@shop.example"],
  ["V=DMARC1 ;p = reject", "v=DMARC1; p=reject; rua=mailto:new@shop.example"],
  ["v=DMARC1; p=none; rua=", "v=DMARC1; p=none; rua=mailto:new@shop.example"],
  [
    "v=DMARC1; p=none; rua=mailto:a@b.example!10m; p=reject; rua=mailto:c@d.example",
    "v=DMARC1; p=none; rua=mailto:a@b.example!10m,mailto:new@shop.example",
  ],
])("an existing record is extended: %s", (published, expected) => {
  const [record] = amend({ dmarc: [published] });
  expect(record?.value).toBe(expected);
});

it("characters with a meaning in the record are encoded", () => {
  const [record] = recordsToPublish("shop.example", "a,b!c@shop.example");
  expect(readDmarcRecord(record?.value ?? "").rua[0]?.address).toBe("a,b!c@shop.example");
});

it("a third address may be left out by receivers, and that is said", () => {
  const two = "v=DMARC1; p=none; rua=mailto:a@b.example,mailto:c@d.example";
  const [record] = amend({ dmarc: [two] });
  expect(record?.value).toBe(`${two},mailto:new@shop.example`);
  expect(record?.sentence).toContain("names 3 addresses, and some receivers send to the first 2 only (RFC 7489");
  const [second] = amend({ dmarc: ["v=DMARC1; p=none; rua=mailto:a@b.example"] });
  expect(second?.sentence).toBe("The record that is there, with this address added.");
});

it("several records become one, and one that receivers ignore is written as it was meant", () => {
  const [several] = amend({ dmarc: ["v=DMARC1; p=reject", "v=DMARC1; p=none"] });
  expect(several?.value).toBe("v=DMARC1; p=reject; rua=mailto:new@shop.example");
  expect(several?.sentence).toContain("In place of all 2 DMARC records that are there");
  const [escaped] = amend({ dmarc: ["v=DMARC1\\; p=reject", "other=1"] });
  expect(escaped?.value).toBe("v=DMARC1; p=reject; rua=mailto:new@shop.example");
  expect(escaped?.sentence).toContain("which receivers ignore: it has \\; instead of ;.");
});

it("a subdomain keeps the policy that applies to it by the record above", () => {
  const inherited = { policy: "reject", from: "shop.example" } as const;
  const [record] = amend({ inherited }, "mail.shop.example");
  expect(record?.value).toBe("v=DMARC1; p=reject; rua=mailto:new@shop.example");
  expect(record?.sentence).toContain("keeps the policy that applies now, from shop.example");
});

it("where DNS gave no answer nothing is said to be missing", () => {
  const [record, tls] = amend({ dmarc: undefined, tls: undefined });
  expect(record?.sentence).toContain(
    "If there is a record at _dmarc.shop.example, add the address to its rua instead.",
  );
  expect(tls?.sentence).toContain("DNS gave no answer on whether there is one already");
});

it("an alias is changed where it leads to", () => {
  const [record] = amend({ dmarc: ["v=DMARC1; p=reject"], alias: "shop.hosted.example" });
  expect(record?.sentence).toContain(
    "_dmarc.shop.example is an alias (CNAME) of shop.hosted.example: change the record",
  );
});

it.each([
  ["v=TLSRPTv1; rua=mailto:a@b.example", "v=TLSRPTv1; rua=mailto:a@b.example,mailto:new@shop.example"],
  ["v=TLSRPTv1;rua=mailto:New@shop.example;", "v=TLSRPTv1;rua=mailto:New@shop.example;"],
  ["v=TLSRPTv1; rua=", "v=TLSRPTv1; rua=mailto:new@shop.example"],
])("an existing record of TLS reports is extended, since two are none: %s", (published, expected) => {
  expect(amend({ tls: [published] }).at(-1)?.value).toBe(expected);
});

it("a public suffix and a mailbox provider's domain are not the person's", () => {
  expect(amend({}, "co.uk")[0]?.sentence).toContain("co.uk is a public suffix");
  expect(amend({}, "github.io")[0]?.sentence).toContain("github.io is a public suffix");
  expect(amend({}, "gmail.com")[0]?.sentence).toContain("gmail.com belongs to Gmail");
  expect(amend({}, "shop.example")[0]?.sentence).not.toMatch(/suffix|belongs/);
  expect(amend({}, "mail.shop.co.uk")[0]?.sentence).not.toMatch(/suffix|belongs/);
});
