/** Asks the way in that ingest has on one machine (local/worker/ingest.ts). It decides nothing. */
import { request } from "node:http";
import type { WorkersAddress } from "./workers.ts";

/** Requests to this host go to ingest, all others to the dashboard. The name belongs to nobody (RFC 2606). */
export const INGEST_HOST = "ingest.invalid";

/** Thrown when the time is up; the Workers may hang. */
export class NoAnswerError extends Error {
  override name = "NoAnswerError";
}

interface Question {
  /** "/mail" with the envelope, "/migrations", "/health": local/worker/ingest.ts has them. */
  path: string;
  body?: Buffer;
  timeoutMilliseconds: number;
}

/** Sends a request without `fetch`, which does not allow setting the host that wrangler routes by. @throws NoAnswerError when the time is up */
export function askIngest(workers: WorkersAddress, question: Question): Promise<{ status: number; body: string }> {
  const { port, workersSecret } = workers;
  const { path, body, timeoutMilliseconds } = question;
  return new Promise((resolve, reject) => {
    const headers = {
      host: INGEST_HOST,
      "x-dmarc-workers-secret": workersSecret,
      "content-length": body?.length ?? 0,
    };
    const method = body === undefined ? "GET" : "POST";
    const call = request({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      response.once("error", reject);
      response.toArray().then((chunks) => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
      }, reject);
    });
    const timer = setTimeout(
      () => call.destroy(new NoAnswerError(`no answer within ${timeoutMilliseconds / 1000} s`)),
      timeoutMilliseconds,
    );
    call.once("close", () => clearTimeout(timer));
    call.once("error", reject);
    call.end(body);
  });
}
