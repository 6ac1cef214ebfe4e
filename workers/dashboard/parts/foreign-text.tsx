/**
 * Text that strangers wrote, into a report, a mail, a file's name, DNS or a link. Every such text of a page goes through
 * here: what acts on a screen is taken out, it is cut, and <bdi> keeps its writing direction from what is beside it.
 */
import type { Child } from "hono/jsx";
import { DASHBOARD_LIMITS } from "../../../shared/limits.ts";
import { cleanDetail, escapeActing } from "../../../shared/report/problems.ts";
import { shownName, withBothForms } from "../../../shared/unicode-name.ts";
import { formatCount } from "../data/numbers.ts";

/** One text, on one line. */
export function ForeignText({ text }: { text: string }) {
  if (text === "") return null;
  if (isInternational(text)) return <Name text={text} />;
  return <bdi>{cleanDetail(text, DASHBOARD_LIMITS.maxTextChars)}</bdi>;
}

/** The same where a browser takes text only, and no element: titles and options. */
export function plainForeignText(text: string): string {
  return cleanDetail(withBothForms(text.slice(0, MAX_SPELT_CHARS)), DASHBOARD_LIMITS.maxNameChars);
}

/** Ours: in a longer text, names are not looked for beyond this. */
const MAX_SPELT_CHARS = 2000;

// A domain has at most 253 characters, an address some 64 more.
function isInternational(text: string): boolean {
  return text.length <= DASHBOARD_LIMITS.maxNameChars && text.includes("xn--") && shownName(text) !== undefined;
}

/** Ours: a name up to this long stays on one line. */
const WHOLE_NAME_CHARS = 24;

/**
 * A domain, address or id: whole while it is short, else broken where its parts end. An internationalised domain is shown in
 * both forms, as letters first unless these may mislead.
 */
export function Name({ text }: { text: string }) {
  const shown = isInternational(text) ? shownName(text) : undefined;
  if (shown === undefined) return <OneName text={text} />;
  return (
    <>
      <OneName text={shown.first} />{" "}
      <span class="small muted">
        <OneName text={shown.beside} />
      </span>
    </>
  );
}

function OneName({ text }: { text: string }) {
  if (text === "") return null;
  const name = cleanDetail(text, DASHBOARD_LIMITS.maxNameChars);
  if (name.length <= WHOLE_NAME_CHARS) return <bdi class="nowrap">{name}</bdi>;
  return (
    <bdi>
      {name.split(/(?<=[.:@/_!-])/).map((part, i) => (
        <>
          {i > 0 && <wbr />}
          {part}
        </>
      ))}
    </bdi>
  );
}

/** A value as JSON, every character that acts on a screen as its escape. */
export function ForeignJson({ value }: { value: unknown }) {
  const text = escapeActing(JSON.stringify(value, null, 2));
  const { maxJsonChars } = DASHBOARD_LIMITS;
  return (
    <pre>
      <bdi>{text.length > maxJsonChars ? `${text.slice(0, maxJsonChars).toWellFormed()}…` : text}</bdi>
    </pre>
  );
}

/** The first items of a list that may be long, one a line, and a way to see more of them. */
export function FirstOf<Item>({ items, view }: { items: readonly Item[]; view: (item: Item) => Child }) {
  const { maxListed } = DASHBOARD_LIMITS;
  return (
    <>
      {items.slice(0, maxListed).map((item) => (
        <span>{view(item)}</span>
      ))}
      {items.length > maxListed && <More items={items.slice(maxListed)} view={view} />}
    </>
  );
}

// Folded up; where there are very many, files have them all.
function More<Item>({ items, view }: { items: readonly Item[]; view: (item: Item) => Child }) {
  const { maxUnfolded } = DASHBOARD_LIMITS;
  const beyond = items.length - maxUnfolded;
  return (
    <details class="more">
      <summary>and {formatCount(items.length)} more</summary>
      {items.slice(0, maxUnfolded).map((item) => (
        <div>{view(item)}</div>
      ))}
      {beyond > 0 && <div class="muted">and {formatCount(beyond)} more, in CSV and JSON</div>}
    </details>
  );
}
