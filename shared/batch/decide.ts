/**
 * Decides the outcome of every object in a batch, in order: each report is accepted, a duplicate, in conflict or taken
 * back; each part that cannot be read is a dead letter. Pure: works on what was looked up and returns what to write.
 */
import { BatchDecision, type DecisionContext } from "./batch-decision.ts";
import type { ReadObject } from "./object.ts";
import { ObjectDecision } from "./object-decision.ts";
import type { BatchPlan, ObjectPlan } from "./plan.ts";

/** Decides about a batch, in order. */
export async function decide(objects: readonly ReadObject[], context: DecisionContext): Promise<BatchPlan> {
  const batch = new BatchDecision(context);
  const plans: ObjectPlan[] = [];
  for (const object of objects) plans.push(await new ObjectDecision(object, batch).decide());
  return { objects: plans, changes: batch.close(), ...batch.left() };
}
