/** Where notices and digests are sent: the channels of the person's accounts, adding one, and the outcome of each delivery. */
import type { Outputs } from "../../../shared/contract/operations.ts";
import { NOTIFY_LIMITS } from "../../../shared/limits.ts";
import {
  CHANNEL_KINDS,
  CHANNELS,
  DIGEST_INTERVALS,
  type DigestInterval,
  shownTarget,
} from "../../../shared/notify/channel.ts";
import { type Access, mayAdminister } from "../access.ts";
import { isoMinute } from "../data/days.ts";
import { ApiError, isWrongInput } from "../errors.ts";
import { AccountOptions } from "../parts/account-options.tsx";
import { Field } from "../parts/field.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import { limitNote } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { PageHead } from "../parts/page-head.tsx";
import type { PageRequest } from "../parts/page-request.ts";
import { KindField, NameField } from "../parts/receiver-fields.tsx";
import { type Said, SaidNote, saying, typedFor } from "../parts/said-note.tsx";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";

const PATH = "/channels";

type Channel = Outputs["listChannels"]["items"][number];
type Delivery = Outputs["listDeliveries"]["items"][number];

const DIGEST_WORDS: Record<DigestInterval, string> = {
  none: "no digest",
  daily: "daily digest",
  weekly: "weekly digest",
  monthly: "monthly digest",
};
const DELIVERY_WORDS: Record<Delivery["kind"], string> = {
  notice: "Notice",
  digest: "Digest",
  test: "Test",
  confirm: "Request to confirm",
};
const STATE_WORDS: Record<Delivery["state"], string> = { waiting: "waiting", sent: "sent", failed: "failed" };

export async function channelsPage(request: PageRequest, said?: Said): Promise<PageResult> {
  const accounts = await request.administered();
  const [{ items: channels }, { items: deliveries }] = await Promise.all([
    request.read("listChannels", {}),
    request.read("listDeliveries", {}),
  ]);
  const tables = [channelsTable(request.access, channels), deliveriesTable(deliveries, channels)];
  return {
    tables,
    content: {
      title: "Channels",
      section: "alerts",
      crumbs: [{ label: "Alerts", href: "/alerts" }],
      body: (
        <>
          <PageHead
            title="Channels"
            lead="Notices are sent when something needs your attention, at most one a day for each domain; a digest sums up the rest."
          />
          {said !== undefined && <SaidNote said={said} secretIs="Its deliveries are signed with this key" />}
          {tables[0]?.view(request.url)}
          {request.access.role !== "viewer" && (
            <section class="card" aria-labelledby="add-channel">
              <h2 id="add-channel">Add a channel</h2>
              <AddForm request={request} accounts={accounts} typed={typedFor(said, "add")} />
            </section>
          )}
          {tables[1]?.view(request.url)}
        </>
      ),
    },
  };
}

interface AddProps {
  request: PageRequest;
  accounts: readonly string[];
  typed: URLSearchParams | undefined;
}

function AddForm({ request, accounts, typed }: AddProps) {
  return (
    <form class="stacked" method="post" action={PATH}>
      <KindField id="channel-kind" kinds={CHANNEL_KINDS} nameOf={(kind) => CHANNELS[kind].name} typed={typed} />
      <Field id="channel-target" label="Mail address or URL">
        <input
          id="channel-target"
          name="target"
          type="text"
          required
          maxlength={NOTIFY_LIMITS.targetChars}
          placeholder="ann@example.com or https://…"
          value={typed?.get("target") ?? ""}
        />
      </Field>
      <NameField id="channel-name" typed={typed} />
      <WhatIsSent typed={typed} />
      <Field id="channel-account" label="Account">
        <select id="channel-account" name="account">
          <AccountOptions accounts={accounts} chosen={typed?.get("account") ?? undefined} />
          {request.access.role === "operator" && (
            <option value="" selected={typed?.get("account") === ""}>
              the pipeline itself
            </option>
          )}
        </select>
      </Field>
      <button class="primary" type="submit" name="action" value="add">
        Add
      </button>
      <p class="small muted">
        Digests are sent at {NOTIFY_LIMITS.digestHour}:00 in the channel's time zone, such as Europe/Berlin: weekly ones
        on Monday, monthly ones on the first. Webhooks must have public https addresses. If a mail address belongs to
        nobody here, its owner must confirm it first.
      </p>
    </form>
  );
}

function WhatIsSent({ typed }: Pick<AddProps, "typed">) {
  return (
    <>
      <label>
        <input
          type="checkbox"
          name="notices"
          value="yes"
          checked={typed === undefined || typed.get("notices") === "yes"}
        />{" "}
        Send notices
      </label>
      <Field id="channel-digest" label="Digest">
        <select id="channel-digest" name="digest">
          {[...DIGEST_INTERVALS].reverse().map((interval) => (
            <option value={interval} selected={interval === typed?.get("digest")}>
              {DIGEST_WORDS[interval]}
            </option>
          ))}
        </select>
      </Field>
      <Field id="channel-zone" label="Time zone">
        <input
          id="channel-zone"
          name="timeZone"
          type="text"
          value={typed?.get("timeZone") ?? "UTC"}
          required
          maxlength={64}
        />
      </Field>
    </>
  );
}

/** Whether anything is sent there. */
function stateOf({ confirmedSeconds, silentUntilSeconds }: Channel): string {
  if (confirmedSeconds === 0) return "waiting for confirmation";
  return silentUntilSeconds === 0 ? "in use" : `does not answer, tried again ${isoMinute(silentUntilSeconds)}`;
}

