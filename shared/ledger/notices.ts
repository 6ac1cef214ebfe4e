/** Incidents, the notices about them, and mutes, in the database of the account. */
import * as v from "valibot";
import { WATCH_LIMITS } from "../limits.ts";
import { type DayRange, SECONDS_PER_DAY } from "../report-day.ts";
import { type Incident, type Mute, type Notice, RULE_CODES, SEVERITIES, STEPS, URGENCIES } from "../watch/finding.ts";
import { type Change, jsonColumn, knows, type Query, query } from "./database.ts";

/** Causes as they are kept. */
const cause = v.object({ code: v.string(), sentence: v.string() });
const sentences = jsonColumn(v.array(v.string()));

const incidentRow = v.pipe(
  v.object({
    id: v.string(),
    account: v.string(),
    domain: v.string(),
    rule: v.picklist(RULE_CODES),
    subject: v.string(),
    severity: v.fallback(v.picklist(SEVERITIES), "info"),
    state: v.fallback(v.picklist(["open", "resolved"]), "open"),
    is_event: v.number(),
    title: v.string(),
    evidence: sentences,
    causes: jsonColumn(v.array(cause)),
    link: v.string(),
    opened_seconds: v.number(),
    found_seconds: v.number(),
    reminded_seconds: v.number(),
    resolved_seconds: v.number(),
  }),
  v.transform(
    ({ is_event, opened_seconds, found_seconds, reminded_seconds, resolved_seconds, ...row }): Incident => ({
      ...row,
      isEvent: is_event === 1,
      openedSeconds: opened_seconds,
      foundSeconds: found_seconds,
      remindedSeconds: reminded_seconds,
      resolvedSeconds: resolved_seconds,
    }),
  ),
);

/** The condition that this version knows the rule of an incident, notice or mute. */
const KNOWS_RULE = knows("rule", RULE_CODES);

const INCIDENT_COLUMNS = `id, account, domain, rule, subject, severity, state, is_event, title, evidence, causes, link,
  opened_seconds, found_seconds, reminded_seconds, resolved_seconds`;

/** A notice's or incident's place among others: the worst first. */
const BY_SEVERITY = "CASE severity WHEN 'urgent' THEN 0 WHEN 'attention' THEN 1 ELSE 2 END";

/** A field of a row that is given as JSON. */
const field = (name: string): string => `value ->> '${name}'`;

/** Which incidents. */
export interface IncidentFilter {
  /** Absent = all of the accounts. */
  domain?: string | undefined;
  /** Open ones, or those that were resolved since a time. */
  state: "open" | { resolvedSinceSeconds: number };
  limit: number;
}

/**
 * Incidents of some accounts: open ones by severity, the newest first; resolved ones by when they were resolved. They are found
 * by domain, among those that are watched, since most incidents of an account are long over.
 */
export function incidentsQuery(accounts: readonly string[], { domain, state, limit }: IncidentFilter): Query<Incident> {
  const isOpen = state === "open";
  const isNamed = domain === undefined ? "" : "AND domain = ?4";
  const columns = INCIDENT_COLUMNS.split(",").map((name) => `i.${name.trim()}`);
  const sql = `WITH places AS (
      SELECT account, domain FROM domain_verdicts WHERE account IN (SELECT value FROM json_each(?1)) ${isNamed}
      UNION SELECT value, '' FROM json_each(?1) WHERE value = '' ${domain === undefined ? "" : "AND ?4 = ''"})
    SELECT ${columns.join(", ")} FROM places p CROSS JOIN incidents i
      ON i.account = p.account AND i.domain = p.domain AND i.resolved_seconds ${isOpen ? "= ?2" : ">= ?2"}
    WHERE ${KNOWS_RULE}
    ORDER BY CASE WHEN i.state = 'open' THEN ${BY_SEVERITY} END,
      i.resolved_seconds DESC, i.opened_seconds DESC, i.id LIMIT ?3`;
  const since = isOpen ? 0 : Math.max(1, state.resolvedSinceSeconds);
  const named = domain === undefined ? [] : [domain];
  const rank = ({ severity }: Incident): number => (isOpen ? SEVERITIES.indexOf(severity) : 0);
  return {
    ...query(sql, [JSON.stringify(accounts), since, limit, ...named], incidentRow),
    combine: (parts) =>
      parts
        .flat()
        .sort((a, b) => rank(a) - rank(b) || b.resolvedSeconds - a.resolvedSeconds || b.openedSeconds - a.openedSeconds)
        .slice(0, limit),
  };
}

/**
 * Incidents of some domains that are open, or were resolved since; of events also those of a month before, because each
 * is announced once. Oldest first.
 */
