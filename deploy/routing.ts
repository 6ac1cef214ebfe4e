/** The steps that bring mail to ingest: Email Routing of the zone, and its rule for the address or for all of its mail. */
import { fail, ok, type Result } from "../shared/result.ts";
import type { Rule } from "./cloudflare-api.ts";
import { BY_HAND } from "./problems.ts";
import { hostOf, type Settings } from "./settings.ts";
import { type Deployment, keep, type Look, type Step } from "./step.ts";
import { orSentence } from "./stores.ts";

const NEEDS_RULES = "Email Routing Rules Edit";

interface Zone {
  id: string;
  name: string;
}

/** The zone of this account that the address's host is in: itself, or what is above it. */
async function findZone(deployment: Deployment): Promise<Result<Zone, string>> {
  const { accountId, settings } = deployment;
  const host = hostOf(settings.rua);
  const labels = host.split(".");
  for (let from = 0; from < labels.length - 1; from++) {
    const zone = await zoneNamed(labels.slice(from).join("."), deployment);
    if (!zone.ok) return zone;
    if (zone.value !== undefined) return ok(zone.value);
  }
  return fail(
    `${host} is in no zone of this account, or the token does not see it (Zone Read). Add the domain: ` +
      `https://dash.cloudflare.com/${accountId}/add-site; if its mail arrives another way, run with --routing none.`,
  );
}

async function zoneNamed(name: string, deployment: Deployment): Promise<Result<Zone | undefined, string>> {
  const found = orSentence(await deployment.api.zones(name, deployment.accountId), deployment, "Zone Read");
  return found.ok ? ok(found.value.find((one) => one.name === name)) : found;
}

/** Whether a host below the zone lacks MX records of Email Routing; no where the token may not look. */
async function lacksRecords({ api }: Deployment, zone: Zone, host: string): Promise<boolean> {
  const found = await api.hostRecords(zone.id, host);
  if (!found.ok || Array.isArray(found.value)) return false;
  return (found.value.errors ?? []).some(({ missing }) => missing?.type === "MX");
}

/**
 * Email Routing itself, of the zone or of a host below it, and sub-addresses where they are used. For a host, the zone's own MX
 * records are left alone: they may be another mail service's.
 */
export const routingStep: Step = {
  name: "Email Routing",
  plan: ({ rua, routing, enableRouting }) =>
    `Email Routing for ${hostOf(rua)}${enableRouting ? ", switched on" : ""}${routing === "subaddresses" ? ", with sub-addresses" : ""}`,
  async look(deployment) {
    const { api, accountId, settings } = deployment;
    const zone = await findZone(deployment);
    if (!zone.ok) return zone;
    const found = orSentence(await api.routing(zone.value.id), deployment, NEEDS_RULES);
    if (!found.ok) return found;
    const { name } = zone.value;
    const host = hostOf(settings.rua);
    if (settings.routing === "catch-all" && host !== name) {
      return fail(
        `A catch-all rule covers ${name} itself, not ${host} below it: use an address at ${name}, or --routing subaddresses.`,
      );
    }
    const isOn = found.value.enabled && (host === name || !(await lacksRecords(deployment, zone.value, host)));
    if (!isOn && !settings.enableRouting)
      return fail(host === name ? BY_HAND.routing(accountId, name) : BY_HAND.routingSubdomain(accountId, name, host));
    const needsSubaddresses = settings.routing === "subaddresses" && found.value.support_subaddress !== true;
    return ok({
      isThere: isOn && !needsSubaddresses,
      said: `Email Routing for ${host}${settings.routing === "subaddresses" ? ", with sub-addresses" : ""}`,
    });
  },
  async make(deployment) {
    const { api, accountId, settings } = deployment;
    const zone = await findZone(deployment);
    if (!zone.ok) return zone;
    const { id, name } = zone.value;
    const host = hostOf(settings.rua);
    const now = orSentence(await api.routing(id), deployment, NEEDS_RULES);
    if (!now.ok) return now;
    if (host === name && !now.value.enabled) {
      const enabled = orSentence(await api.enableRouting(id), deployment, "Zone Settings Edit");
      if (!enabled.ok) return enabled;
    }
    if (host !== name && (!now.value.enabled || (await lacksRecords(deployment, zone.value, host)))) {
      const added = orSentence(await api.addHostRecords(id, host), deployment, "Zone Settings Edit");
      if (!added.ok) return added;
      const after = orSentence(await api.routing(id), deployment, NEEDS_RULES);
      if (!after.ok) return after;
      if (!after.value.enabled) return fail(BY_HAND.routingSubdomain(accountId, name, host));
    }
    if (settings.routing === "subaddresses" && now.value.support_subaddress !== true) {
      const allowed = orSentence(await api.allowSubaddresses(id), deployment, "Zone Settings Edit");
      if (!allowed.ok) return allowed;
    }
    return ok(`switched on Email Routing for ${host}`);
  },
};

