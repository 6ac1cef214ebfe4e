/**
 * How bad input leaves a streaming pipeline: generators inside shared/report throw a Rejection, and read.ts turns it
 * into a problem value. Nothing outside shared/report ever sees one.
 */
import { type Problem, type ProblemCode, problem } from "./problems.ts";

/** Bad input, thrown inside shared/report only. */
export class Rejection extends Error {
  override name = "Rejection";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** Stops reading this part because its input is bad. */
export function reject(code: ProblemCode, detail = ""): never {
  throw new Rejection(problem(code, detail));
}