export function incidentsOfDomainsQuery(
  names: readonly { account: string; domain: string }[],
  nowSeconds: number,
): Query<Incident> {
  const sql = `SELECT ${INCIDENT_COLUMNS} FROM (SELECT value FROM json_each(?1)) n JOIN incidents i
      ON i.account = n.value ->> 'account' AND i.domain = n.value ->> 'domain'
    WHERE ${KNOWS_RULE} AND (resolved_seconds = 0 OR resolved_seconds >= CASE WHEN is_event = 1 THEN ?3 ELSE ?2 END)
    ORDER BY opened_seconds, id`;
  const { sameIncidentSeconds, eventIsKnownSeconds } = WATCH_LIMITS;
  const parameters = [
    JSON.stringify(names.map(({ account, domain }) => ({ account, domain }))),
    nowSeconds - sameIncidentSeconds,
    nowSeconds - eventIsKnownSeconds,
  ];
  return query(sql, parameters, incidentRow);
}

/** Keeps incidents as they now are: what is there is changed, what is new is added. */
export function keepIncidents(incidents: readonly Incident[]): Change[] {
  if (incidents.length === 0) return [];
  return [
    {
      sql: `INSERT INTO incidents (${INCIDENT_COLUMNS})
        SELECT ${field("id")}, ${field("account")}, ${field("domain")}, ${field("rule")}, ${field("subject")},
          ${field("severity")}, ${field("state")}, ${field("isEvent")}, ${field("title")},
          value -> 'evidence', value -> 'causes', ${field("link")}, ${field("openedSeconds")}, ${field("foundSeconds")},
          ${field("remindedSeconds")}, ${field("resolvedSeconds")}
        FROM json_each(?1) WHERE true
        ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, state = excluded.state, title = excluded.title,
          evidence = excluded.evidence, causes = excluded.causes, link = excluded.link,
          found_seconds = excluded.found_seconds, reminded_seconds = excluded.reminded_seconds,
          resolved_seconds = excluded.resolved_seconds`,
      parameters: [JSON.stringify(incidents)],
    },
  ];
}

const noticeRow = v.pipe(
  v.object({
    id: v.string(),
    incident: v.string(),
    account: v.string(),
    domain: v.string(),
    rule: v.picklist(RULE_CODES),
    subject: v.string(),
    severity: v.fallback(v.picklist(SEVERITIES), "info"),
    step: v.fallback(v.picklist(STEPS), "opened"),
    title: v.string(),
    evidence: sentences,
    cause: v.string(),
    link: v.string(),
    created_seconds: v.number(),
    urgency: v.fallback(v.picklist(URGENCIES), "digest"),
  }),
  v.transform(({ created_seconds, ...row }): Notice => ({ ...row, createdSeconds: created_seconds })),
);

const NOTICE_COLUMNS = `id, incident, account, domain, rule, subject, severity, step, title, evidence, cause, link,
  created_seconds, urgency`;

/** Adds notices; one that is there stays as it is. */
export function addNotices(notices: readonly Notice[]): Change[] {
  if (notices.length === 0) return [];
  return [
    {
      sql: `INSERT OR IGNORE INTO notices (${NOTICE_COLUMNS})
        SELECT ${field("id")}, ${field("incident")}, ${field("account")}, ${field("domain")}, ${field("rule")},
          ${field("subject")}, ${field("severity")}, ${field("step")}, ${field("title")}, value -> 'evidence',
          ${field("cause")}, ${field("link")}, ${field("createdSeconds")}, ${field("urgency")}
        FROM json_each(?1)`,
      parameters: [JSON.stringify(notices)],
    },
  ];
}

/** The newest notices of some accounts, newest first. */
export function noticesQuery(accounts: readonly string[], limit: number): Query<Notice> {
  const sql = `SELECT ${NOTICE_COLUMNS} FROM notices WHERE account IN (SELECT value FROM json_each(?1)) AND ${KNOWS_RULE}
    ORDER BY created_seconds DESC, id DESC LIMIT ?2`;
  return {
    ...query(sql, [JSON.stringify(accounts), limit], noticeRow),
    combine: (parts) =>
      parts
        .flat()
        .sort((a, b) => b.createdSeconds - a.createdSeconds)
        .slice(0, limit),
  };
}

/** One notice: one row or none. */
export function noticeQuery(id: string): Query<Notice> {
  return query(`SELECT ${NOTICE_COLUMNS} FROM notices WHERE id = ?1 AND ${KNOWS_RULE}`, [id], noticeRow);
}

/** Notices of an account made in a time, both ends included: the worst first, of those the newest. */
export function noticesBetweenQuery(
  account: string,
  { fromSeconds, toSeconds, limit }: { fromSeconds: number; toSeconds: number; limit: number },
): Query<Notice> {
  const sql = `SELECT ${NOTICE_COLUMNS} FROM notices WHERE account = ?1 AND created_seconds BETWEEN ?2 AND ?3 AND ${KNOWS_RULE}
    ORDER BY ${BY_SEVERITY}, created_seconds DESC, id LIMIT ?4`;
  return query(sql, [account, fromSeconds, toSeconds, limit], noticeRow);
}

