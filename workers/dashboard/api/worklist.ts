/** The worklist for the API and the page: lines with their words and links. */
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import { type WorkDomain, workDomainsQuery, worklistQuery } from "../../../shared/ledger/worklist.ts";
import { WORK_LIMITS } from "../../../shared/limits.ts";
import type { WorkCause } from "../../../shared/watch/work.ts";
import { workWords } from "../../../shared/watch/work-words.ts";
import { domainPath, setupPath, workPath } from "../paths.ts";
import type { Call } from "./call.ts";
import { pageFrom, partOf } from "./page.ts";

type Line = Outputs["worklist"]["items"][number];

/**
 * Lines of some accounts.
 *
 * @param accounts those the person may see, of those asked for
 * @param account the one that was asked for
 */
export async function getWorklist(c: Call, accounts: readonly string[], account: string | undefined): Promise<Line[]> {
  const lines = await c.get("ledger").ask(worklistQuery(accounts), account);
  return lines.map((line): Line => {
    const { unfolded, code, subject, domains, messages, refused, weight } = line;
    const linked = unfolded.map((one) => withLink(line, one));
    const [only] = linked;
    const link = domains === 1 && only !== undefined ? only.link : workPath(line);
    return { ...workWords(line), code, subject, domains, messages, refused, weight, link, unfolded: linked };
  });
}

/** The domains of one line. */
export async function getWorkDomains(
  c: Call,
  { account, code, subject = "", ...asked }: Inputs["worklistDomains"],
  accounts: readonly string[],
): Promise<Outputs["worklistDomains"]> {
  const cause = { code, subject };
  const part = partOf(asked, WORK_LIMITS.domainsListed);
  const question = workDomainsQuery(accounts, cause, part);
  const [page = { rows: [], matching: 0 }] = await c.get("ledger").ask(question, account);
  return pageFrom(
    page.rows.map((one) => withLink(cause, one)),
    part,
    page.matching,
  );
}

/** The page of a domain that shows what is to be done about it. */
export function withLink({ code }: WorkCause, one: WorkDomain): WorkDomain {
  const { account, domain, link } = one;
  const rest = code === "setUp" ? setupPath(domain, account) : `${domainPath(domain)}/sources`;
  return { ...one, link: link === "" ? rest : link };
}
