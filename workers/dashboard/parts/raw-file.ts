/** A raw object as a download: never shown by the browser, since strangers wrote it. */
import { ApiError, unless } from "../errors.ts";

/**
 * @param answer what process answers
 * @param raw.missing what to say when it is not there
 * @throws ApiError (404) then
 */
export async function rawFileAnswer(
  answer: Promise<Response>,
  raw: { rawKey: string; missing: string },
): Promise<Response> {
  const read = await unless(["not_found"], answer);
  if (!read.ok) throw new ApiError("not_found", raw.missing);
  const name = (raw.rawKey.split("/").at(-1) ?? "raw").replaceAll(/[^A-Za-z0-9._!@=+-]/g, "_");
  return new Response(read.value.body, {
    headers: { "content-type": "application/octet-stream", "content-disposition": `attachment; filename="${name}"` },
  });
}
