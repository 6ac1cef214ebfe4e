/**
 * Deploys: looks at everything first, says what is there and what is missing, then makes what is missing, one step after the
 * other. What was done is noted at once, so that the next run continues from there. It asks no questions and never exits.
 */
import { fail, ok, type Result } from "../shared/result.ts";
import { addressStep, FREE_PLAN_NOTE, testReportStep } from "./dashboard.ts";
import { preflight } from "./preflight.ts";
import { routingStep, ruleStep } from "./routing.ts";
import type { Settings } from "./settings.ts";
import type { Deployment, Step } from "./step.ts";
import { bucketStep, databaseStep, lifecycleStep, namespaceStep, queueSteps, tablesStep } from "./stores.ts";
import { tokenStep, uploadStep } from "./upload.ts";

/** Tables before Workers, consumers before producers, and the address registered before anybody learns of it. */
export function stepsOf({ routing }: Pick<Settings, "routing">): Step[] {
  return [
    databaseStep,
    namespaceStep,
    bucketStep,
    lifecycleStep,
    ...queueSteps,
    tablesStep,
    uploadStep("process"),
    uploadStep("dashboard"),
    tokenStep,
    uploadStep("ingest"),
    addressStep,
    ...(routing === "none" ? [] : [routingStep, ruleStep]),
    testReportStep,
  ];
}

/** The plan, offline. */
export function planLines(settings: Settings): string[] {
  const steps = stepsOf(settings).map((step, i) => `${String(i + 1).padStart(2)}. ${step.plan(settings)}`);
  return settings.plan === "free" ? [...steps, FREE_PLAN_NOTE] : steps;
}

/** What looking at everything found. */
export interface Survey {
  there: string[];
  missing: string[];
  /** What stands in the way; each is to be dealt with first. */
  problems: string[];
  notes: string[];
}

/** Looks at everything. Makes nothing. */
export async function survey(deployment: Deployment): Promise<Survey> {
  const { problems, notes } = await preflight(deployment);
  const found: Survey = { there: [], missing: [], problems, notes };
  for (const step of stepsOf(deployment.settings)) {
    const look = await step.look(deployment);
    if (!look.ok) found.problems.push(look.error);
    else (look.value.isThere ? found.there : found.missing).push(look.value.said);
  }
  found.problems = [...new Set(found.problems)];
  return found;
}

/** What became of a run. */
export interface Deployed {
  /** What was done; empty: everything was there. */
  changes: string[];
  url: string;
}

/**
 * Makes what is missing.
 *
 * @returns the step that failed, and why; what came before it is done and noted
 */
export async function deploy(deployment: Deployment, say: (line: string) => void): Promise<Result<Deployed, string>> {
  const changes: string[] = [];
  for (const step of stepsOf(deployment.settings)) {
    const look = await step.look(deployment);
    if (!look.ok) return fail(`${step.name}: ${look.error}`);
    if (look.value.isThere) {
      say(`= ${look.value.said}`);
      continue;
    }
    const made = await step.make(deployment);
    if (!made.ok) return fail(`${step.name}: ${made.error}`);
    say(`+ ${made.value}`);
    changes.push(made.value);
  }
  return ok({ changes, url: deployment.kept.url ?? "" });
}
