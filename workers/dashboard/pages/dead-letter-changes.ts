/** What the forms of dead letters do: retry, discard and reopen, one or all of a filter. For operators. */

import type { Inputs } from "../../../shared/contract/operations.ts";
import { DASHBOARD_LIMITS } from "../../../shared/limits.ts";
import { ApiError } from "../errors.ts";
import type { PageResult } from "../parts/page.ts";
import { type PageRequest, requireOperator } from "../parts/page-request.ts";
import { deadLetterPage } from "./dead-letter.tsx";
import { DEAD_LETTERS_PATH, listPath, readFilter } from "./dead-letter-forms.tsx";
import { deadLettersPage } from "./dead-letters.tsx";

const ACTIONS = {
  requeue: { operation: "requeueDeadLetters", done: "requeued" },
  discard: { operation: "discardDeadLetters", done: "discarded" },
  restore: { operation: "restoreDeadLetters", done: "restored" },
} as const;

type Action = keyof typeof ACTIONS;

function isAction(text: string | null): text is Action {
  return text !== null && Object.hasOwn(ACTIONS, text);
}

/**
 * Retries dead letters, discards them, or reopens them: one by id, or all of a filter. Discarding is asked about
 * first.
 *
 * @returns the page to go to; or the page that asks, or that has the button for those that are left
 */
export async function changeDeadLetters(request: PageRequest, form: URLSearchParams): Promise<string | PageResult> {
  requireOperator(request);
  const action = form.get("action");
  if (!isAction(action)) throw new ApiError("bad_request", "action must be requeue, discard or restore.");
  const id = form.get("id");
  const filter = readFilter(form);
  const list = { filter, isDiscarded: action === "restore" };
  if (action === "discard" && form.get("confirmed") !== "yes") {
    const asked = { isDiscarding: true };
    const page = id === null ? deadLettersPage(at(listPath(list), request), asked) : deadLetterPage(request, id, asked);
    return { ...(await page), status: 200 };
  }
  const selection = id === null ? { filter } : { ids: [id] };
  const cursor = form.get("cursor") ?? undefined;
  const { changed, refused, next } = await changeAll(request, { action, selection: { ...selection, cursor } });
  if (id !== null && refused.count > 0) throw new ApiError("bad_request", refused.reason);
  const parameters = new URLSearchParams({
    done: ACTIONS[action].done,
    count: String(changed),
    refused: String(refused.count),
  });
  if (action === "discard" && id !== null) parameters.set("undo", id);
  if (next === undefined) return `${DEAD_LETTERS_PATH}?${parameters}`;
  const said = at(listPath(list, Object.fromEntries(parameters)), request);
  return { ...(await deadLettersPage(said, { rest: { action, cursor: next } })), status: 200 };
}

/** The request as a link to this path would make it. */
function at(path: string, request: PageRequest): PageRequest {
  const url = new URL(path, request.url);
  return { ...request, url, parameters: url.searchParams };
}

interface Change {
  action: Action;
  selection: Inputs["requeueDeadLetters"];
}

/** What a change came to. */
interface Changed {
  changed: number;
  /** `reason`: of the last one. */
  refused: { count: number; reason: string };
  /** Where another press goes on: there are more than one request may change. */
  next: string | undefined;
}

// One page of dead letters a call, as many calls as a request may make; there may be very many, so they are only counted.
async function changeAll(request: PageRequest, { action, selection }: Change): Promise<Changed> {
  const done: Changed = { changed: 0, refused: { count: 0, reason: "It was refused." }, next: selection.cursor };
  for (let calls = 0; calls < DASHBOARD_LIMITS.callsPerForm; calls++) {
    const page = await request.operate(ACTIONS[action].operation, { ...selection, cursor: done.next });
    for (const { result, reason } of page.items) {
      if (result !== "refused") done.changed++;
      else done.refused = { count: done.refused.count + 1, reason: reason ?? done.refused.reason };
    }
    done.next = page.cursor;
    if (done.next === undefined) break;
  }
  return done;
}
