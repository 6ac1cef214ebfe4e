/** The forms of the page Dead letters: filtering the list, and changing all that match a filter, with a question before. */
import type { Outputs } from "../../../shared/contract/operations.ts";
import { formatCount } from "../data/numbers.ts";
import { Field } from "../parts/field.tsx";

export const DEAD_LETTERS_PATH = "/operations/dead-letters";
const TEXT_FILTERS = ["domain", "account", "since", "until"] as const;
const LABELS = { domain: "Domain", account: "Account", since: "Received from", until: "to" };

/** The filter of the list. */
export type ListFilter = Partial<Record<"code" | (typeof TEXT_FILTERS)[number], string>>;

type Reasons = Outputs["deadLetterReasons"]["items"];

/** The filter of a link or a form. */
export function readFilter(parameters: URLSearchParams): ListFilter {
  const given = ["code" as const, ...TEXT_FILTERS].map((name) => [name, parameters.get(name)?.trim() ?? ""] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ""));
}

/** Whether the link is about those that were discarded. */
export function isDiscardedView(parameters: URLSearchParams): boolean {
  return parameters.get("discarded") === "yes";
}

interface ListProps {
  filter: ListFilter;
  isDiscarded: boolean;
}

/** The link of the list. */
export function listPath({ filter, isDiscarded }: ListProps, more: Record<string, string> = {}): string {
  const parameters = new URLSearchParams({ ...filter, ...(isDiscarded ? { discarded: "yes" } : {}), ...more });
  return parameters.size === 0 ? DEAD_LETTERS_PATH : `${DEAD_LETTERS_PATH}?${parameters}`;
}

/** The filter's form. @param reasons the ones that occur, with how many dead letters each has under the rest of the filter */
export function FilterForm({ filter, isDiscarded, reasons }: ListProps & { reasons: Reasons }) {
  const { code = "" } = filter;
  const all = reasons.reduce((sum, { deadLetters }) => sum + deadLetters, 0);
  const isListed = code === "" || reasons.some((reason) => reason.code === code);
  return (
    <form class="inline" method="get" action={DEAD_LETTERS_PATH}>
      {isDiscarded && <input type="hidden" name="discarded" value="yes" />}
      <Field id="filter-code" label="Reason">
        <select id="filter-code" name="code">
          <option value="">all ({formatCount(all)})</option>
          {!isListed && (
            <option value={code} selected>
              another one (0)
            </option>
          )}
          {reasons.map((reason) => (
            <option value={reason.code} selected={reason.code === code}>
              {reason.code} ({formatCount(reason.deadLetters)})
            </option>
          ))}
        </select>
      </Field>
      {TEXT_FILTERS.map((name) => (
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
export function BulkForm({ filter, isDiscarded }: ListProps) {
  const which = Object.keys(filter).length > 0 ? "all that match" : "all";
  return (
    <form class="inline" method="post" action={DEAD_LETTERS_PATH}>
      <FilterFields filter={filter} />
      {isDiscarded ? (
        <button type="submit" name="action" value="restore">
          Reopen {which}
        </button>
      ) : (
        <>
          <button type="submit" name="action" value="requeue">
            Retry {which}
          </button>
          <button class="danger" type="submit" name="action" value="discard">
            Discard {which} …
          </button>
        </>
      )}
    </form>
  );
}

/** Goes on where one press had to stop. @param cursor where that was */
export function ContinueForm({ filter, action, cursor }: { filter: ListFilter; action: string; cursor: string }) {
  return (
    <form class="inline" method="post" action={DEAD_LETTERS_PATH}>
      <FilterFields filter={{ ...filter, cursor, confirmed: "yes" }} />
      <span>There are more than one press can change.</span>
      <button class="primary" type="submit" name="action" value={action}>
        Continue: {action}
      </button>
    </form>
  );
}

/** Asks before dead letters are discarded. @param which by id, or by filter with how many it takes */
export function ConfirmDiscard({ id, filter, count }: { id?: string; filter: ListFilter; count: number }) {
  const back = id === undefined ? listPath({ filter, isDiscarded: false }) : `${DEAD_LETTERS_PATH}/${id}`;
  const what = count === 1 ? "1 dead letter" : `${formatCount(count)} dead letters`;
  return (
    <section class="card" aria-labelledby="confirm-discard">
      <h2 id="confirm-discard">Discard {what}?</h2>
      <p>Reprocessing does not bring it back. The raw file is kept, and you can reopen it under Discarded.</p>
      <form class="inline" method="post" action={DEAD_LETTERS_PATH}>
        {id === undefined ? <FilterFields filter={filter} /> : <input type="hidden" name="id" value={id} />}
        <input type="hidden" name="confirmed" value="yes" />
        <button class="danger" type="submit" name="action" value="discard">
          Discard {what}
        </button>
        <a href={back}>Keep</a>
      </form>
    </section>
  );
}

function FilterFields({ filter }: { filter: Record<string, string> }) {
  return (
    <>
      {Object.entries(filter).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
    </>
  );
}