/** Notices of some accounts made on the days of a period: the worst first, of those the newest. @param domain absent = of all */
export function noticesOfPeriodQuery(
  accounts: readonly string[],
  { firstDay, lastDay, limit, domain }: DayRange & { limit: number; domain?: string },
): Query<Notice> {
  const sql = `SELECT ${NOTICE_COLUMNS} FROM notices WHERE account IN (SELECT value FROM json_each(?1))
    AND created_seconds >= ?2 AND created_seconds < ?3 AND ${KNOWS_RULE} ${domain === undefined ? "" : "AND domain = ?5"}
    ORDER BY ${BY_SEVERITY}, created_seconds DESC, id LIMIT ?4`;
  const named = domain === undefined ? [] : [domain];
  const seconds = [firstDay * SECONDS_PER_DAY, (lastDay + 1) * SECONDS_PER_DAY];
  const rank = ({ severity }: Notice): number => SEVERITIES.indexOf(severity);
  return {
    ...query(sql, [JSON.stringify(accounts), ...seconds, limit, ...named], noticeRow),
    combine: (parts) =>
      parts
        .flat()
        .sort((a, b) => rank(a) - rank(b) || b.createdSeconds - a.createdSeconds)
        .slice(0, limit),
  };
}

/** How many notices there are of an account in a time, both ends included, and how many incidents are open: one row. */
export function noticeCountsQuery(
  account: string,
  { fromSeconds, toSeconds }: { fromSeconds: number; toSeconds: number },
): Query<{ notices: number; open: number }> {
  const sql = `SELECT (SELECT count(*) FROM notices WHERE account = ?1 AND created_seconds BETWEEN ?2 AND ?3) AS notices,
      (SELECT count(*) FROM incidents WHERE account = ?1 AND resolved_seconds = 0) AS open`;
  return query(sql, [account, fromSeconds, toSeconds], v.object({ notices: v.number(), open: v.number() }));
}

const muteRow = v.pipe(
  v.object({
    account: v.string(),
    domain: v.string(),
    rule: v.picklist([...RULE_CODES, ""]),
    subject: v.string(),
    until_seconds: v.number(),
    note: v.string(),
    muted_seconds: v.number(),
    muted_by: v.string(),
  }),
  v.transform(
    ({ until_seconds, muted_seconds, muted_by, ...row }): Mute => ({
      ...row,
      untilSeconds: until_seconds,
      mutedSeconds: muted_seconds,
      mutedBy: muted_by,
    }),
  ),
);

const MUTE_COLUMNS = "account, domain, rule, subject, until_seconds, note, muted_seconds, muted_by";

/** The mutes of some accounts that hold, those of a whole account first. */
export function mutesQuery(accounts: readonly string[], nowSeconds: number): Query<Mute> {
  const sql = `SELECT ${MUTE_COLUMNS} FROM mutes WHERE account IN (SELECT value FROM json_each(?1))
    AND (until_seconds = 0 OR until_seconds > ?2) AND (rule = '' OR ${KNOWS_RULE}) ORDER BY account, domain, rule, subject`;
  return query(sql, [JSON.stringify(accounts), nowSeconds], muteRow);
}

/** Mutes; the same again changes until when. Answers a row, or none where the account has as many as it may have. */
export function putMute(mute: Mute): Change {
  const { account, domain, rule, subject, untilSeconds, note, mutedSeconds, mutedBy } = mute;
  return {
    sql: `INSERT OR REPLACE INTO mutes (${MUTE_COLUMNS}) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
      WHERE (SELECT count(*) FROM mutes WHERE account = ?1 AND (domain, rule, subject) <> (?2, ?3, ?4)) < ?9 RETURNING account`,
    parameters: [
      account,
      domain,
      rule,
      subject,
      untilSeconds,
      note,
      mutedSeconds,
      mutedBy,
      WATCH_LIMITS.mutesPerAccount,
    ],
  };
}

/** Removes the mutes of an account that no longer hold. */
export function removeEndedMutes(account: string, nowSeconds: number): Change {
  return {
    sql: "DELETE FROM mutes WHERE account = ?1 AND until_seconds > 0 AND until_seconds <= ?2",
    parameters: [account, nowSeconds],
  };
}

/** Removes a mute; a missing one is no error. */
export function removeMute({
  account,
  domain,
  rule,
  subject,
}: Pick<Mute, "account" | "domain" | "rule" | "subject">): Change {
  return {
    sql: "DELETE FROM mutes WHERE account = ?1 AND domain = ?2 AND rule = ?3 AND subject = ?4",
    parameters: [account, domain, rule, subject],
  };
}

/** Removes incidents that were resolved, and notices that were made, before a time. */
export function removeOldNotices(beforeSeconds: number): Change[] {
  return [
    { sql: "DELETE FROM incidents WHERE resolved_seconds > 0 AND resolved_seconds < ?1", parameters: [beforeSeconds] },
    { sql: "DELETE FROM notices WHERE created_seconds < ?1", parameters: [beforeSeconds] },
  ];
}
