/** What is found out before anything is made: whose token it is, the account and its plan, and what has to be clicked by hand. */
import { fail, ok, type Result } from "../shared/result.ts";
import { type Account, API_CODES, type CloudflareApi } from "./cloudflare-api.ts";
import { BY_HAND, explain, PERMISSIONS } from "./problems.ts";
import { type Deployment, keepDashboardUrl } from "./step.ts";

/** The account to deploy to. @param wanted its id, where it was said */
export async function chooseAccount(api: CloudflareApi, wanted: string | undefined): Promise<Result<Account, string>> {
  const accounts = await api.accounts();
  if (!accounts.ok) {
    const { status, message } = accounts.error;
    if (status !== 400 && status !== 401 && status !== 403) return fail(message);
    return fail(
      `Cloudflare does not accept the token (${message}) Log in with npx wrangler login, or create one at ` +
        "https://dash.cloudflare.com/profile/api-tokens and put it into CLOUDFLARE_API_TOKEN. It needs: " +
        `${PERMISSIONS.join("; ")}.`,
    );
  }
  const found = accounts.value.filter(({ id }) => wanted === undefined || id === wanted);
  const [first, ...others] = found;
  // A token without Account Settings Read sees no account, and works on the one it is for.
  if (first === undefined && wanted !== undefined && accounts.value.length === 0)
    return ok({ id: wanted, name: wanted });
  if (first === undefined) {
    return fail(
      wanted === undefined
        ? "The token sees no account: say which with --account-id, and give the token Account Settings Read to be told."
        : `The token does not belong to the account ${wanted}; it sees ` +
            `${accounts.value.map(({ id, name }) => `${id} (${name})`).join(", ")}.`,
    );
  }
  if (others.length > 0) {
    return fail(
      `Several accounts: say which with --account-id: ${found.map(({ id, name }) => `${id} (${name})`).join(", ")}.`,
    );
  }
  return ok(first);
}

/** What stands in the way, and what is good to know. */
export interface Preflight {
  /** Each has to be done first. */
  problems: string[];
  notes: string[];
}

/** Looks at the plan and at what is switched on by hand. Changes nothing, but for a Worker `<prefix>-probe` that comes and goes. */
export async function preflight(deployment: Deployment): Promise<Preflight> {
  const found: Preflight = { problems: [], notes: [] };
  await checkPlan(deployment, found);
  await checkSubdomain(deployment, found);
  await checkAnalytics(deployment, found);
  await checkAccess(deployment, found);
  return found;
}

async function checkPlan({ api, accountId, settings }: Deployment, { problems, notes }: Preflight): Promise<void> {
  const answer = await api.subscriptions(accountId);
  if (!answer.ok) {
    notes.push(`Which plan the account has could not be read (Billing Read); --plan ${settings.plan} is believed.`);
    return;
  }
  const isPaid = answer.value.some(({ rate_plan: plan }) => plan?.id === "workers_paid");
  if (settings.plan === "paid" && !isPaid) problems.push(BY_HAND.paidPlan(accountId));
  if (settings.plan === "free" && isPaid)
    notes.push(
      "The account has the Workers Paid plan: --plan paid takes larger reports, and keeps messages for 14 days.",
    );
}

async function checkSubdomain(deployment: Deployment, { problems }: Preflight): Promise<void> {
  const { api, accountId } = deployment;
  const answer = await api.subdomain(accountId);
  if (answer.ok) {
    // Process is uploaded before the dashboard, and links to it.
    keepDashboardUrl(deployment, answer.value.subdomain);
    return;
  }
  const isNotChosen = answer.error.code === API_CODES.workersNotFound;
  problems.push(isNotChosen ? BY_HAND.subdomain(accountId) : explain(answer.error, accountId, "Workers Scripts Edit"));
}

/** Only an upload that binds a dataset shows whether that is allowed: so a Worker without a route is uploaded. */
async function checkAnalytics({ api, accountId, settings, kept }: Deployment, { problems }: Preflight): Promise<void> {
  if (kept.uploaded.process !== undefined) return;
  const name = `${settings.prefix}-probe`;
  const uploaded = await api.uploadProbe(accountId, name);
  if (!uploaded.ok) {
    problems.push(explain(uploaded.error, accountId, "Workers Scripts Edit"));
    return;
  }
  const removed = await api.deleteScript(accountId, name);
  if (!removed.ok)
    problems.push(
      `The Worker ${name}, uploaded to find out whether Analytics Engine is on, is left: ${removed.error.message}`,
    );
}

async function checkAccess({ api, accountId, names }: Deployment, { notes }: Preflight): Promise<void> {
  const answer = await api.accessOrganization(accountId);
  const dashboard = `Workers & Pages → ${names.workers.dashboard} → Access → Protect this Worker behind Access`;
  if (answer.ok) {
    notes.push(`For people: ${dashboard}; then say who may see what with dmarc identity add.`);
  } else if (answer.error.code === API_CODES.accessNotEnabled) {
    notes.push(
      `For people, set up Zero Trust once (https://one.dash.cloudflare.com/${accountId}, choose a team name and ` +
        `the Free plan), then: ${dashboard}. Without it, the pages stay closed and dmarc works with its token.`,
    );
  } else {
    notes.push(
      `Whether Zero Trust is set up could not be read (Access: Organizations Read). For people: ${dashboard}.`,
    );
  }
}
