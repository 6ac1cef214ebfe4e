/** Support: operations as callers of the API have them: the input validated, and asked again after a fault. */
import { allowed, validate } from "../../../shared/contract/operation.ts";
import { type Inputs, OPERATIONS, type Outputs, type ProcessOperation } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import type { Caller } from "../../../shared/contract/rpc.ts";
import { OPERATOR } from "../../../shared/people.ts";
import type { Invocation } from "../../../workers/process/env.ts";
import { HANDLERS } from "../../../workers/process/operations/table.ts";
import type { FaultPlan } from "../simulation/faults.ts";
import type { Simulation } from "../simulation/simulation.ts";

const CALLER: Caller = { name: "operator@sim.example", authority: OPERATOR };
/** A person gives up then. */
const MAX_ATTEMPTS = 20;

/** The last answer, and whether an attempt before it failed: then it may have taken effect. */
export interface Performed<Output> {
  answer: Answer<Output>;
  isRepeated: boolean;
}

/** A platform, and the faults of its calls. */
interface Faulty {
  simulation: Simulation;
  plan: FaultPlan;
}

/** Asks for an operation, under faults, until there is an answer. */
export async function perform<Name extends ProcessOperation>(
  platform: Faulty,
  name: Name,
  input: Inputs[Name],
): Promise<Performed<Outputs[Name]>> {
  const valid = validate(OPERATIONS[name].input, input);
  if (!valid.ok) return { answer: valid, isRepeated: false };
  const permitted = allowed(CALLER.authority, OPERATIONS[name], valid.value);
  if (!permitted.ok) return { answer: permitted, isRepeated: false };
  const { result, isRepeated } = await persist(platform, (invocation) =>
    HANDLERS[name](valid.value, { invocation, caller: CALLER }),
  );
  return { answer: result, isRepeated };
}

/** Runs something, under faults, until it ends without one. */
export async function persist<Result>(
  { simulation, plan }: Faulty,
  run: (invocation: Invocation) => Promise<Result>,
): Promise<{ result: Result; isRepeated: boolean }> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    simulation.faults.plan = plan;
    try {
      return { result: await simulation.operate(run), isRepeated: attempt > 1 };
    } catch (error) {
      if (!String(error).includes("(injected)")) throw error;
      simulation.clock.nowMilliseconds += 2000;
    } finally {
      simulation.faults.plan = () => undefined;
    }
  }
  throw new Error(`It failed ${MAX_ATTEMPTS} times.`);
}
