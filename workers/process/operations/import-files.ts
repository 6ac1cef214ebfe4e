/**
 * Takes files that a person imports as if they had come by mail: each is stored in R2 as it is, enqueued, and noted in the
 * ledger, in this order, so that an interrupted import can be run again. Nothing is stored twice.
 */
import { decodeBase64 } from "../../../shared/base64.ts";
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import type { Caller } from "../../../shared/contract/rpc.ts";
import { sha256Hex, sha256Text } from "../../../shared/identity.ts";
import { findAddresses } from "../../../shared/ledger/addresses.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import { type KnownImport, knownImportsQuery, putImports } from "../../../shared/ledger/imports.ts";
import { IMPORT_LIMITS } from "../../../shared/limits.ts";
import { messageAbout, type ReportMessage } from "../../../shared/messages.ts";
import { queueBatches } from "../../../shared/queue-batches.ts";
import { normalizeRua } from "../../../shared/registry.ts";
import { fail, ok } from "../../../shared/result.ts";
import { buildRawMetadata, fileNameForAddress, rawKey, WHOLE_MAIL_NAME } from "../../../shared/storage.ts";
import { badRequest, notFound } from "../answers.ts";
import { type Invocation, inShard } from "../env.ts";

type FileFacts = Omit<Inputs["importFiles"]["files"][number], "content">;
type Imported = Outputs["importFile"];

interface Context {
  rua: string;
  caller: Caller;
  /** On the database of the address's account. */
  invocation: Invocation;
}

/** Takes small files together. */
export async function importFiles(
  { rua, files }: Inputs["importFiles"],
  caller: Caller,
  invocation: Invocation,
): Promise<Answer<Outputs["importFiles"]>> {
  const context = await contextOf(rua, caller, invocation);
  if (!context.ok) return context;
  const decoded = new Map<string, { facts: FileFacts; bytes: Uint8Array<ArrayBuffer> }>();
  let total = 0;
  for (const { content, ...facts } of files) {
    const bytes = decodeBase64(content);
    if (bytes === undefined) return refused(`The content of ${facts.name} is not base64.`);
    total += bytes.byteLength;
    if (total > IMPORT_LIMITS.maxCallBytes) return tooLarge(`The files are larger than ${IMPORT_LIMITS.maxCallBytes}`);
    if ((await sha256Hex(bytes)) !== facts.sha256) return refused(`The content of ${facts.name} has another SHA-256.`);
    decoded.set(facts.sha256, { facts, bytes });
  }
  const items = await takeAll(
    [...decoded.values()].map(({ facts }) => facts),
    context.value,
    async (key, facts) => {
      const bytes = decoded.get(facts.sha256)?.bytes ?? new Uint8Array();
      const { env } = context.value.invocation;
      await env.R2_DMARC_REPORTS.put(key, bytes, putOptions(facts, context.value));
    },
  );
  return ok({ items });
}

/** Takes one large file, which is streamed into R2. */
export async function importFile(
  { rua, content, size, ...facts }: Inputs["importFile"],
  caller: Caller,
  invocation: Invocation,
): Promise<Answer<Imported>> {
  const stream = content instanceof Blob ? content.stream() : content;
  const context = await contextOf(rua, caller, invocation);
  if (!context.ok || size > IMPORT_LIMITS.maxFileBytes) await stream.cancel();
  if (!context.ok) return context;
  if (size > IMPORT_LIMITS.maxFileBytes) return tooLarge(`The file is larger than ${IMPORT_LIMITS.maxFileBytes}`);
  let isRead = false;
  try {
    const [imported] = await takeAll([facts], context.value, async (key) => {
      isRead = true;
      const body = stream.pipeThrough(new FixedLengthStream(size));
      const { env } = context.value.invocation;
      await env.R2_DMARC_REPORTS.put(key, body, { ...putOptions(facts, context.value), sha256: facts.sha256 });
    });
    if (imported === undefined) throw new Error("A file that was taken is not among those that were taken.");
    return ok(imported);
  } catch (error) {
    if (!isOfContent(error)) throw error;
    return refused(`The content of ${facts.name} has another size or SHA-256 than declared.`);
  } finally {
    if (!isRead) await stream.cancel();
  }
}

