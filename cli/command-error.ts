/** A failure the user can act on: printed as one sentence without a stack trace, with exit code 1. */
export class CommandError extends Error {
  override name = "CommandError";
  /** The API's problem code, if the API refused. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** Nothing answered, or it is temporarily unavailable. */
export class UnavailableError extends CommandError {
  override name = "UnavailableError";
  /** Whether something answered. */
  readonly isThere: boolean;

  constructor(message: string, { isThere }: { isThere: boolean }) {
    super(message);
    this.isThere = isThere;
  }
}
