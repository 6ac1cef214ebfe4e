/** A failure the user can do something about: printed as one sentence, without a stack, with exit code 1. */
export class CommandError extends Error {
  override name = "CommandError";
}
