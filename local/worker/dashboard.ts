/** Main module of the dashboard on one machine: the Worker as it is deployed, with the limits of an invocation. */
import dashboard from "../../workers/dashboard/index.ts";
import { InvocationLimits, limitedLedger } from "./limited.ts";

export default {
  fetch: (request, env, context) => dashboard.fetch(request, limitedLedger(env, new InvocationLimits()), context),
} satisfies typeof dashboard;
