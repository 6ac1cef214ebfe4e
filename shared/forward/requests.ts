/** The request that takes a part of a report, or a test, to a target of each kind. */

import { signedHeaders } from "../notify/signature.ts";
import { type ForwardedReport, objectKey, type PartContent, reportEvent, splunkEvents, testEvent } from "./event.ts";
import { putRequest } from "./s3.ts";
import type { ForwardTarget } from "./target.ts";

/** A part of a report. */
export interface ReportPart {
  report: ForwardedReport;
  content: PartContent;
}

/** The request for one part. */
export async function partRequest(
  target: ForwardTarget,
  { report, content }: ReportPart,
  nowSeconds: number,
): Promise<Request> {
  if (target.kind === "splunk") return eventsRequest(target, splunkBody([{ report, content }]));
  const body = JSON.stringify(reportEvent(report, content));
  if (target.kind === "s3") return putRequest(target, { key: objectKey(report, content.part), body, nowSeconds });
  return signedRequest(target, { id: `${report.uid}-${content.part}`, body, nowSeconds });
}

/** The body of a request to Splunk: events one after the other. */
export function splunkBody(parts: readonly ReportPart[]): string {
  return parts
    .flatMap(({ report, content }) => splunkEvents(report, content))
    .map((event) => JSON.stringify(event))
    .join("\n");
}

/** A request to Splunk's HTTP Event Collector. */
export function eventsRequest({ url, secret }: ForwardTarget, body: string): Request {
  const headers = { authorization: `Splunk ${secret}`, "content-type": "application/json" };
  return new Request(url, { method: "POST", headers, body });
}

/** The request for a test. */
export async function testRequest(target: ForwardTarget, nowSeconds: number): Promise<Request> {
  const event = testEvent(`test-${nowSeconds}`);
  if (target.kind === "splunk") {
    const wrapped = { time: nowSeconds, source: "dmarc", sourcetype: "dmarc:test", event };
    return eventsRequest(target, JSON.stringify(wrapped));
  }
  const body = JSON.stringify(event);
  if (target.kind === "s3") return putRequest(target, { key: "test.json", body, nowSeconds });
  return signedRequest(target, { id: event.id, body, nowSeconds });
}

// As webhooks of channels are signed.
async function signedRequest(
  { url, secret }: ForwardTarget,
  { id, body, nowSeconds }: { id: string; body: string; nowSeconds: number },
): Promise<Request> {
  const signed = await signedHeaders(secret, { id, body, nowSeconds });
  const headers = { "content-type": "application/json", "user-agent": "dmarc-pipeline/1", ...signed };
  return new Request(url, { method: "POST", headers, body });
}
