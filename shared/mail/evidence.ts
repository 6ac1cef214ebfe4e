/**
 * Which parts of a mail are evidence rather than a delivery: what a bounce returns (RFC 3462, RFC 3464, RFC 8098), and
 * the mail a failure report is about (RFC 5965). Pure: add all parts in any order, then query.
 */
import type { PartHeader } from "./header.ts";
import { readMailFields } from "./mail-fields.ts";
import type { Container } from "./stream.ts";

/** A part's position and declared type. */
export type PlacedPart = Pick<PartHeader, "mimeType"> & { containers: readonly Container[] };

const NOTICE_REPORTS = /^(?:delivery-status|disposition-notification|delivery-tracking)$/;
/** RFC 5965 section 2, RFC 8460 section 5.3. */
const REPORTS = /^(?:feedback-report|tlsrpt)$/;
const NOTICE_PARTS = /^message\/(?:global-)?(?:delivery-status|disposition-notification|tracking-status)$/;
/** A mail, or the header of one (RFC 2046, RFC 6522, RFC 6533); some leave out the last letter. */
export const MAIL_PARTS = /^(?:message\/(?:rfc822|global|rfc822-headers?|global-headers)|text\/rfc822-headers?)$/;
export const FEEDBACK_TYPE = "message/feedback-report";
const FEEDBACK_REPORT = "feedback-report";

/** What the parts of one mail tell about each other: all are added first, then asked about. */
export class Evidence {
  /** Containers that are notices: mails or multiparts. */
  readonly #notices = new Set<number>();
  /** Multiparts that have a feedback part or declare themselves feedback reports. */
  readonly #feedback = new Set<number>();
  /** Those that have such a part: some label an aggregate report so. */
  readonly #withFields = new Set<number>();
  readonly #known = new Set<number>();

  /** Adds a part. All parts of a mail must be added before the first query. */
  add({ mimeType, containers }: PlacedPart): void {
    for (const [i, container] of containers.entries()) this.#learn(container, containers[i + 1]);
    const around = containers.at(-1)?.id ?? 0;
    if (NOTICE_PARTS.test(mimeType)) this.#notices.add(around);
    if (mimeType !== FEEDBACK_TYPE) return;
    this.#feedback.add(around);
    this.#withFields.add(around);
  }

  /** Whether the mail, or a mail in it, is a notice about another one. */
  get hasNotice(): boolean {
    return this.#notices.size > 0;
  }

  /** Whether a part is inside a notice. */
  isInNotice({ containers }: PlacedPart): boolean {
    return containers.some(({ id }) => this.#notices.has(id));
  }

  /** Whether a part is the mail a feedback report is about, or inside it. */
  isReported({ mimeType, containers }: PlacedPart): boolean {
    const at = containers.findIndex(({ id }) => this.#feedback.has(id));
    if (at < 0 || mimeType === FEEDBACK_TYPE) return false;
    const isInMail = containers.slice(at + 1).some(({ type }) => type === "mail");
    if (isInMail || MAIL_PARTS.test(mimeType)) return true;
    // A third part that is not a mail: RFC 5965 allows no other.
    const isThird = ({ id, reportType }: Container) => reportType === FEEDBACK_REPORT && this.#withFields.has(id);
    return containers.some(isThird) && !mimeType.startsWith("text/");
  }

  /** The feedback report that contains a part. */
  feedbackAround(containers: readonly Container[]): Container | undefined {
    return containers.find(({ id }) => this.#feedback.has(id));
  }

  #learn({ id, type, reportType, header }: Container, inside: Container | undefined): void {
    if (this.#known.has(id)) return;
    this.#known.add(id);
    // Mail servers send reports, too: then the report type says more than the sender and the subject.
    const maySayNotice = type === "mail" && !REPORTS.test(inside?.reportType ?? "");
    if (NOTICE_REPORTS.test(reportType) || (maySayNotice && readMailFields(header).isNotice)) this.#notices.add(id);
    if (reportType === FEEDBACK_REPORT) this.#feedback.add(id);
  }
}
