/** Fields of the forms that add a receiver: a channel of notices, or a target of forwarding. */
import { NOTIFY_LIMITS } from "../../../shared/limits.ts";
import { Field } from "./field.tsx";

interface KindProps<Kind extends string> {
  id: string;
  kinds: readonly Kind[];
  nameOf: (kind: Kind) => string;
  /** The form as it was sent, to show it again. */
  typed: URLSearchParams | undefined;
}

/** The choice of a kind, by its name. */
export function KindField<Kind extends string>({ id, kinds, nameOf, typed }: KindProps<Kind>) {
  return (
    <Field id={id} label="Kind">
      <select id={id} name="kind">
        {kinds.map((kind) => (
          <option value={kind} selected={kind === typed?.get("kind")}>
            {nameOf(kind)}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** The name a receiver is listed by. */
export function NameField({ id, typed }: { id: string; typed: URLSearchParams | undefined }) {
  return (
    <Field id={id} label="Name">
      <input
        id={id}
        name="name"
        type="text"
        maxlength={NOTIFY_LIMITS.nameChars}
        placeholder="optional"
        value={typed?.get("name") ?? ""}
      />
    </Field>
  );
}
