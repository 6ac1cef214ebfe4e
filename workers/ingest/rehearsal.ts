/**
 * Takes a few small mails while the Worker starts, with bindings that keep nothing. V8 compiles a function when it first runs:
 * what the start has compiled costs the first invocation nothing, which on the free plan has 10 ms of CPU. The start may take a
 * second (Workers limits page: startup time).
 */
import { findRegistration } from "../../shared/ledger/find-registration.ts";
import { putCopy, type RegistryStore } from "../../shared/registry.ts";
import { type Received, storeMail } from "./receive.ts";

const RUA = "rehearsal@example.invalid";
const RECEIVED_SECONDS = 1_735_000_000;
/** As many rounds as V8 needs to recompile, for speed, what runs often. */
const TIMES = 16;

/**
 * Mail is not read from a stream here, which a start cannot do.
 *
 * @returns what was received of each mail, for the test
 */
export async function rehearse(): Promise<Received[]> {
  const copy = await registryOf(RUA);
  const directory = { prepare: refuse, batch: refuse };
  const env = {
    R2_DMARC_REPORTS: { put: async () => ({}) },
    QUEUE_REPORTS: { sendBatch: async () => {} },
    AUTHSERV_ID: "mx.cloudflare.net",
  };
  const headers = new Headers({ from: "dmarc@example.invalid", "message-id": "<1@example.invalid>" });
  const message = { from: "dmarc@example.invalid", headers };
  const received: Received[] = [];
  for (let number = 0; number < TIMES; number++) {
    const registration = await findRegistration({ copy, directory }, RUA);
    if (registration === undefined) return received;
    const receipt = { rua: registration.rua, receivedSeconds: RECEIVED_SECONDS };
    const bytes = new Uint8Array(new TextEncoder().encode(mailText(number)));
    received.push(await storeMail({ bytes, message }, env as unknown as IngestBindings, receipt));
  }
  return received;
}

function refuse(): never {
  throw new Error("The rehearsal has no ledger.");
}

/** A registry of one address, in memory. */
async function registryOf(rua: string): Promise<RegistryStore> {
  const values = new Map<string, string>();
  const store = {
    get: async (key: string) => values.get(key) ?? null,
    put: async (key: string, value: string) => void values.set(key, value),
    delete: async (key: string) => void values.delete(key),
  };
  await putCopy(store, { rua, entry: { account: "rehearsal" }, shard: 0 });
  return store;
}

/** As reporters write them: now the report alone, now beside a text; now signed, now as a receiver before us has verified it. */
function mailText(number: number): string {
  const proof = number % 4 < 2 ? SIGNATURE : VERIFIED;
  const type = `application/gzip; name="${number}.xml.gz"`;
  const attachment = `Content-Type: ${type}
Content-Disposition: attachment; filename="example.org!example.com!${number}.xml.gz"
Content-Transfer-Encoding: base64

${ATTACHMENT}
`;
  const header = `Received: from mx.example.invalid (mx.example.invalid [192.0.2.25]) by mx.example.com; Tue, 24 Dec 2024 00:26:40 +0000
${proof}
From: DMARC reports <dmarc@example.invalid>
To: ${RUA}
Subject: Report domain: example.com Submitter: example.invalid Report-ID: ${number}
Date: Tue, 24 Dec 2024 00:26:40 +0000
Message-ID: <${number}@example.invalid>
MIME-Version: 1.0
`;
  const text = number % 2 === 0 ? `${header}${attachment}` : `${header}${besideText(attachment)}`;
  return text.replaceAll("\n", "\r\n");
}

function besideText(attachment: string): string {
  return `Content-Type: multipart/mixed; boundary="=_report"

--=_report
Content-Type: text/plain; charset=us-ascii

This is a DMARC aggregate report for example.com.
--=_report
${attachment}--=_report--
`;
}

const SIGNATURE =
  "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.invalid; s=s1; h=from:to:subject; bh=AAAA; b=BBBB";
const VERIFIED =
  "Authentication-Results: mx.cloudflare.net; dkim=pass header.d=example.invalid; spf=pass smtp.mailfrom=dmarc@example.invalid; dmarc=pass header.from=example.invalid";
/** Begins as a gzip file does (RFC 1952). Ingest reads no more of it. */
const ATTACHMENT = `H4sIAAAAAAAA/${"A".repeat(63)}`;