/** The rule that hands mail to ingest. */
export const ruleStep: Step = {
  name: "rule",
  plan: (settings) => `Email Routing rule: ${whatIsRouted(settings)} to ${settings.prefix}-ingest`,
  async look(deployment) {
    const zone = await findZone(deployment);
    if (!zone.ok) return zone;
    const routing = await routingStep.look(deployment);
    if (!routing.ok) return routing;
    const said = `Email Routing rule for ${whatIsRouted(deployment.settings)}`;
    return deployment.settings.routing === "catch-all"
      ? lookAtCatchAll(deployment, zone.value, said)
      : lookAtRule(deployment, zone.value, said);
  },
  async make(deployment) {
    const { api, settings, names } = deployment;
    const zone = await findZone(deployment);
    if (!zone.ok) return zone;
    const { id, name } = zone.value;
    // Before it is made, so that it is found again whatever happens.
    keepZone(deployment, name);
    const done = `routed ${whatIsRouted(settings)} to ${names.workers.ingest}`;
    if (settings.routing === "catch-all") {
      const put = orSentence(await api.putCatchAll(id, ourRule(deployment)), deployment, NEEDS_RULES);
      return put.ok ? ok(done) : put;
    }
    const found = await findRule(deployment, id);
    if (!found.ok) return found;
    const put =
      found.value?.id === undefined
        ? await api.createRule(id, ourRule(deployment))
        : await api.updateRule(id, found.value.id, ourRule(deployment));
    const answered = orSentence(put, deployment, NEEDS_RULES);
    return answered.ok ? ok(done) : answered;
  },
};

/** For `destroy`, which may be run with other settings. */
function keepZone(deployment: Deployment, name: string): void {
  const { routedZones } = deployment.kept;
  if (!routedZones.includes(name)) keep(deployment, { routedZones: [...routedZones, name] });
}

function whatIsRouted({ routing, rua }: Settings): string {
  return routing === "catch-all" ? `all mail to ${hostOf(rua)}` : `mail to ${rua}`;
}

function ourRule({ settings, names }: Deployment): Rule {
  return {
    name: names.workers.ingest,
    enabled: true,
    matchers:
      settings.routing === "catch-all" ? [{ type: "all" }] : [{ type: "literal", field: "to", value: settings.rua }],
    actions: [{ type: "worker", value: [names.workers.ingest] }],
  };
}

async function findRule(deployment: Deployment, zoneId: string): Promise<Result<Rule | undefined, string>> {
  const found = orSentence(await deployment.api.rules(zoneId), deployment, NEEDS_RULES);
  if (!found.ok) return found;
  const { rua } = deployment.settings;
  return ok(found.value.find(({ matchers }) => matchers.some((one) => one.type === "literal" && one.value === rua)));
}

async function lookAtRule(deployment: Deployment, zone: Zone, said: string): Promise<Result<Look, string>> {
  const found = await findRule(deployment, zone.id);
  if (!found.ok) return found;
  if (found.value === undefined) return ok({ isThere: false, said });
  return judgeRule(found.value, deployment, { zone, said });
}

