/** People and what they may see. Kept in the directory, the first database. */
import * as v from "valibot";
import { type Viewer, viewerEntry } from "../viewers.ts";
import { ask, type Change, jsonColumn, type LedgerDatabase, type Query, query } from "./database.ts";

const row = v.pipe(
  v.object({
    email: v.string(),
    role: viewerEntry.entries.role,
    accounts: jsonColumn(viewerEntry.entries.accounts),
  }),
  v.transform(({ email, role, accounts }): Viewer => ({ email, entry: { role, accounts } })),
);

/** Every person by address: one query. */
export function peopleQuery(): Query<Viewer> {
  return query("SELECT email, role, accounts FROM people ORDER BY email", [], row);
}

/** The person with an address (lower case): one row or none. */
export function personQuery(email: string): Query<Viewer> {
  return query("SELECT email, role, accounts FROM people WHERE email = ?1", [email], row);
}

/** The person with an address (lower case); undefined if there is none. */
export async function findPerson(directory: LedgerDatabase, email: string): Promise<Viewer | undefined> {
  const [found] = await ask(directory, personQuery(email));
  return found;
}

/** Stores what a person may see, replacing what was stored. */
export function putPerson({ email, entry }: Viewer, nowSeconds: number): Change {
  return {
    sql: `INSERT INTO people (email, role, accounts, changed_seconds) VALUES (?1, ?2, ?3, ?4)
      ON CONFLICT (email) DO UPDATE SET role = excluded.role, accounts = excluded.accounts,
        changed_seconds = excluded.changed_seconds`,
    parameters: [email, entry.role, JSON.stringify(entry.accounts), nowSeconds],
  };
}

/** Removes a person; a missing one is no error. */
export function removePerson(email: string): Change {
  return { sql: "DELETE FROM people WHERE email = ?1", parameters: [email] };
}
