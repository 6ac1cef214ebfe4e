/** What an operation answers when it cannot be carried out. */
import { type Answer, noAccountProblem, type ProblemCode } from "../../shared/contract/problems.ts";
import type { OperationRefused } from "../../shared/operations.ts";
import { fail, ok } from "../../shared/result.ts";

/** Not found, with the account's name in the sentence. */
export function noAccount(account: string): Answer<never> {
  return fail(noAccountProblem(account));
}

/** Not found. @param message the sentence that says what is not there */
export function notFound(message: string): Answer<never> {
  return fail({ code: "not_found", message });
}

/** A bad request. @param message the sentence that says what is wrong with it */
export function badRequest(message: string): Answer<never> {
  return fail({ code: "bad_request", message });
}

/** What was found; a problem with this sentence where that is undefined. */
export function foundOr<T>(found: T | undefined, message: string): Answer<T> {
  return found === undefined ? notFound(message) : ok(found);
}

/** A refusal as a problem. */
export function refusal({ refused }: OperationRefused, code: ProblemCode = "bad_request"): Answer<never> {
  return fail({ code, message: refused });
}

/** What was done, or the refusal as a problem. */
export function doneOr<T extends object>(given: T | OperationRefused): Answer<T> {
  return "refused" in given ? refusal(given) : ok(given);
}

/** Runs a validation; what it throws becomes a problem. */
export function valid<T>(read: () => T, Refusal: new (message: string) => Error): Answer<T> {
  try {
    return ok(read());
  } catch (error) {
    if (error instanceof Refusal) return badRequest(error.message);
    throw error;
  }
}
