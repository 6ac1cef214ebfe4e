/** The forms of the page Dead letters: narrowing the list, and changing all that a filter takes. */
import type { DeadLetterFilter } from "../../../shared/operations.ts";
import { Field } from "../parts/field.tsx";

export const DEAD_LETTERS_PATH = "/operations/dead-letters";
const FILTERS = ["code", "domain", "account", "since", "until"] as const;
const LABELS = { code: "Code", domain: "Domain", account: "Account", since: "Came since", until: "until" };

/** The filter of a link or a form. */
export function readFilter(parameters: URLSearchParams): DeadLetterFilter {
  const given = FILTERS.map((name) => [name, parameters.get(name)?.trim() ?? ""] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ""));
}

/** Narrows the list. */
export function FilterForm({ filter }: { filter: DeadLetterFilter }) {
  return (
    <form class="inline" method="get" action={DEAD_LETTERS_PATH}>
      {FILTERS.map((name) => (
        <Field id={`filter-${name}`} label={LABELS[name]}>
          <input
            id={`filter-${name}`}
            name={name}
            type="text"
            class={name === "since" || name === "until" ? "day" : undefined}
            placeholder={name === "since" || name === "until" ? "YYYY-MM-DD" : undefined}
            value={filter[name] ?? ""}
          />
        </Field>
      ))}
      <button type="submit">Show</button>
    </form>
  );
}

/** Changes every dead letter of the filter. */
export function BulkForm({ filter }: { filter: DeadLetterFilter }) {
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <form class="inline" method="post" action={DEAD_LETTERS_PATH}>
      {Object.entries(filter).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <button type="submit" name="action" value="requeue">
        Send {isFiltered ? "all that match" : "all"} again
      </button>
      {isFiltered && (
        <button class="danger" type="submit" name="action" value="discard">
          Discard all that match
        </button>
      )}
    </form>
  );
}
