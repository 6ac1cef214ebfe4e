/** One dead letter: what is known of it, its message, its raw file, and what can be done with it. For operators. */

import type { DeadLetter, DeadLetterDetails } from "../../../shared/contract/incoming-shapes.ts";
import { decodedWords } from "../../../shared/mail/encoded-words.ts";
import { FORMAT_NAMES } from "../../../shared/sniff.ts";
import { isoMinute } from "../data/days.ts";
import { formatBytes } from "../data/numbers.ts";
import { ForeignJson, ForeignText } from "../parts/foreign-text.tsx";
import { Pairs } from "../parts/marks.tsx";
import { OperationsHead } from "../parts/operations-frame.tsx";
import type { PageResult } from "../parts/page.ts";
import { type PageRequest, requireOperator } from "../parts/page-request.ts";
import { rawFileAnswer } from "../parts/raw-file.ts";
import { Term } from "../parts/term.tsx";
import { ConfirmDiscard, DEAD_LETTERS_PATH } from "./dead-letter-forms.tsx";

/** The page of one dead letter. @throws ApiError `not_found` */
export async function deadLetterPage(
  request: PageRequest,
  id: string,
  { isDiscarding = false } = {},
): Promise<PageResult> {
  requireOperator(request);
  const details = await request.read("getDeadLetter", { id });
  const { letter } = details;
  return {
    tables: [],
    content: {
      title: `Dead letter ${id}`,
      section: "operations",
      crumbs: [{ label: "Dead letters", href: DEAD_LETTERS_PATH }],
      body: (
        <>
          <OperationsHead request={request} tab="dead-letters" title={<ForeignText text={letter.reason.message} />} />
          {isDiscarding && letter.discarded === undefined && <ConfirmDiscard id={letter.id} filter={{}} count={1} />}
          <DeadLetterCard {...details} />
          <section class="card">
            <h2>Message</h2>
            <ForeignJson value={letter.message} />
          </section>
        </>
      ),
    },
  };
}

function DeadLetterCard({ letter, raw }: DeadLetterDetails) {
  return (
    <section class="card">
      <h2>
        <Term name="Dead letter" />
      </h2>
      <Pairs pairs={factsOf(letter)} />
      {raw === undefined ? (
        <p class="muted">No raw file is stored for it.</p>
      ) : (
        <p>
          <a class="button" href={`${DEAD_LETTERS_PATH}/${encodeURIComponent(letter.id)}/raw`}>
            Download the raw file
          </a>{" "}
          <span class="muted">{formatBytes(raw.sizeBytes)}</span>
        </p>
      )}
      <form class="inline" method="post" action={DEAD_LETTERS_PATH}>
        <input type="hidden" name="id" value={letter.id} />
        {letter.discarded === undefined ? (
          <>
            <button class="primary" type="submit" name="action" value="requeue">
              Retry
            </button>
            <button class="danger" type="submit" name="action" value="discard">
              Discard …
            </button>
          </>
        ) : (
          <button class="primary" type="submit" name="action" value="restore">
            Reopen
          </button>
        )}
      </form>
    </section>
  );
}

/** The raw object of a dead letter. */
export async function deadLetterRawFile(request: PageRequest, id: string): Promise<Response> {
  requireOperator(request);
  const { letter } = await request.read("getDeadLetter", { id });
  const read = request.operate("readRawObject", { key: letter.rawKey });
  return rawFileAnswer(read, { rawKey: letter.rawKey, missing: "The raw file is no longer stored." });
}

function factsOf(letter: DeadLetter): [string, string][] {
  const { mail, file, discarded } = letter;
  const facts: [string, string | undefined][] = [
    ["Reason", `${letter.reason.code}: ${letter.reason.message}`],
    ["What to do", letter.advice],
    [
      "Discarded",
      discarded === undefined ? undefined : `${isoMinute(Date.parse(discarded.at) / 1000)}, by ${discarded.by}`,
    ],
    ["Sent to", letter.rua || "–"],
    ["Account", letter.account || "–"],
    ["Domain", `${letter.domain || "–"}${letter.isDomainGuessed ? " (from its file name)" : ""}`],
    ...MAIL_FACTS.map(([label, read]): [string, string] => [
      label,
      mail === undefined ? "unknown" : read(mail) || "none",
    ]),
    ["File", file?.name || "–"],
    ["Type, size", file === undefined ? "unknown" : fileFacts(file)],
    ["Part", letter.part || "the whole file"],
    ["Attempts", String(letter.attempts)],
    ["Failed while", letter.stage === "read" ? "reading it" : "waiting in the queue"],
    ["Last error", letter.lastError],
    ["Mail received", isoMinute(letter.receivedSeconds)],
    ["Failed at", isoMinute(Date.parse(letter.at) / 1000)],
    ["Raw key", letter.rawKey || "–"],
    ["Id", letter.id],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
}

type Mail = NonNullable<DeadLetter["mail"]>;

export const MAIL_FACTS: readonly [string, (mail: Mail) => string][] = [
  ["From", ({ from }) => decodedWords(from)],
  ["Subject", ({ subject }) => decodedWords(subject)],
  ["Envelope sender", ({ sender }) => sender],
  ["Message-ID", ({ messageId }) => messageId],
];

/** Size, what its bytes are, and what it was declared as. */
export function fileFacts(file: DeadLetter["file"]): string {
  if (file === undefined) return "";
  const { sizeBytes, format, mimeType } = file;
  const facts = [
    sizeBytes === undefined ? "" : formatBytes(sizeBytes),
    format === undefined ? "" : `recognized as ${formatName(format)}`,
    mimeType === "" ? "no type declared" : `declared as ${mimeType}`,
  ];
  return facts.filter((fact) => fact !== "").join(", ");
}

/** A format in words; one that this version does not know, as it is. */
function formatName(format: string): string {
  return new Map<string, string>(Object.entries(FORMAT_NAMES)).get(format) ?? format;
}