async function lookAtCatchAll(deployment: Deployment, zone: Zone, said: string): Promise<Result<Look, string>> {
  const answer = orSentence(await deployment.api.catchAll(zone.id), deployment, NEEDS_RULES);
  return answer.ok ? judgeRule(answer.value, deployment, { zone, said }) : answer;
}

/** A rule that does something else is a person's: it is not overwritten. One that drops, or is off, does nothing for anybody. */
function judgeRule(
  rule: Rule,
  deployment: Deployment,
  { zone, said }: { zone: Zone; said: string },
): Result<Look, string> {
  const { names, accountId } = deployment;
  const [action] = rule.actions;
  if (action?.type === "worker" && action.value?.[0] === names.workers.ingest) {
    keepZone(deployment, zone.name);
    return ok({ isThere: rule.enabled === true, said });
  }
  if (rule.enabled !== true || action === undefined || action.type === "drop") return ok({ isThere: false, said });
  const target = action.value?.join(", ") ?? "";
  return fail(
    `An Email Routing rule already forwards this mail (${action.type} ${target}); it is left unchanged. Remove ` +
      `it, or choose another address: https://dash.cloudflare.com/${accountId}/${zone.name}/email/routing/routes.`,
  );
}

/**
 * Takes our rules away again, those of earlier settings too: made with another address, or before `--routing none`.
 *
 * @returns what was done
 */
export async function removeRouting(deployment: Deployment): Promise<Result<string, string>> {
  const { settings, names, kept, accountId } = deployment;
  const zones: Zone[] = [];
  for (const name of kept.routedZones) {
    const zone = await zoneNamed(name, deployment);
    if (!zone.ok) return zone;
    if (zone.value !== undefined) zones.push(zone.value);
  }
  const own = await findZone(deployment);
  // Mail that arrives another way may be for a host that Cloudflare knows nothing about, and its token may not see rules.
  const isNeeded = settings.routing !== "none";
  if (!own.ok && isNeeded) return own;
  let removed = 0;
  for (const zone of zones) {
    const done = await removeRules(zone, deployment);
    if (!done.ok) return done;
    removed += done.value;
  }
  let isSeen = own.ok;
  if (own.ok && zones.every(({ id }) => id !== own.value.id)) {
    const done = await removeRules(own.value, deployment);
    if (!done.ok && isNeeded) return done;
    isSeen = done.ok;
    removed += done.ok ? done.value : 0;
  }
  if (removed > 0 || isNeeded) return ok("removed the rules of Email Routing that were ours");
  if (isSeen) return ok("no rule of Email Routing is ours");
  return ok(
    `no rules of Email Routing can be seen; one that hands mail to ${names.workers.ingest} is removed at ` +
      `https://dash.cloudflare.com/${accountId}`,
  );
}

/** @returns how many there were */
async function removeRules(zone: Zone, deployment: Deployment): Promise<Result<number, string>> {
  const { api, names } = deployment;
  const isOurs = ({ actions }: Rule): boolean =>
    actions.some(({ type, value }) => type === "worker" && value?.[0] === names.workers.ingest);
  const rules = orSentence(await api.rules(zone.id), deployment, NEEDS_RULES);
  if (!rules.ok) return rules;
  let count = 0;
  for (const rule of rules.value.filter(isOurs)) {
    if (rule.id === undefined || rule.matchers.some(({ type }) => type === "all")) continue;
    const removed = orSentence(await api.deleteRule(zone.id, rule.id), deployment, NEEDS_RULES);
    if (!removed.ok) return removed;
    count += 1;
  }
  const catchAll = orSentence(await api.catchAll(zone.id), deployment, NEEDS_RULES);
  if (!catchAll.ok) return catchAll;
  if (!isOurs(catchAll.value)) return ok(count);
  const off: Rule = { name: "", enabled: false, matchers: [{ type: "all" }], actions: [{ type: "drop" }] };
  const put = orSentence(await api.putCatchAll(zone.id, off), deployment, NEEDS_RULES);
  return put.ok ? ok(count + 1) : put;
}