function channelsTable(access: Access, rows: readonly Channel[]): BoundTable {
  return bindTable<Channel>({
    id: "channels",
    caption: "Channels",
    rows,
    sort: "name",
    empty: "No channels yet: nobody gets alerts.",
    columns: [
      { key: "name", label: "Name", value: ({ name }) => name, cell: ({ name }) => <ForeignText text={name} /> },
      { key: "kind", label: "Kind", value: ({ kind }) => CHANNELS[kind].name },
      {
        key: "target",
        label: "To",
        value: ({ target }) => target,
        cell: ({ target }) => <ForeignText text={target} />,
      },
      { key: "state", label: "State", value: stateOf },
      { key: "notices", label: "Notices", value: ({ sendsNotices }) => (sendsNotices ? "yes" : "no") },
      {
        key: "digest",
        label: "Digest",
        value: ({ digest, timeZone }) => (digest === "none" ? "none" : `${digest}, ${timeZone}`),
      },
      { key: "account", label: "Account", value: ({ account }) => (account === "" ? "(pipeline)" : account) },
      { key: "by", label: "Added by", value: ({ createdBy }) => createdBy },
      {
        key: "change",
        label: "Change",
        value: () => "",
        cell: (channel) =>
          mayAdminister(access, channel.account) && (
            <ChangeForm channel={channel} isOperator={access.role === "operator"} />
          ),
      },
    ],
  });
}

function ChangeForm({ channel, isOperator }: { channel: Channel; isOperator: boolean }) {
  const { account, id, name, confirmedSeconds } = channel;
  const isWaiting = confirmedSeconds === 0;
  return (
    <form class="inline" method="post" action={PATH}>
      <input type="hidden" name="account" value={account} />
      <input type="hidden" name="id" value={id} />
      {isWaiting && isOperator && (
        <button type="submit" name="action" value="confirm" aria-label={`Confirm ${name}`}>
          Confirm
        </button>
      )}
      {isWaiting ? (
        <button type="submit" name="action" value="test" aria-label={`Send link again to ${name}`}>
          Send link again
        </button>
      ) : (
        <button type="submit" name="action" value="test" aria-label={`Send a test to ${name}`}>
          Test
        </button>
      )}
      <button type="submit" name="action" value="remove" aria-label={`Remove ${name}`}>
        Remove
      </button>
    </form>
  );
}

function deliveriesTable(rows: readonly Delivery[], channels: readonly Channel[]): BoundTable {
  const names = new Map(channels.map(({ id, name }) => [id, name]));
  return bindTable<Delivery>({
    id: "deliveries",
    caption: "Deliveries",
    rows,
    sort: "-created",
    empty: "Nothing has been sent yet.",
    partial: limitNote(rows, NOTIFY_LIMITS.deliveriesShown, "the newest come first"),
    columns: [
      { key: "created", label: "When", value: ({ createdSeconds }) => isoMinute(createdSeconds) },
      {
        key: "channel",
        label: "Channel",
        value: ({ channel }) => names.get(channel) ?? channel,
        cell: ({ channel }) => <ForeignText text={names.get(channel) ?? channel} />,
      },
      { key: "kind", label: "What", value: ({ kind }) => DELIVERY_WORDS[kind] },
      { key: "state", label: "State", value: ({ state }) => STATE_WORDS[state] },
      { key: "attempts", label: "Attempts", value: ({ attempts }) => attempts },
      {
        key: "result",
        label: "Result",
        value: ({ result }) => result,
        cell: ({ result }) => <ForeignText text={result} />,
      },
      {
        key: "next",
        label: "Next attempt",
        value: ({ state, nextSeconds }) => (state === "waiting" && nextSeconds > 0 ? isoMinute(nextSeconds) : ""),
      },
    ],
  });
}

/**
 * Adds, tests, confirms or removes a channel.
 *
 * @returns the page to go to; of a new channel, or a problem, the page that says so
 * @throws ApiError when the account is not the person's
 */
export async function changeChannels(request: PageRequest, form: URLSearchParams): Promise<string | PageResult> {
  const account = form.get("account")?.trim() ?? "";
  const isOperator = request.access.role === "operator";
  if (!isOperator && !(await request.accounts()).includes(account)) {
    throw new ApiError("not_found", "There is no such account.");
  }
  const id = form.get("id") ?? "";
  try {
    switch (form.get("action")) {
      case "test":
        await request.operate("testChannel", { account, id });
        return saying("sent", PATH);
      case "confirm":
        await request.operate("confirmChannel", { account, id });
        return saying("saved", PATH);
      case "remove":
        await request.operate("removeChannel", { account, id });
        return saying("removed", PATH);
      default: {
        const added = await request.operate("addChannel", settingsOf(account, form));
        const secret = added.secret === "" ? {} : { secret: added.secret };
        const waits =
          added.confirmedSeconds === 0
            ? " Until its owner opens the link in the mail we sent, nothing else is sent to it."
            : "";
        const sentence = `${added.name} was added.${waits}`;
        const page = await channelsPage(request, { kind: "done", sentence, ...secret });
        return { ...page, status: 200 };
      }
    }
  } catch (error) {
    if (!isWrongInput(error)) throw error;
    return channelsPage(request, { kind: "fault", sentence: error.message, typed: form });
  }
}

function settingsOf(account: string, form: URLSearchParams) {
  const kind = CHANNEL_KINDS.find((one) => one === form.get("kind"));
  const digest = DIGEST_INTERVALS.find((one) => one === form.get("digest"));
  if (kind === undefined || digest === undefined) throw new ApiError("bad_request", "Choose a kind and a digest.");
  const target = form.get("target")?.trim() ?? "";
  const name = form.get("name")?.trim() || shownTarget({ kind, target }).slice(0, NOTIFY_LIMITS.nameChars);
  const timeZone = form.get("timeZone")?.trim() ?? "";
  return { account, kind, digest, target, name, timeZone, sendsNotices: form.get("notices") === "yes" };
}
