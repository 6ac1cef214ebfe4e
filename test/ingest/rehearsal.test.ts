import { expect, test } from "vitest";
import { rehearse } from "../../workers/ingest/rehearsal.ts";

test("each mail of the rehearsal at the start of ingest is taken as one object: its report, or the whole mail if it has to be verified", async () => {
  const received = await rehearse();
  expect(received.length).toBeGreaterThan(0);
  const names = received.map(({ keys }) => keys.map((key) => key.replace(/^.*\//, "")));
  for (const [number, keys] of names.entries()) {
    const isVerified = number % 4 >= 2;
    expect(keys).toEqual([isVerified ? `example.org!example.com!${number}.xml.gz` : "message.eml"]);
  }
});
