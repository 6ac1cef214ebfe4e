/** Requests to an S3-compatible bucket, signed with AWS Signature Version 4. The only importer of aws4fetch. */
import { AwsV4Signer } from "aws4fetch";
import type { ForwardTarget } from "./target.ts";

/** A request that puts an object. @param key below the target's prefix, its segments percent-encoded */
export async function putRequest(
  { url, region, accessKeyId, secret }: ForwardTarget,
  { key, body, nowSeconds }: { key: string; body: string; nowSeconds: number },
): Promise<Request> {
  const signer = new AwsV4Signer({
    method: "PUT",
    url: `${url}/${key}`,
    headers: { "content-type": "application/json" },
    body,
    accessKeyId,
    secretAccessKey: secret,
    service: "s3",
    region,
    datetime: new Date(nowSeconds * 1000).toISOString().replaceAll(/[:-]|\.\d{3}/g, ""),
  });
  const { method, url: signed, headers } = await signer.sign();
  return new Request(signed, { method, headers, body });
}
