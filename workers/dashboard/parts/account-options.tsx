/** The accounts to choose from in a form's select. */
import { plainForeignText } from "./foreign-text.tsx";

/** One option an account. @param chosen the one selected at first; absent = the browser's choice, the first */
export function AccountOptions({ accounts, chosen }: { accounts: readonly string[]; chosen?: string | undefined }) {
  return (
    <>
      {accounts.map((account) => (
        <option value={account} selected={account === chosen}>
          {plainForeignText(account)}
        </option>
      ))}
    </>
  );
}
