import { expect, it } from "vitest";
import { readDmarcRecord } from "../../shared/guidance/dmarc-record.ts";
import { recordsToPublish } from "../../shared/guidance/records-to-publish.ts";

function values(domain: string, rua: string, published?: string[]): string[] {
  return recordsToPublish(domain, rua, published).map(({ name, value }) => `${name} ${value}`);
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
])("an existing record is extended: %s", (published, expected) => {
  const [record] = recordsToPublish("shop.example", "new@shop.example", [published]);
  expect(record?.value).toBe(expected);
});

it("characters with a meaning in the record are encoded", () => {
  const [record] = recordsToPublish("shop.example", "a,b!c@shop.example");
  expect(readDmarcRecord(record?.value ?? "").rua[0]?.address).toBe("a,b!c@shop.example");
});
