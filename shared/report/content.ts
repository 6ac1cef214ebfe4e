/** Content that is to be read, where it stands, and what it is read with. Types, and nothing else. */
import type { DocumentContext, DocumentPlace } from "./documents.ts";
import type { ReadEvent } from "./read.ts";
import type { ByteSource } from "./source.ts";

/** Content to read: a stream, and the object behind it where there is one. */
export interface Content {
  chunks: AsyncIterable<Uint8Array>;
  source?: ByteSource;
  /** All of it at once, where that is quicker. */
  whole?: () => Promise<Uint8Array | undefined>;
  /** Whether it is a mail, whatever its first lines look like. */
  isMail?: boolean;
}

export interface Place extends DocumentPlace {
  /** Archives around it, those around the mail that it came in included. */
  depth: number;
  /** Mails around it that were read one within the other. */
  mails: number;
  /** Whether it has been judged already that it may be a report; what has not may be passed over. */
  isJudged: boolean;
  /** Content-Disposition of a part of a mail, lower case. */
  disposition?: string;
  /** Its first bytes, once they have been looked at. */
  head?: Uint8Array;
}

export interface Context extends DocumentContext {
  maxParsedMessageBytes: number;
  /** Reads whatever the content is; what is bad about it comes out as a problem. */
  read: (content: Content, place: Place, context: Context) => AsyncGenerator<ReadEvent>;
}
