/** Importing accounts, domains and RUA addresses from a CSV file: a preview of each line, then the import. For operators. */
import { decodeBase64 } from "../../../shared/base64.ts";
import type { Outputs } from "../../../shared/contract/operations.ts";
import { importChunks, readImportFile } from "../../../shared/import-lines.ts";
import { ACCOUNT_LIMITS, DASHBOARD_LIMITS } from "../../../shared/limits.ts";
import { formatCount } from "../data/numbers.ts";
import { isWrongInput } from "../errors.ts";
import { AccountsHead, accountPath } from "../parts/accounts-frame.tsx";
import { Field } from "../parts/field.tsx";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import { Note, ProblemNote } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import type { PageRequest } from "../parts/page-request.ts";
import { ROLE } from "../parts/table-view.tsx";

const PATH = "/import";
/** Ours: lines shown, those with errors first. */
const SHOWN = 500;

type Line = Outputs["importAccounts"]["items"][number];

/** What was submitted, and the result. */
interface Sent {
  text: string;
  problem?: string;
  /** Of a dry run, or of the import. */
  lines?: readonly Line[];
  isDone?: boolean;
}

export function importPage(request: PageRequest, sent: Sent = { text: "" }): PageResult {
  const { text, problem, lines, isDone = false } = sent;
  return {
    tables: [],
    content: {
      title: "Import",
      section: "accounts",
      crumbs: [{ label: "Accounts", href: "/accounts" }],
      body: (
        <>
          <AccountsHead
            request={request}
            tab="import"
            title="Import accounts, domains and addresses"
            lead="From a CSV file. Existing entries stay unchanged, so you can import a file again."
          />
          {problem !== undefined && <ProblemNote problem={problem} />}
          {lines !== undefined && <Outcome lines={lines} text={text} isDone={isDone} />}
          {(lines === undefined || isDone) && <FileForm text={isDone ? "" : text} />}
        </>
      ),
    },
  };
}

const EXAMPLE = "account,name,domain,rua\nacme,Acme Ltd,acme.example,\nbeta,,beta.example,dmarc@beta.example";

function FileForm({ text }: { text: string }) {
  return (
    <section class="card">
      <form class="stacked" method="post" action={PATH} enctype="multipart/form-data">
        <Field id="import-file" label="File">
          <input id="import-file" name="file" type="file" accept=".csv,text/csv,text/plain" />
        </Field>
        <label for="import-text">Or its lines</label>
        <textarea id="import-text" name="text" class="wide" rows={8} spellcheck={false} placeholder={EXAMPLE}>
          {text}
        </textarea>
        <button class="primary" type="submit" name="action" value="preview">
          Preview
        </button>
      </form>
      <p class="small muted">
        The first line names the columns: account, and any of name, domain and rua. A domain without rua gets an address
        of its own. At most {formatCount(ACCOUNT_LIMITS.importedLines)} lines.
      </p>
    </section>
  );
}

function Outcome({ lines, text, isDone }: { lines: readonly Line[]; text: string; isDone: boolean }) {
  const count = (result: Line["result"]): number => lines.filter((line) => line.result === result).length;
  const errors = count("error");
  const added = count("new");
  return (
    <>
      <Note kind={errors === 0 ? "done" : "warn"}>
        {formatCount(lines.length)} {lines.length === 1 ? "line" : "lines"}: {formatCount(added)}{" "}
        {isDone ? "imported" : "new"}, {formatCount(count("exists"))} already there, {formatCount(errors)} with errors.
        {!isDone && " Nothing has been changed yet."}
      </Note>
      {!isDone && (
        <form class="inline" method="post" action={PATH} enctype="multipart/form-data">
          <input type="hidden" name="text" value={text} />
          {added > 0 && (
            <button class="primary" type="submit" name="action" value="import">
              Import {formatCount(added)} {added === 1 ? "line" : "lines"}
            </button>
          )}
          <a href={PATH}>Choose another file</a>
        </form>
      )}
      <LinesTable lines={lines} isDone={isDone} />
    </>
  );
}

