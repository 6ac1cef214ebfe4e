/** Refused mail: counted by address, and a flood fills nothing. */
import { expect, it } from "vitest";
import { ask, change } from "../../shared/ledger/database.ts";
import {
  noteRefusedMail,
  refusedMailQuery,
  removeOldRefusedMail,
  reportMails,
} from "../../shared/ledger/refused-mail.ts";
import { REFUSED_MAIL_LIMITS } from "../../shared/limits.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";
import { DAY } from "./rows.ts";

const { addressesPerDay, mailsPerAddress, otherMailsPerDay, maxAddressChars } = REFUSED_MAIL_LIMITS;
const at = (day: number, second = 0): number => day * 86_400 + second;

it("refused mails are counted by address, in any letter case, with the last sender", async () => {
  const ledger = new SqliteLedger();
  await noteRefusedMail(ledger, { recipient: "Dmrac@acme.example", sender: "a@x.example", seconds: at(DAY, 1) });
  await noteRefusedMail(ledger, { recipient: "dmrac@acme.example", sender: "b@x.example", seconds: at(DAY + 1, 2) });
  await noteRefusedMail(ledger, { recipient: "x@acme.example", sender: "", seconds: at(DAY, 3) });
  expect(await ask(ledger, refusedMailQuery({ firstDay: DAY, lastDay: DAY + 1 }))).toEqual([
    { rua: "dmrac@acme.example", mails: 2, isAtLeast: false, lastSeconds: at(DAY + 1, 2), lastSender: "b@x.example" },
    { rua: "x@acme.example", mails: 1, isAtLeast: false, lastSeconds: at(DAY, 3), lastSender: "" },
  ]);
  await change(ledger, [removeOldRefusedMail(DAY + 1)]);
  expect(await ask(ledger, refusedMailQuery({ firstDay: DAY, lastDay: DAY + 1 }))).toMatchObject([{ mails: 1 }]);
});

it("addresses per day and counts per address are limited, and no rows are written beyond that", async () => {
  const ledger = new SqliteLedger();
  const note = (recipient: string) => noteRefusedMail(ledger, { recipient, sender: "x".repeat(500), seconds: at(DAY) });
  for (let i = 0; i < addressesPerDay + 50; i++) await note(`${i}@acme.example`);
  for (let i = 0; i < mailsPerAddress + 20; i++) await note("7@acme.example");
  const rows = await ask(ledger, refusedMailQuery({ firstDay: DAY, lastDay: DAY }));
  expect(rows).toHaveLength(addressesPerDay + 1);
  expect(rows[0]).toMatchObject({ rua: "7@acme.example", mails: mailsPerAddress, isAtLeast: true });
  expect(rows[1]).toMatchObject({ rua: "", mails: 50, isAtLeast: false });
  expect(rows.every(({ lastSender }) => lastSender.length <= maxAddressChars + 1)).toBe(true);
  ledger.sqlite.exec(`UPDATE refused_mail SET mails = ${otherMailsPerDay} WHERE rua = ''`);
  const before = Number(ledger.sqlite.prepare("SELECT total_changes() AS n").get()?.n);
  await note("new@acme.example");
  await note("7@acme.example");
  expect(Number(ledger.sqlite.prepare("SELECT total_changes() AS n").get()?.n)).toBe(before);
  // Another day begins anew.
  await noteRefusedMail(ledger, { recipient: "new@acme.example", sender: "", seconds: at(DAY + 1) });
  expect(await ask(ledger, refusedMailQuery({ firstDay: DAY + 1, lastDay: DAY + 1 }))).toMatchObject([
    { rua: "new@acme.example" },
  ]);
});

it.each([
  ["dmrac@acme.example", "noreply-dmarc-support@google.com", 3],
  ["info@acme.example", "dmarcreport@microsoft.com", 3],
  ["smtp-tls@acme.example", "", 3],
  ["rua@acme.example", "postmaster@mail.example", 3],
  ["", "noreply@dmarc.yahoo.com", 3],
  ["sales@acme.example", "offers@shop.example", 0],
  ["truancy@acme.example", "ann@school.example", 0],
  ["", "", 0],
])("mail to '%s' from '%s' looks like %s reports", (rua, lastSender, count) => {
  expect(reportMails([{ rua, mails: 3, isAtLeast: false, lastSeconds: 0, lastSender }])).toBe(count);
});
