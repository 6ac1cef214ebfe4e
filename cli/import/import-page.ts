/**
 * Imports a few files: leaves out what the ledger knows by its content, reads the rest, finds the account of each, and
 * sends it. Every file has a result. What is interrupted is simply run again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Inputs, Outputs } from "../../shared/contract/operations.ts";
import { IMPORT_LIMITS } from "../../shared/limits.ts";
import { bytesSource } from "../../shared/report/source.ts";
import type { ApiClient } from "../client.ts";
import { CommandError, UnavailableError } from "../command-error.ts";
import { type FoundFile, hashOf, type MailFacts, readContent, readMailFacts } from "./found-file.ts";
import { ownerOf, type Registration } from "./owner.ts";

export interface ImportSettings {
  client: ApiClient;
  /** The addresses files may go to. */
  chosen: readonly Registration[];
  /** Receiver whose results on top of mails are believed; "" = none. */
  authservId: string;
  /** Nothing is sent. */
  isDryRun: boolean;
  /** Seconds since 1970 UTC. */
  nowSeconds: number;
}

/** What became of a file. */
export interface FileResult {
  file: FoundFile;
  sha256: string;
  /** `selected`: a dry run would have imported it; `no_owner`: its account is not known; `failed`: it was refused. */
  result: "taken" | "selected" | "known" | "no_report" | "no_owner" | "failed";
  /** Why, for the last three. */
  reason: string;
  /** The address it goes to. */
  rua: string;
}

/** A file that is to be sent. */
interface Sendable {
  file: FoundFile;
  sha256: string;
  rua: string;
  mail: MailFacts | undefined;
}

/** The file with its bytes in memory, so that its source may be closed. @throws whatever the source throws */
export async function held(file: FoundFile): Promise<FoundFile> {
  const { source } = file;
  if (source.bytes !== undefined) return file;
  return { ...file, source: bytesSource(await source.read(0, source.sizeBytes)) };
}

/**
 * Imports files.
 *
 * @returns a result for each, in any order
 * @throws CommandError when the API refuses or does not answer; running it again continues
 */
export async function importPage(files: readonly FoundFile[], settings: ImportSettings): Promise<FileResult[]> {
  const hashed: { file: FoundFile; sha256: string }[] = [];
  for (const file of files) hashed.push({ file, sha256: await hashOf(file.source) });
  const known = await findKnown([...new Set(hashed.map(({ sha256 }) => sha256))], settings);
  const results: FileResult[] = [];
  const sendable: Sendable[] = [];
  const copies: typeof hashed = [];
  const seen = new Set<string>();
  for (const { file, sha256 } of hashed) {
    const rua = known.get(sha256);
    if (rua !== undefined) results.push({ file, sha256, result: "known", reason: "", rua });
    else if (seen.has(sha256)) copies.push({ file, sha256 });
    else {
      const looked = await look({ file, sha256 }, settings);
      if ("result" in looked) results.push(looked);
      else sendable.push(looked);
    }
    seen.add(sha256);
  }
  if (settings.isDryRun) results.push(...sendable.map((one) => resultOf(one, "selected")));
  else for (const batch of batches(sendable)) results.push(...(await send(batch, settings)));
  const firsts = new Map(results.map((one) => [one.sha256, one]));
  return [...results, ...copies.flatMap((copy) => resultOfCopy(copy, firsts.get(copy.sha256)))];
}

/** What became of a file whose content another one of the page has: nothing is known of what was not taken. */
function resultOfCopy(copy: Pick<FileResult, "file" | "sha256">, first: FileResult | undefined): FileResult[] {
  if (first === undefined) return [];
  const { result, reason, rua } = first;
  const isTaken = result === "taken" || result === "selected";
  return [{ ...copy, result: isTaken ? "known" : result, reason, rua }];
}

async function findKnown(sha256s: string[], { client, chosen }: ImportSettings): Promise<ReadonlyMap<string, string>> {
  const addresses = new Set(chosen.map(({ rua }) => rua));
  const known = new Map<string, string>();
  for (let i = 0; i < sha256s.length; i += IMPORT_LIMITS.askedPerCall) {
    const some = sha256s.slice(i, i + IMPORT_LIMITS.askedPerCall);
    const { items } = await patiently(() => client.ask("knownImports", { sha256s: some }));
    for (const { sha256, rua } of items) if (addresses.has(rua)) known.set(sha256, rua);
  }
  return known;
}

