/**
 * Limits what reading one object may cost, over all its documents, levels and archives. Exceeding a limit refuses the
 * object as a whole: nothing of a small mail that expands enormously is counted.
 */
import { READ_LIMITS } from "../limits.ts";
import { type Problem, problem } from "./problems.ts";

/** Stops reading the whole object. Never leaves shared/report: read.ts turns it into an event. */
export class Refusal extends Error {
  override name = "Refusal";
  readonly problem: Problem;

  constructor(detail: string) {
    const tooLarge = problem("too_large", detail);
    super(tooLarge.message);
    this.problem = tooLarge;
  }
}

/** The kinds of cost. */
type Resource = "outputBytes" | "records" | "documents" | "generalChars" | "parserChars" | "heldChars";

interface Allowance {
  most: number;
  left: number;
}

/** An object's budget. Each method throws a Refusal when its limit is exceeded. */
export class ReadBudget {
  readonly #allowances: Record<Resource, Allowance>;

  /**
   * @param sizeBytes size of the object as received
   * @param objectsOfMail number of objects its mail was split into, which share the minimum allowances
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

  /** Counts bytes unpacked from an archive. */
  takeOutput(bytes: number): void {
    this.#take("outputBytes", bytes, "bytes unpacked from so few");
  }

  /** Counts records, and likewise policies and failure details of TLS reports. */
  takeRecords(records: number): void {
    this.#take("records", records, "records in so few bytes");
  }

  /** Counts a document of any kind. */
  takeDocument(): void {
    this.#take("documents", 1, "documents in so few bytes");
  }

  /** Counts characters not read by the fast path. */
  takeGeneral(chars: number): void {
    this.#take("generalChars", chars, "characters of records and markup of no known shape");
  }

  /** Counts characters that need the XML parser or repairs. */
  takeParser(chars: number): void {
    this.#take("parserChars", chars, "characters of unusual XML");
  }

  /** Counts characters of a report without its records, which are held until the whole object has been read. */
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
