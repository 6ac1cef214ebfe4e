/** The contract between dashboard and process: one method, typed by the table of operations. Types only. */
import type { Authority } from "../people.ts";
import type { Inputs, Outputs, ProcessOperation } from "./operations.ts";
import type { Answer } from "./problems.ts";

/** The authenticated caller, recorded with decisions. */
export interface Caller {
  /** Mail address of the person, or the name of the token. */
  name: string;
  authority: Authority;
}

/** The entry point `Operations` of process. */
export interface OperationsEntry {
  /** A failure is a value; a fault of the platform throws. */
  call<Name extends ProcessOperation>(name: Name, input: Inputs[Name], caller: Caller): Promise<Answer<Outputs[Name]>>;
}
