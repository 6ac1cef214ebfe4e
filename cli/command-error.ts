/** A failure the user can do something about: printed as one sentence, without a stack, with exit code 1. */
export class CommandError extends Error {
  override name = "CommandError";
  /** What the API called it, where it was the API that refused. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** Nothing answered, or only that it cannot at the moment: later it may. */
export class UnavailableError extends CommandError {
  override name = "UnavailableError";
  /** Something answered: it is there. */
  readonly isThere: boolean;

  constructor(message: string, { isThere }: { isThere: boolean }) {
    super(message);
    this.isThere = isThere;
  }
}
