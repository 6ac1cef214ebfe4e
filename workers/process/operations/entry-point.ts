/**
 * The RPC entry point of process. Each call passes the same steps: the input is validated, the caller has to have the
 * role that the operation takes, a change is written to the audit log, and the handler runs. It knows no operation by
 * name: they are in table.ts.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { allowed, validate } from "../../../shared/contract/operation.ts";
import { type Inputs, OPERATIONS, type Outputs, type ProcessOperation } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import type { Caller, OperationsEntry } from "../../../shared/contract/rpc.ts";
import { newInvocation, type ProcessEnv } from "../env.ts";
import { audited, isAudited } from "./audit.ts";
import { HANDLERS } from "./table.ts";

/** The entry point. */
export class Operations extends WorkerEntrypoint<ProcessEnv> implements OperationsEntry {
  async call<Name extends ProcessOperation>(
    name: Name,
    input: Inputs[Name],
    caller: Caller,
  ): Promise<Answer<Outputs[Name]>> {
    const valid = validate(OPERATIONS[name].input, input);
    if (!valid.ok) return valid;
    const permitted = allowed(caller.authority, OPERATIONS[name], valid.value);
    if (!permitted.ok) return permitted;
    const invocation = newInvocation(this.env, Date.now());
    const run = () => HANDLERS[name](valid.value, { invocation, caller });
    return isAudited(name, valid.value) ? audited({ name, input: valid.value, caller, invocation }, run) : run();
  }
}
