/** A control of a form with its label: the two never part at the end of a line. */
import type { Child } from "hono/jsx";

/** @param field.id that of the control among `children` */
export function Field({ id, label, children }: { id: string; label: string; children?: Child }) {
  return (
    <span class="field">
      <label for={id}>{label}</label>
      {children}
    </span>
  );
}
