/** The timeline of a domain: marks under the chart of its messages, at the chart's own days, and the same as a list. */
import type { Child } from "hono/jsx";
import { DASHBOARD_LIMITS } from "../../../shared/limits.ts";
import { isoDay } from "../data/days.ts";
import { formatCount } from "../data/numbers.ts";
import { EVENT_KINDS, type EventKind, type TimelineEvent } from "../data/timeline.ts";
import { addressPath, domainPath, sourcePath } from "../paths.ts";
import type { DayMark } from "./chart-view.tsx";
import { ForeignText, Name, plainForeignText } from "./foreign-text.tsx";
import { linkTo } from "./links.ts";
import { Note } from "./marks.tsx";
import type { PageRequest } from "./page-request.ts";

/** Ours: entries of the list before the rest is folded up, and new sources named of one day. */
const SHOWN = 6;
const NAMED_SOURCES = 3;

const KIND_WORDS: Record<EventKind, string> = {
  record: "Record changed",
  policy: "Policy reported",
  decision: "Decision",
  source: "New source",
};

// Told apart by shape, not by colour.
const SHAPES: Record<EventKind, string> = {
  record: "M-4 -4H4V4H-4Z",
  policy: "M0 -5L5 0L0 5L-5 0Z",
  decision: "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0Z",
  source: "M0 -5L5 4H-5Z",
};

/** The events as marks of the chart: one a day and kind, a lane a kind. */
export function timelineMarks(events: readonly TimelineEvent[]): DayMark[] {
  const kinds = EVENT_KINDS.filter((kind) => events.some((event) => event.kind === kind));
  return kinds.flatMap((kind, lane) => {
    const byDay = new Map<number, TimelineEvent[]>();
    for (const event of events) {
      if (event.kind === kind) byDay.set(event.day, [...(byDay.get(event.day) ?? []), event]);
    }
    return [...byDay].map(([day, found]) => ({ day, lane, path: SHAPES[kind], tip: tipOf(found) }));
  });
}

function tipOf(events: readonly TimelineEvent[]): string {
  return plainForeignText(events.map(eventText).join("; "));
}

function eventText(event: TimelineEvent): string {
  switch (event.kind) {
    case "record":
      return `${event.change.type} ${event.change.name} ${changeWord(event)}`;
    case "policy":
      return `First reported: ${event.policy}`;
    case "decision":
      return `${event.decided.source}: ${DECIDED[event.decided.decision]}`;
    case "source":
      return event.sources.length === 1
        ? `New source: ${event.sources[0]?.name}`
        : `${formatCount(event.sources.length)} new sources`;
  }
}

function changeWord({ change: { before, after } }: Extract<TimelineEvent, { kind: "record" }>): string {
  if (before.length === 0) return "published";
  return after.length === 0 ? "removed" : "changed";
}

const DECIDED = { mine: "mine", notMine: "not mine", forwarder: "forwarder", undecided: "undecided" } as const;

interface TimelineProps {
  request: PageRequest;
  domain: string;
  events: readonly TimelineEvent[];
}

/** What the marks say, the newest first; nothing where nothing happened. */
export function TimelineList({ request, domain, events }: TimelineProps): Child {
  if (events.length === 0) return null;
  const [shown, rest] = [events.slice(0, SHOWN), events.slice(SHOWN)];
  const list = (entries: readonly TimelineEvent[]) => (
    <ol class="timeline">
      {entries.map((event) => (
        <li>
          <span class="nowrap muted">{isoDay(event.day)}</span>
          <KindSign kind={event.kind} />
          <span>
            <Entry request={request} domain={domain} event={event} />
          </span>
        </li>
      ))}
    </ol>
  );
  return (
    <>
      <h3>What changed</h3>
      {list(shown)}
      {rest.length > 0 && (
        <details>
          <summary>and {formatCount(rest.length)} more</summary>
          {list(rest)}
        </details>
      )}
      {isCut(events) && (
        <Note>
          Of changed records and of decisions the newest {formatCount(DASHBOARD_LIMITS.maxTimelineEvents)} are shown.
          Choose a shorter period to see the rest.
        </Note>
      )}
    </>
  );
}

function isCut(events: readonly TimelineEvent[]): boolean {
  return (["record", "decision"] as const).some(
    (kind) => events.filter((event) => event.kind === kind).length >= DASHBOARD_LIMITS.maxTimelineEvents,
  );
}

function KindSign({ kind }: { kind: EventKind }) {
  return (
    <svg width="12" height="12" viewBox="-6 -6 12 12" role="img" aria-label={KIND_WORDS[kind]}>
      <path d={SHAPES[kind]} class="mark" />
      <title>{KIND_WORDS[kind]}</title>
    </svg>
  );
}

function Entry({ request, domain, event }: { request: PageRequest; domain: string; event: TimelineEvent }) {
  const path = domainPath(domain);
  switch (event.kind) {
    case "record":
      return (
        <>
          <a href={linkTo(request, `${path}/records`)}>
            {event.change.type} record of <Name text={event.change.name} />
          </a>{" "}
          {changeWord(event)}
        </>
      );
    case "policy":
      return (
        <>
          Receivers first reported{" "}
          <code>
            <ForeignText text={event.policy} />
          </code>
        </>
      );
    case "decision": {
      const { source, decision, decidedBy } = event.decided;
      return (
        <>
          <SourceLink request={request} domain={domain} name={source} /> decided: {DECIDED[decision]}, by{" "}
          <ForeignText text={decidedBy} />
        </>
      );
    }
    case "source":
      return <NewSources request={request} domain={domain} names={event.sources.map(({ name }) => name)} />;
  }
}

function NewSources({ request, domain, names }: { request: PageRequest; domain: string; names: readonly string[] }) {
  const rest = names.length - NAMED_SOURCES;
  const all = linkTo(request, `${domainPath(domain)}/sources`);
  return (
    <>
      {names.length === 1 ? "New source: " : `${formatCount(names.length)} new sources: `}
      {names.slice(0, NAMED_SOURCES).map((name, i) => (
        <>
          {i > 0 && ", "}
          <SourceLink request={request} domain={domain} name={name} />
        </>
      ))}
      {rest > 0 && (
        <>
          {" "}
          <a href={`${all}${all.includes("?") ? "&" : "?"}sources.sort=-first_seen`}>and {formatCount(rest)} more</a>
        </>
      )}
    </>
  );
}

function SourceLink({ request, domain, name }: { request: PageRequest; domain: string; name: string }) {
  const path = isAddress(name) ? addressPath(domain, name) : sourcePath(domain, name);
  return (
    <a href={linkTo(request, path)}>
      <Name text={name} />
    </a>
  );
}

/** Sources that nothing authenticates are named by their address. */
function isAddress(name: string): boolean {
  return name.includes(":") || /^[\d.]+$/.test(name);
}

/** What the marks of the chart mean. */
export function TimelineLegend({ events }: { events: readonly TimelineEvent[] }): Child {
  const kinds = EVENT_KINDS.filter((kind) => events.some((event) => event.kind === kind));
  if (kinds.length === 0) return null;
  return (
    <ul class="legend" aria-hidden="true">
      {kinds.map((kind) => (
        <li>
          <svg width="12" height="12" viewBox="-6 -6 12 12" aria-hidden="true">
            <path d={SHAPES[kind]} class="mark" />
          </svg>
          {KIND_WORDS[kind]}
        </li>
      ))}
    </ul>
  );
}
