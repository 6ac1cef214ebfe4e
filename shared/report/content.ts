/** Types for content to be read: the content, its position, and the reader's context. */
import type { DocumentContext, DocumentPlace } from "./documents.ts";
import type { ReadEvent } from "./read.ts";
import type { ByteSource } from "./source.ts";

/** Content to read: a stream, and the underlying object if there is one. */
export interface Content {
  chunks: AsyncIterable<Uint8Array>;
  source?: ByteSource;
  /** All of it at once, if that is quicker. */
  whole?: () => Promise<Uint8Array | undefined>;
  /** Whether it is a mail, regardless of its first lines. */
  isMail?: boolean;
}

export interface Place extends DocumentPlace {
  /** Nesting depth in archives, including those around its mail. */
  depth: number;
  /** Nesting depth in mails. */
  mails: number;
  /** Whether it has already been judged a possible report; otherwise it may be passed over. */
  isJudged: boolean;
  /** Content-Disposition of a part of a mail, lower case. */
  disposition?: string;
  /** Whether it was found in a text, and so is not searched again. */
  isFromText?: boolean;
  /** Its first bytes, once known. */
  head?: Uint8Array;
}

export interface Context extends DocumentContext {
  maxParsedMessageBytes: number;
  /** Reads content of any format; errors become problem events. */
  read: (content: Content, place: Place, context: Context) => AsyncGenerator<ReadEvent>;
}