const ORDER: readonly Line["result"][] = ["error", "new", "exists"];

function LinesTable({ lines, isDone }: { lines: readonly Line[]; isDone: boolean }) {
  const sorted = ORDER.flatMap((result) => lines.filter((line) => line.result === result));
  return (
    <section class="card" aria-labelledby="lines">
      <h2 id="lines">Lines</h2>
      {sorted.length > SHOWN && (
        <p class="small muted">
          The first {formatCount(SHOWN)} of {formatCount(sorted.length)}, errors first. The command dmarc accounts
          import prints them all.
        </p>
      )}
      <section class="scroll" tabindex={0} aria-label="Lines, table">
        <table class="stacks" {...ROLE.table} aria-labelledby="lines">
          <thead {...ROLE.rowgroup}>
            <tr {...ROLE.row}>
              {HEADS.map((head) => (
                <th scope="col" {...ROLE.head}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody {...ROLE.rowgroup}>
            {sorted.slice(0, SHOWN).map((line) => (
              <LineRow line={line} isDone={isDone} />
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

const HEADS = ["Line", "Result", "Account", "Domain", "Address for its reports"] as const;

function LineRow({ line: { line, account, domain = "", rua = "", result, message }, isDone }: RowProps) {
  const cells = [
    <>
      {result === "new" && <span class="result pass">✓ new</span>}
      {result === "exists" && <span class="result">exists</span>}
      {result === "error" && <span class="result fail">✕ error</span>} <ForeignText text={message} />
    </>,
    result === "error" || !isDone ? (
      <ForeignText text={account} />
    ) : (
      <a href={accountPath(account)}>
        <ForeignText text={account} />
      </a>
    ),
    domain !== "" && <Name text={domain} />,
    rua !== "" && <Name text={rua} />,
  ];
  return (
    <tr {...ROLE.row}>
      <th scope="row" {...ROLE.rowHead} class="text" data-label={HEADS[0]}>
        {String(line)}
      </th>
      {cells.map((cell, i) => (
        <td {...ROLE.cell} class="text" data-label={HEADS[i + 1]}>
          {cell}
        </td>
      ))}
    </tr>
  );
}

interface RowProps {
  line: Line;
  /** Whether it was imported, so that its account is there. */
  isDone: boolean;
}

/** Previews the lines, or imports them. @returns the page that says it */
export async function importFromForm(request: PageRequest, form: URLSearchParams): Promise<PageResult> {
  const file = form.get("file") ?? "";
  const text = file === "" ? (form.get("text") ?? "") : decodeText(file);
  if (text === undefined) return importPage(request, { text: "", problem: "The file can't be read: choose it again." });
  const isDone = form.get("action") === "import";
  const read = readImportFile(text);
  if (!read.ok) return importPage(request, { text, problem: read.error });
  if (read.value.length === 0) return importPage(request, { text, problem: "The file has no entries." });
  const chunks = importChunks(read.value);
  if (chunks.length > DASHBOARD_LIMITS.callsPerForm) {
    const most = formatCount(DASHBOARD_LIMITS.callsPerForm * ACCOUNT_LIMITS.importedAtOnce);
    const problem = `At most ${most} entries at a time. Divide the file, or use dmarc accounts import.`;
    return importPage(request, { text, problem });
  }
  const lines: Line[] = [];
  try {
    for (const chunk of chunks) {
      const { items } = await request.operate("importAccounts", { lines: chunk, dryRun: !isDone });
      lines.push(...items);
    }
  } catch (error) {
    if (!isWrongInput(error)) throw error;
    return importPage(request, { text, problem: error.message });
  }
  return { ...importPage(request, { text, lines, isDone }), status: 200 };
}

/** A file's bytes, base64, as text; undefined if a form was sent that is not ours. */
function decodeText(base64: string): string | undefined {
  const bytes = decodeBase64(base64);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}
