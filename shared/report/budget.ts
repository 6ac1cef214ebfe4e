/**
 * What reading one object may cost, over all its documents, levels and archives. What exceeds it refuses the object as a
 * whole: one who sends little and makes much of it has none of it counted.
 */
import { READ_LIMITS } from "../limits.ts";
import { type Problem, problem } from "./problems.ts";

/** Stops reading the whole object. Only shared/report sees one: read.ts turns it into an event. */
export class Refusal extends Error {
  override name = "Refusal";
  readonly problem: Problem;

  constructor(detail: string) {
    const tooLarge = problem("too_large", detail);
    super(tooLarge.message);
    this.problem = tooLarge;
  }
}

/** What is counted. */
type Resource = "outputBytes" | "records" | "documents" | "generalChars" | "parserChars" | "heldChars";

interface Allowance {
  most: number;
  left: number;
}

/** An object's budget. Each method throws a Refusal when it is used up. */
export class ReadBudget {
  readonly #allowances: Record<Resource, Allowance>;

  /**
   * @param sizeBytes the object as it was received
   * @param objectsOfMail objects that its mail was taken apart into: what any object may cost is shared among them
   */
  constructor(sizeBytes: number, objectsOfMail = 1) {
    const grown = (least: number, perByte: number, most: number): number =>
      Math.min(most, Math.max(Math.ceil(least / objectsOfMail), Math.floor(sizeBytes * perByte)));
    const { freeOutputBytes, maxOutputRatio, maxOutputBytes } = READ_LIMITS;
    const { freeRecords, leastBytesPerRecord, maxRecords } = READ_LIMITS;
    const { freeDocuments, leastBytesPerDocument, maxDocuments } = READ_LIMITS;
    this.#allowances = {
      outputBytes: allowance(grown(freeOutputBytes, maxOutputRatio, maxOutputBytes)),
      records: allowance(grown(freeRecords, 1 / leastBytesPerRecord, maxRecords)),
      documents: allowance(grown(freeDocuments, 1 / leastBytesPerDocument, maxDocuments)),
      generalChars: allowance(READ_LIMITS.maxGeneralChars),
      parserChars: allowance(READ_LIMITS.maxParserChars),
      heldChars: allowance(READ_LIMITS.maxReportChars),
    };
  }

  /** Bytes that may still be unpacked. */
  get outputBytesLeft(): number {
    return this.#allowances.outputBytes.left;
  }

  /** Bytes that an archive unfolded to. */
  takeOutput(bytes: number): void {
    this.#take("outputBytes", bytes, "bytes unpacked from so few");
  }

  /** Records, or what counts as such: policies and failure details of TLS reports. */
  takeRecords(records: number): void {
    this.#take("records", records, "records in so few bytes");
  }

  /** A document, whatever it is. */
  takeDocument(): void {
    this.#take("documents", 1, "documents in so few bytes");
  }

  /** Characters that no shape of the fast path has read. */
  takeGeneral(chars: number): void {
    this.#take("generalChars", chars, "characters of records and markup of no known shape");
  }

  /** Characters that only the XML parser can read, or that have to be repaired. */
  takeParser(chars: number): void {
    this.#take("parserChars", chars, "characters of unusual XML");
  }

  /** Characters of a report without its records, which are held until the object has been read to its end. */
  takeHeld(chars: number): void {
    this.#take("heldChars", chars, "characters of reports beside their records");
  }

  #take(resource: Resource, amount: number, what: string): void {
    const allowance = this.#allowances[resource];
    allowance.left -= amount;
    if (allowance.left < 0) throw new Refusal(`more than ${allowance.most} ${what}`);
  }
}

function allowance(most: number): Allowance {
  return { most, left: most };
}