// As R2 (10037: another checksum) and FixedLengthStream say it.
function isOfContent(error: unknown): boolean {
  return /\(10037\)|checksum|FixedLengthStream/i.test(String(error));
}

async function contextOf(address: string, caller: Caller, invocation: Invocation): Promise<Answer<Context>> {
  const rua = normalizeRua(address);
  const [registration] = await findAddresses(invocation.shards.directory, [rua]);
  if (registration === undefined) {
    return notFound(`${rua} is not registered: register it first (dmarc rua add).`);
  }
  return ok({ rua, caller, invocation: inShard(invocation, registration.shard) });
}

/** Stores, enqueues and notes the files that are new; known ones that are still waiting are enqueued again. */
async function takeAll(
  files: readonly FileFacts[],
  context: Context,
  store: (key: string, facts: FileFacts) => Promise<void>,
): Promise<Imported[]> {
  const { rua, caller, invocation } = context;
  const { ledger, nowSeconds } = invocation;
  const known = await findKnown(files, context);
  const messages: ReportMessage[] = [];
  const taken = await Promise.all(
    files.map(async (facts) => {
      const before = known.get(facts.sha256);
      const rawKey = before?.rawKey ?? (await keyOf(facts, context));
      if (before === undefined) await store(rawKey, facts);
      const receivedSeconds = before?.importedSeconds ?? nowSeconds;
      // Its message may have been lost.
      if (before?.outcomes == null) messages.push(messageAbout({ rawKey, rua, receivedSeconds }));
      return { sha256: facts.sha256, key: rawKey, isNew: before === undefined };
    }),
  );
  for (const batch of queueBatches(messages)) await invocation.env.QUEUE_REPORTS.sendBatch(batch);
  const isNew = new Map(taken.filter((file) => file.isNew).map(({ sha256, key }) => [sha256, key]));
  const noted = files.flatMap(({ sha256, origin }) => {
    const key = isNew.get(sha256);
    const by = { importedSeconds: nowSeconds, importedBy: caller.name, origin };
    return key === undefined ? [] : [{ sha256, rua, rawKey: key, ...by }];
  });
  if (noted.length > 0) await change(ledger, [await putImports(noted)]);
  return taken;
}

async function findKnown(
  files: readonly FileFacts[],
  { rua, invocation }: Context,
): Promise<ReadonlyMap<string, KnownImport>> {
  const found = await ask(invocation.ledger, knownImportsQuery(files.map(({ sha256 }) => sha256)));
  return new Map(found.filter((known) => known.rua === rua).map((known) => [files[known.place]?.sha256 ?? "", known]));
}

/**
 * Each address has a separate object, and so has a file that also came by mail. A mail is named as one stored whole: it
 * may be a failure report, which process deletes.
 */
async function keyOf(facts: FileFacts, { rua, invocation }: Context): Promise<string> {
  const hash = await sha256Text(`imported ${rua} ${facts.authentication ?? ""}`);
  const name = facts.isMail === true ? WHOLE_MAIL_NAME : facts.name;
  return rawKey(invocation.nowSeconds, facts.sha256, fileNameForAddress(hash, name));
}

function putOptions(facts: FileFacts, { rua, invocation }: Context): R2PutOptions {
  const { name, origin, isMail, from = "", subject = "", messageId = "", authentication = "" } = facts;
  return {
    onlyIf: { etagDoesNotMatch: "*" },
    customMetadata: buildRawMetadata({
      rua,
      sender: "",
      from,
      subject,
      messageId,
      receivedSeconds: invocation.nowSeconds,
      fileName: name,
      mimeType: isMail === true ? "message/rfc822" : "",
      tlsReportDomain: "",
      objectsOfMail: 1,
      passedOver: {},
      authentication,
      importedFrom: origin,
    }),
  };
}

function refused(message: string): Answer<never> {
  return badRequest(message);
}

function tooLarge(what: string): Answer<never> {
  return fail({ code: "too_large", message: `${what} bytes.` });
}