async function look(
  { file, sha256 }: { file: FoundFile; sha256: string },
  { chosen, authservId, nowSeconds }: ImportSettings,
): Promise<Sendable | FileResult> {
  const mail = await readMailFacts(file.source, authservId);
  const content = await readContent(file, nowSeconds, mail);
  if (content.type === "no_report") return { file, sha256, result: "no_report", reason: content.reason, rua: "" };
  const owner = ownerOf({ domains: content.domains, recipients: mail?.recipients ?? [] }, chosen);
  if (!owner.ok) return { file, sha256, result: "no_owner", reason: owner.error, rua: "" };
  return { file, sha256, rua: owner.value, mail };
}

/** Files of one address that fit a call; a large one alone. */
function* batches(sendable: readonly Sendable[]): Generator<Sendable[]> {
  const open = new Map<string, { files: Sendable[]; bytes: number }>();
  for (const one of sendable) {
    const { sizeBytes } = one.file.source;
    if (isLarge(one)) {
      yield [one];
      continue;
    }
    let batch = open.get(one.rua) ?? { files: [], bytes: 0 };
    if (batch.files.length >= IMPORT_LIMITS.filesPerCall || batch.bytes + sizeBytes > IMPORT_LIMITS.maxCallBytes) {
      yield batch.files;
      batch = { files: [], bytes: 0 };
    }
    batch.files.push(one);
    batch.bytes += sizeBytes;
    open.set(one.rua, batch);
  }
  for (const { files } of open.values()) if (files.length > 0) yield files;
}

function isLarge({ file: { source } }: Sendable): boolean {
  return source.sizeBytes > IMPORT_LIMITS.maxSharedFileBytes;
}

/** Problem codes about the files; any other ends the import. */
const OF_FILES = new Set(["bad_request", "too_large"]);

async function send(batch: readonly Sendable[], settings: ImportSettings): Promise<FileResult[]> {
  try {
    const taken = await sendOnce(batch, settings);
    const isNew = new Map(taken.map((one) => [one.sha256, one.isNew]));
    return batch.map((one) => resultOf(one, isNew.get(one.sha256) === true ? "taken" : "known"));
  } catch (error) {
    if (!(error instanceof CommandError) || !OF_FILES.has(error.code ?? "")) throw error;
    return batch.map((one) => resultOf(one, "failed", error.message));
  }
}

async function sendOnce(
  batch: readonly Sendable[],
  { client }: ImportSettings,
): Promise<Outputs["importFiles"]["items"]> {
  const [first] = batch;
  if (first === undefined) return [];
  const { rua } = first;
  if (isLarge(first)) {
    const { sizeBytes: size } = first.file.source;
    if (size > IMPORT_LIMITS.maxFileBytes) {
      throw new CommandError(`It is larger than ${IMPORT_LIMITS.maxFileBytes} bytes.`, "too_large");
    }
    return [
      await patiently(async () =>
        client.ask("importFile", { rua, ...factsOf(first), size, content: await first.file.blob() }),
      ),
    ];
  }
  const files = await Promise.all(
    batch.map(async (one) => {
      const { source } = one.file;
      const bytes = source.bytes ?? (await source.read(0, source.sizeBytes));
      return { ...factsOf(one), content: Buffer.from(bytes).toString("base64") };
    }),
  );
  return (await patiently(() => client.ask("importFiles", { rua, files }))).items;
}

function factsOf({ file, sha256, mail }: Sendable): Omit<Inputs["importFiles"]["files"][number], "content"> {
  const { maxNameChars, maxOriginChars } = IMPORT_LIMITS;
  // The end of a long path says more than its start.
  const facts = { sha256, name: file.name.slice(0, maxNameChars), origin: file.origin.slice(-maxOriginChars) };
  if (mail === undefined) return facts;
  const { from, subject, messageId, authentication } = mail;
  return { ...facts, isMail: true, from, subject, messageId, authentication };
}

function resultOf({ file, sha256, rua }: Sendable, result: FileResult["result"], reason = ""): FileResult {
  return { file, sha256, result, reason, rua };
}

/** Ours: waits before a call that was not answered is made again; the Workers of one machine are back within seconds. */
const RETRY_WAITS_MS = [500, 1000, 2000, 4000, 8000, 15_000];

/** Makes a call again while the API is there but busy, or being restarted: each may be repeated. */
export async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (const wait of RETRY_WAITS_MS) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      await sleep(wait);
    }
  }
  return call();
}
