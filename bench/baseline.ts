/**
 * What the reader is compared with: the same work done plainly, with the libraries everyone takes. It holds the document
 * as one text and builds the whole tree; it validates nothing.
 */
import { XMLParser } from "fast-xml-parser";
import { ungzip } from "pako";
import PostalMime from "postal-mime";
import { unzip } from "unzipit";

const parser = new XMLParser({ parseTagValue: false, isArray: (name) => name === "record" });

/** Reads a gzip or zip file of one report. @returns how many records its tree has */
export async function readFilePlainly(bytes: Uint8Array): Promise<number> {
  const tree = parser.parse(bytes[0] === 0x1f ? new TextDecoder().decode(ungzip(bytes)) : await unzipText(bytes));
  return tree.feedback.record.length;
}

/** Reads a mail with one such file attached. @returns how many records its tree has */
export async function readMailPlainly(bytes: Uint8Array): Promise<number> {
  return readFilePlainly(await attachmentPlainly(bytes));
}

/** The attachment of a mail. */
export async function attachmentPlainly(bytes: Uint8Array): Promise<Uint8Array> {
  const { attachments } = await PostalMime.parse(bytes, { attachmentEncoding: "arraybuffer" });
  const content = attachments[0]?.content;
  if (!(content instanceof ArrayBuffer)) throw new Error("the mail has no attachment");
  return new Uint8Array(content);
}

async function unzipText(bytes: Uint8Array): Promise<string> {
  const { entries } = await unzip(bytes);
  const [entry] = Object.values(entries);
  if (entry === undefined) throw new Error("the archive is empty");
  return entry.text();
}
