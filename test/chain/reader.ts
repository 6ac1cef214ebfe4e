/** A Worker that reads what it is sent and answers what it found: the report reader in workerd, for reading.test.ts. */
import { createHash } from "node:crypto";
import { readReports } from "../../shared/report/read.ts";
import { RecordShapes } from "../../shared/report/shapes/record-shapes.ts";
import { type ByteSource, bytesSource } from "../../shared/report/source.ts";
import { cutSource, NOW_SECONDS } from "../support/read.ts";

/** Known from request to request, as in `process`. */
const shapes = new RecordShapes();

export default {
  async fetch(request: Request): Promise<Response> {
    const pieceBytes = Number(new URL(request.url).searchParams.get("pieceBytes"));
    const bytes = new Uint8Array(await request.arrayBuffer());
    return Response.json(await tell(pieceBytes === 0 ? bytesSource(bytes) : cutSource(bytes, [pieceBytes])));
  },
};

/** What reading tells of a source; the records only by their number and hash. */
export async function tell(source: ByteSource): Promise<unknown[]> {
  const told: unknown[] = [];
  let hash = createHash("sha256");
  let records = 0;
  for await (const event of readReports(source, {
    nowSeconds: NOW_SECONDS,
    createHash: () => createHash("sha256"),
    shapes,
  })) {
    if (event.type === "records") {
      records += event.records.length;
      for (const record of event.records) hash.update(JSON.stringify(record));
      continue;
    }
    told.push(event.type !== "report" ? event : { ...event, records, hash: hash.digest("hex") });
    hash = createHash("sha256");
    records = 0;
  }
  return told;
}
