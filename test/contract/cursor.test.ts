/** Cursors as the API answers them: opaque, of one list, and refused where they are of none. */

import { expect, it } from "vitest";
import { closeCursor, openCursor } from "../../shared/contract/cursor.ts";
import fc from "../support/properties.ts";

it("a cursor brings an operation back to where its answer ended", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: "grapheme" }), (place) => {
      const { cursor } = closeCursor("listReports", { items: [], cursor: place });
      expect(cursor).toMatch(/^[\w-]+$/);
      expect(openCursor("listReports", { limit: 5, cursor })).toEqual({ ok: true, value: { limit: 5, cursor: place } });
    }),
  );
});

it("a cursor of another list, a changed one and an invalid one are refused", () => {
  const { cursor } = closeCursor("listReports", { cursor: "100" });
  const refused = { ok: false, error: { code: "bad_request" } };
  for (const foreign of [cursor.slice(2), "100", "", "../..", "listReports\n100", "%00", "AAAA"]) {
    expect(openCursor("listReports", { cursor: foreign }), foreign).toMatchObject(refused);
  }
  expect(openCursor("listDomains", { cursor })).toMatchObject(refused);
});

it("answers and inputs without a cursor are unchanged", () => {
  expect(closeCursor("listReports", { items: [] })).toEqual({ items: [] });
  expect(openCursor("listReports", { limit: 5 })).toEqual({ ok: true, value: { limit: 5 } });
});
