/** A day, typed: a form's own field for it looks and checks the same on every page. */

interface DayInputProps {
  id: string;
  name: string;
  /** `YYYY-MM-DD`; "" = none yet. */
  value: string;
}

/** The input alone; its label is the `Field` around it. */
export function DayInput({ id, name, value }: DayInputProps) {
  return (
    <input
      class="day"
      id={id}
      name={name}
      type="text"
      inputmode="numeric"
      placeholder="YYYY-MM-DD"
      pattern="\d{4}-\d{2}-\d{2}"
      title="a day as YYYY-MM-DD"
      value={value}
    />
  );
}
