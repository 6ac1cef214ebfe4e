/**
 * The one table of the operations of the pipeline, each described once: input, output, role and HTTP route. There is a file
 * for each subject. The RPC entry point of process, the routes of the dashboard's API and the client derive from it.
 */

import type * as v from "valibot";
import { ACCOUNT_OPERATIONS } from "./account-operations.ts";
import { DELIVERY_OPERATIONS } from "./delivery-operations.ts";
import { DOMAIN_OPERATIONS } from "./domain-operations.ts";
import type { Operation } from "./operation.ts";
import { PIPELINE_OPERATIONS } from "./pipeline-operations.ts";
import { REPORT_OPERATIONS } from "./report-operations.ts";
import { SENDER_OPERATIONS } from "./sender-operations.ts";
import { SETUP_OPERATIONS } from "./setup-operations.ts";
import { WATCH_OPERATIONS } from "./watch-operations.ts";

const described = {
  ...PIPELINE_OPERATIONS,
  ...SETUP_OPERATIONS,
  ...ACCOUNT_OPERATIONS,
  ...DOMAIN_OPERATIONS,
  ...SENDER_OPERATIONS,
  ...REPORT_OPERATIONS,
  ...WATCH_OPERATIONS,
  ...DELIVERY_OPERATIONS,
};

type Described = typeof described;

export type OperationName = keyof Described;

/** The validated input of each operation. */
export type Inputs = { [Name in OperationName]: v.InferOutput<Described[Name]["input"]> };

/** The output of each operation. */
export type Outputs = { [Name in OperationName]: v.InferOutput<Described[Name]["output"]> };

type AnsweredBy<Worker extends "process" | "dashboard"> = {
  [Name in OperationName]: Described[Name]["answeredBy"] extends Worker ? Name : never;
}[OperationName];

/** Operations answered by process, by RPC. */
export type ProcessOperation = AnsweredBy<"process">;

/** Operations the dashboard answers from the ledger and Analytics Engine. */
export type DashboardOperation = AnsweredBy<"dashboard">;

/** Paged operations: `cursor` in, `items` and `cursor` out. */
export type PagedOperation = {
  [Name in OperationName]: "cursor" extends keyof Inputs[Name]
    ? Outputs[Name] extends { items: unknown[] }
      ? Name
      : never
    : never;
}[OperationName];

/** The table. */
export const OPERATIONS: { readonly [Name in OperationName]: Operation<Inputs[Name], Outputs[Name]> } = described;

/** The names of all operations. */
export const OPERATION_NAMES = Object.keys(described) as OperationName[];

/** What pages and schedules do by themselves: no person decided it, and it would bury the rest. */
const NOT_AUDITED = new Set<OperationName>(["nameAddresses", "noteSeen", "runSchedule"]);

/** The operations that are written to the audit log: those that change something. */
export const AUDITED_OPERATIONS = OPERATION_NAMES.filter((name) => OPERATIONS[name].changes && !NOT_AUDITED.has(name));
