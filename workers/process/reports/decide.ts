/**
 * Decides the outcome of every object in a batch, in order: each report is accepted, a duplicate, in conflict or taken
 * back; each part that cannot be read is a dead letter. Pure: works on what was looked up and returns what to write.
 */
import type { DataPoint } from "../../../shared/analytics/columns.ts";
import { closedConflict, closedDeadLetter, eventPoint, type PipelineEvent } from "../../../shared/analytics/events.ts";
import { senderOf } from "../../../shared/authentication/sender.ts";
import type { ReportSender } from "../../../shared/authentication/sender-state.ts";
import { type Finding, type FoundProblem, type FoundReport, narrowed } from "../../../shared/batch/read-object.ts";
import { coverReport, type PointWork, workOf, writeOf } from "../../../shared/batch/report-writes.ts";
import { conflictId, eventId, sha256Text, versionUid } from "../../../shared/identity.ts";
import { type Claim, Claims, type Verdict } from "../../../shared/ledger/claims.ts";
import { type BatchChanges, needsReading, noChanges } from "../../../shared/ledger/commit-batch.ts";
import { type ConflictRow, putAcceptedVersion, type ReportVersion } from "../../../shared/ledger/conflicts.ts";
import { type DeadLetterFile, type DeadLetterRow, isDiscarded } from "../../../shared/ledger/dead-letters.ts";
import { type FoundParts, objectReference } from "../../../shared/ledger/objects.ts";
import { countParts, discardedByPeople, type Outcome } from "../../../shared/ledger/outcomes.ts";
import type { ReportReference, ReportShare } from "../../../shared/ledger/report-rows.ts";
import type { HeldReport, ReportWrite } from "../../../shared/ledger/reports.ts";
import { removeOlderSlices, removeSlices } from "../../../shared/ledger/slices.ts";
import { PROCESS_LIMITS } from "../../../shared/limits.ts";
import type { ReportMessage } from "../../../shared/messages.ts";
import { acceptsDomain } from "../../../shared/registry.ts";
import { acceptedPart } from "../../../shared/report/accepted.ts";
import { type FileFacts, gatherProblems, type Problem, problem } from "../../../shared/report/problems.ts";
import type { Report } from "../../../shared/report/vocabulary.ts";
import { WHOLE_MAIL_NAME } from "../../../shared/storage.ts";
import { newDeadLetter } from "./dead-letters.ts";
import { claimReference, type Known, type ReadObject, reportOf, useKeys } from "./lookup.ts";
import { runAbove } from "./write-above.ts";

/** The decision about one object. */
export interface ObjectPlan {
  object: ReadObject;
  /** Why nothing changes; undefined when something does. */
  left: string | undefined;
  outcomes: Outcome[];
  records: number;
  points: PointWork[];
  /** Events for dead letters and conflicts that are resolved, written before those rows are removed. */
  events: DataPoint[];
  /**
   * Reports accepted from other objects, to be rerun so that their points outrank any this object may have left behind.
   */
  again: ReportMessage[];
  rawRemoved: boolean;
}

/** The decision about a whole batch. */
export interface BatchPlan {
  objects: ObjectPlan[];
  changes: BatchChanges;
}

/** Daily limits: records by address and by account, reports by address and reporter. */
export interface DayBudget {
  address: number;
  account: number;
  reporter: number;
}

/** What decisions depend on. */
export interface DecisionContext {
  known: Known;
  budget: DayBudget;
  /** Whether this invocation has already written points of a report for an object, in any generation. */
  hasWritten(rawKey: string, uid: string): boolean;
  nowSeconds: number;
}

/** Decides about a batch, in order. */
export async function decide(objects: readonly ReadObject[], context: DecisionContext): Promise<BatchPlan> {
  const batch = new BatchDecision(context);
  const plans: ObjectPlan[] = [];
  for (const object of objects) plans.push(await new ObjectDecision(object, batch).decide());
  return { objects: plans, changes: batch.close() };
}

/** What an object uses of the daily budgets. */
interface ObjectUse {
  reporter: number;
  reports: number;
  records: number;
}

/** State shared by the objects of a batch. */
class BatchDecision {
  readonly context: DecisionContext;
  readonly claims: Claims;
  readonly changes = noChanges();
  /** By uid: when a batch writes one report twice, the later write counts. */
  readonly writes = new Map<string, BatchChanges["reports"][number]>();

  constructor(context: DecisionContext) {
    this.context = context;
    this.claims = new Claims(context.known.held);
  }

  /** The report as the ledger holds it, regardless of what this batch has decided since. */
  stored(uid: string): HeldReport | undefined {
    return this.context.known.held.reports.get(uid);
  }

  /** @returns whether an object fits the daily budgets; if so, they are charged for it */
  take(object: ReadObject, { reporter, reports, records }: ObjectUse): boolean {
    const { known, budget } = this.context;
    const keys = useKeys(object, reporter);
    const use = (key: string, more: number): number => (known.used.get(key) ?? 0) + more;
    const [ofAddress, ofAccount, ofReporter] = [
      use(keys.address, records),
      use(keys.account, records),
      use(keys.reporter, reports),
    ];
    const isOver = ofAddress > budget.address || ofAccount > budget.account || ofReporter > budget.reporter;
    if (object.message.liftsBudget !== true && isOver) return false;
    known.used.set(keys.address, ofAddress);
    known.used.set(keys.account, ofAccount);
    known.used.set(keys.reporter, ofReporter);
    return true;
  }

  close(): BatchChanges {
    const reports = [...this.writes.values()];
    const again = reports.map(({ write }) => write).filter(({ generation }) => generation > 1);
    if (again.length > 0) this.changes.others.push(removeOlderSlices(again));
    return { ...this.changes, reports };
  }
}

/** Decides about one object. */
class ObjectDecision {
  readonly #object: ReadObject;
  readonly #batch: BatchDecision;
  readonly #plan: ObjectPlan;
  readonly #previous: readonly Outcome[];
  #conflicts = 0;
  /** Conflicts of this object beyond those that are filed individually. */
  #conflictsBeyond = 0;
  #isRefusedWhole = false;

  constructor(object: ReadObject, batch: BatchDecision) {
    this.#object = object;
    this.#batch = batch;
    this.#previous = batch.context.known.finished.get(object.message.key)?.outcomes ?? [];
    this.#plan = {
      object,
      left: undefined,
      outcomes: [],
      records: 0,
      points: [],
      events: [],
      again: [],
      rawRemoved: false,
    };
  }

  async decide(): Promise<ObjectPlan> {
    const { message, registration, isThere, isMoving } = this.#object;
    if (isMoving) return this.#move();
    // Earlier decisions stand when the object is rerun after its address or raw object has gone.
    if ((this.#wasDecided() || this.#wasDiscarded()) && (registration === undefined || !isThere)) {
      this.#plan.left = isThere ? "left: address not registered" : "left: no raw object";
      this.#keepObject();
      return this.#plan;
    }
    if (!isThere) await this.#refuseWhole(problem("missing_object"));
    else if (registration === undefined) await this.#refuseWhole(problem("unregistered_rua", message.rua));
    else if (!this.#fitsBudget()) await this.#refuseWhole(problem("over_budget", message.rua));
    else for (const finding of this.#screen()) await this.#decideFinding(finding);
    if (this.#conflictsBeyond > 0) await this.#rejectConflictsBeyond();
    this.#clear();
    this.#plan.rawRemoved = this.#mustRemoveRaw();
    this.#putObject();
    return this.#plan;
  }

  /** Removes everything the object contributed here: another database is about to commit it. */
  #move(): ObjectPlan {
    const finished = this.#batch.context.known.finished.get(this.#object.message.key);
    if (finished === undefined) return this.#plan;
    this.#clear();
    this.#batch.changes.movedObjects.push({ ...objectReference(this.#object.message), version: finished.version });
    return this.#plan;
  }

  async #refuseWhole(reason: Problem): Promise<void> {
    this.#isRefusedWhole = true;
    await this.#reject({ part: "", problem: reason });
    // Discards are kept: they still hold once the object can be read again.
    const kept = new Set(this.#plan.outcomes.map(({ id }) => id));
    for (const outcome of discardedByPeople(this.#previous, this.#batch.context.known.deadLetters))
      if (!kept.has(outcome.id)) this.#record(outcome);
  }

  #wasDecided(): boolean {
    return wasDecided(this.#previous);
  }

  /** Whether everything in it was discarded. */
  #wasDiscarded(): boolean {
    return this.#previous.length > 0 && this.#previous.every(({ outcome }) => outcome === "discarded");
  }

  // Budgets keep out floods of mail; what an operator imports is none.
  #fitsBudget(): boolean {
    return this.#object.isImported || this.#wasDecided() || this.#batch.take(this.#object, this.#use());
  }

  #use(): ObjectUse {
    const counts = this.#object.findings.flatMap((found) => ("report" in found ? [found.counts] : []));
    return {
      reporter: this.#object.reporter,
      reports: counts.length,
      records: counts.reduce((sum, { records }) => sum + records, 0),
    };
  }

  /** Drops findings about foreign domains and bounds the number of dead letters. */
  #screen(): Finding[] {
    const screened = this.#object.findings.map((finding) => ("problem" in finding ? finding : this.#accepted(finding)));
    const problems = screened.filter((finding): finding is FoundProblem => "problem" in finding);
    if (problems.length <= PROCESS_LIMITS.maxDeadLettersPerObject) return screened;
    const reports = screened.filter((finding) => "report" in finding);
    return [...reports, ...gatherProblems(problems, PROCESS_LIMITS.maxDeadLettersPerObject)];
  }

  #accepted(found: FoundReport): Finding {
    const { message, registration } = this.#object;
    // A report accepted earlier stays accepted even if its address takes fewer domains now.
    const wasAccepted = this.#previous.some(({ outcome, id }) => outcome === "accepted" && id === found.uid);
    const before = wasAccepted ? (this.#batch.stored(found.uid)?.spread ?? []) : [];
    const accepts = (domain: string): boolean =>
      (registration !== undefined && acceptsDomain(registration.entry, domain)) ||
      before.some(([name]) => name === domain);
    const report = acceptedPart(found.report, accepts);
    if (report !== undefined) return narrowed(found, report, message.receivedSeconds);
    const [domain] = found.header.domains;
    return { part: found.part, domain, problem: problem("foreign_domain", domain) };
  }

  async #decideFinding(finding: Finding): Promise<void> {
    if ("problem" in finding) return this.#reject(finding);
    const { header, part } = finding;
    if (header.kind === "failure" && this.#object.registration?.entry.failureReports === "off") {
      const id = await eventId(this.#object.message.key, part, "discarded");
      return this.#record({ outcome: "discarded", part, id });
    }
    await this.#claim(finding);
  }

  async #claim(found: FoundReport): Promise<void> {
    const { claims, context } = this.#batch;
    const { uid: plainUid, contentHash, part } = found;
    const isVersion = claims.decision(plainUid, contentHash) === "counts";
    const uid = isVersion ? await versionUid(plainUid, contentHash) : plainUid;
    const reference = { ...claimReference(found, this.#object), uid };
    if (context.known.held.final.has(plainUid) && this.#batch.stored(uid) === undefined) {
      const before = this.#previous.find(({ id }) => id === uid);
      if (before !== undefined) this.#record(before);
      else await this.#reject({ part, problem: problem("day_closed"), domain: reference.domain });
      return;
    }
    const claim = this.#newClaim(found, reference);
    const verdict = claims.claim(claim);
    switch (verdict.verdict) {
      case "accepted":
        return this.#accept(found, claim, verdict);
      case "duplicate": {
        const { held } = verdict;
        this.#writeAbove(claim, held);
        return this.#record({ outcome: "duplicate", part, id: uid, points: claim.points, ...placeOf(held.reference) });
      }
      case "conflict":
        return this.#fileConflict(claim, verdict.held);
      case "taken_back": {
        const { held } = verdict;
        if (held !== undefined && this.#mayHaveWritten(uid)) this.#cover(held, "taken_back", claim.generation);
        return this.#record({ outcome: "taken_back", part, id: uid, ...placeOf(held?.reference ?? reference) });
      }
    }
  }

  #newClaim(
    { header, contentHash, part, points, counts, shares, report }: FoundReport,
    reference: ReportReference,
  ): Claim {
    const { message, generation } = this.#object;
    return {
      reference,
      contentHash,
      rua: message.rua,
      rawKey: message.key,
      part,
      receivedSeconds: message.receivedSeconds,
      generation,
      points,
      reporter: header.reporter,
      reportId: header.reportId,
      beginSeconds: header.beginSeconds,
      endSeconds: header.endSeconds,
      policy: shares[0]?.policy ?? "",
      sender: this.#senderOf(report, { uid: reference.uid, part, contentHash }),
      counts,
      spread: shares.map(({ domain, day }) => [domain, day]),
    };
  }

  /** DKIM keys disappear from DNS: a document that was verified once stays verified. */
  #senderOf(
    report: Report,
    { uid, part, contentHash }: { uid: string; part: string; contentHash: string },
  ): ReportSender {
    const held = this.#batch.stored(uid);
    const isSame = held?.rawKey === this.#object.message.key && held.part === part && held.contentHash === contentHash;
    if (isSame && held.sender.state === "verified") return held.sender;
    return senderOf(report, this.#object.authentication);
  }

  async #accept(
    found: FoundReport,
    claim: Claim,
    { generation, ...verdict }: Extract<Verdict, { verdict: "accepted" }>,
  ): Promise<void> {
    const { message, attempts } = this.#object;
    const highestPoints = Math.max(verdict.highestPoints, message.coversPoints ?? 0);
    const { reference, part, contentHash } = claim;
    const shares = await withReadings(found, claim, generation);
    this.#write({ ...writeOf(claim, { generation, highestPoints }), shares }, claim.reference);
    const held = this.#batch.stored(reference.uid);
    const isNews = held?.state !== "accepted" || held.contentHash !== contentHash;
    if (isNews) this.#batch.changes.forwards.push(reference);
    if (verdict.displaces && verdict.held !== undefined) await this.#displace(claim, verdict.held, generation);
    // A report that displaces another takes over its generation, possibly more than once: the event must be the same
    // each time.
    const isFirst = message.generation === undefined && verdict.displaces !== true;
    const outcome = isFirst ? "accepted" : "reprocessed";
    const event = { ...this.#eventOf(found, { outcome, id: reference.uid }), generation };
    this.#plan.records += claim.counts.records;
    this.#plan.points.push({
      ...workOf({ ...claim, contentHash, generation, highestPoints }),
      found,
      shares,
      event: eventPoint(event, attempts, this.#batch.context.nowSeconds),
    });
    this.#record({ outcome: "accepted", part, id: reference.uid, ...placeOf(reference) });
  }

  async #fileConflict(claim: Claim, held: HeldReport): Promise<void> {
    const { reference, part } = claim;
    this.#writeAbove(claim, held);
    if (this.#conflicts >= PROCESS_LIMITS.maxConflictsPerObject) {
      this.#conflictsBeyond++;
      return;
    }
    this.#conflicts++;
    const other = { ...versionOf(claim), mail: this.#object.mail };
    const id = await this.#putConflict(held, { accepted: versionOf(held), other });
    const place = placeOf(held.reference);
    this.#record({ outcome: "conflict", part, id, uid: reference.uid, points: claim.points, ...place });
  }

  /** The remaining conflicts wait as one dead letter; retrying it after the others are decided files the next ones. */
  async #rejectConflictsBeyond(): Promise<void> {
    const count = this.#conflictsBeyond;
    const reason = { ...problem("too_many_problems", `${count} more conflict`), counts: { conflict: count } };
    await this.#reject({ part: "conflicts", problem: reason });
  }

  /** Files the conflict of two versions of a report. @returns its id */
  async #putConflict(held: HeldReport, versions: Pick<ConflictRow, "accepted" | "other">): Promise<string> {
    const { reference, reporter, reportId, beginSeconds } = held;
    const id = await conflictId(beginSeconds, reference.uid, versions.other.contentHash);
    this.#batch.changes.conflicts.push({
      id,
      account: reference.account,
      domain: reference.domain,
      kind: reference.kind,
      day: reference.day,
      uid: reference.uid,
      filedSeconds: this.#batch.context.nowSeconds,
      reporter,
      reportId,
      ...versions,
    });
    return id;
  }

  /**
   * A report replaces a less credible one, which becomes the conflict at once; its object is rerun and then ends as
   * that conflict or as a duplicate.
   */
  async #displace(claim: Claim, held: HeldReport, generation: number): Promise<void> {
    const accepted = { ...versionOf({ ...claim, generation }), mail: this.#object.mail };
    this.#batch.changes.others.push(putAcceptedVersion(claim.reference.uid, accepted));
    if (held.contentHash !== claim.contentHash)
      await this.#putConflict(
        { ...held, reporter: claim.reporter, reportId: claim.reportId },
        { accepted, other: versionOf(held) },
      );
    const { coversPoints: _, ...again } = runAbove(held, { generation, points: held.points });
    this.#plan.again.push(again);
  }

  /** Reruns the accepted report so that its points outrank any this object may have left behind (write-above.ts). */
  #writeAbove(claim: Claim, held: HeldReport): void {
    const { coversPoints } = this.#object.message;
    // If this object was itself rerun for that purpose and displaced meanwhile, its successor does it.
    if (coversPoints === undefined && !this.#mayHaveWritten(claim.reference.uid)) return;
    this.#plan.again.push(runAbove(held, { ...claim, points: Math.max(claim.points, coversPoints ?? 0) }));
  }

  #mayHaveWritten(uid: string): boolean {
    const { mayHaveWritten, message } = this.#object;
    return mayHaveWritten || this.#batch.context.hasWritten(message.key, uid);
  }

  /**
   * Files a part (or the whole object) that cannot be read as a dead letter, unless a person has already discarded it.
   */
  async #reject({ part, problem: reason, domain = "", file }: FoundProblem): Promise<void> {
    const { message, attempts, generation, registration, mail } = this.#object;
    const deadLetter = await newDeadLetter(
      {
        reason,
        stage: "read",
        queueMessage: message,
        attempts,
        receivedSeconds: message.receivedSeconds,
        account: registration?.entry.account ?? "",
        rua: message.rua,
        domain,
        rawKey: message.key,
        part,
        generation,
        mail,
        file: this.#fileOf(file),
      },
      this.#batch.context.nowSeconds,
    );
    const { id } = deadLetter;
    const counts = Object.values(reason.counts ?? {});
    const stands = counts.length === 0 ? {} : { parts: counts.reduce((sum, count) => sum + count, 0) };
    const discarded = this.#previous.find(
      (outcome) => outcome.outcome === "discarded" && this.#isSame(outcome, deadLetter),
    );
    if (discarded !== undefined) return this.#record({ outcome: "discarded", part, id: discarded.id, ...stands });
    this.#batch.changes.deadLetters.push(deadLetter);
    this.#record({ outcome: "dead_letter", part, id, ...stands });
  }

  /** The file behind a part; where the part is the whole object, what is known about the object is included. */
  #fileOf(file: FileFacts | undefined): DeadLetterFile | undefined {
    const object = this.#object.file;
    if (file === undefined || object === undefined) return file ?? object;
    return file.name === object.name ? { ...object, ...file } : file;
  }

  /** Whether a person discarded this part before, even if reading failed for another reason then. */
  #isSame({ id, part }: Outcome, deadLetter: DeadLetterRow): boolean {
    if (id === deadLetter.id) return true;
    return part === deadLetter.part && this.#batch.context.known.deadLetters.get(id)?.stage === "read";
  }

  /** Undoes earlier outcomes that no longer hold: dead letters and conflicts are resolved, reports stop counting. */
  #clear(): void {
    const { known } = this.#batch.context;
    const { message } = this.#object;
    const kept = new Set(this.#plan.outcomes.map(({ id }) => id));
    const deadLetterIds: string[] = [];
    for (const outcome of this.#previous) {
      if (kept.has(outcome.id)) continue;
      if (outcome.outcome === "dead_letter" || outcome.outcome === "discarded") deadLetterIds.push(outcome.id);
      if (outcome.outcome === "conflict") this.#closeConflict(outcome.id);
      if (outcome.outcome === "accepted") {
        const held = this.#batch.claims.held(reportOf(outcome).uid);
        if (held?.state === "accepted" && held.rawKey === message.key) this.#cover(held, "retracted", held.generation);
      }
    }
    for (const { uid, generation, deadLetterIds: ids } of known.filedSlices.get(message.key) ?? []) {
      deadLetterIds.push(...ids);
      this.#batch.changes.others.push(removeSlices({ uid, generation }));
    }
    for (const id of deadLetterIds) {
      const deadLetter = known.deadLetters.get(id);
      if (deadLetter === undefined) continue;
      this.#batch.changes.closedDeadLetters.push(id);
      if (this.#object.isMoving && isDiscarded(deadLetter)) continue;
      // A discard has its own event already, so the event that ends it needs the next generation.
      const generation = isDiscarded(deadLetter) ? deadLetter.generation + 1 : deadLetter.generation;
      this.#tell(closedDeadLetter({ ...deadLetter, generation }, "cleared"));
    }
  }

  #closeConflict(id: string): void {
    const conflict = this.#batch.context.known.conflicts.get(id);
    if (conflict === undefined) return;
    this.#batch.changes.closedConflicts.push(id);
    this.#tell(closedConflict(conflict, "cleared"));
  }

  #cover(held: HeldReport, state: "retracted" | "taken_back", above: number): void {
    const { attempts } = this.#object;
    const { nowSeconds } = this.#batch.context;
    const { write, work } = coverReport(held, { state, above }, { attempts, nowSeconds });
    this.#batch.claims.retract(held.reference.uid);
    this.#write(write, held.reference);
    this.#plan.points.push(work);
  }

  #write(write: ReportWrite, reference: ReportReference): void {
    const stored = this.#batch.stored(reference.uid);
    this.#batch.writes.set(reference.uid, {
      write: { ...write, version: stored?.version ?? 0, spreadBefore: stored?.spread ?? [] },
      reference: stored?.reference ?? reference,
    });
  }

  // A failure report holds personal data: unless it is to be stored, only its facts are kept (setting
  // `failureReports`). Only whole mails are removed: each address has its own object of those from the start
  // (workers/ingest).
  #mustRemoveRaw(): boolean {
    const { message, registration, findings } = this.#object;
    return (
      registration !== undefined &&
      registration.entry.failureReports !== "store" &&
      message.key.endsWith(`-${WHOLE_MAIL_NAME}`) &&
      findings.length > 0 &&
      findings.every((finding) => "report" in finding && finding.header.kind === "failure") &&
      this.#plan.outcomes.every(({ outcome }) => outcome !== "dead_letter" && outcome !== "conflict")
    );
  }

  /** Keeps the outcomes and notes the rerun, since jobs track progress by it. */
  #keepObject(): void {
    const { message, generation } = this.#object;
    const finished = this.#batch.context.known.finished.get(message.key);
    if (finished === undefined) return;
    this.#batch.changes.objects.push({
      ...finished,
      ...objectReference(message),
      generation: Math.max(generation, finished.generation),
    });
  }

  #putObject(): void {
    const { message, registration, generation } = this.#object;
    const finished = this.#batch.context.known.finished.get(message.key);
    this.#batch.changes.objects.push({
      ...objectReference(this.#object.message),
      account: registration?.entry.account ?? finished?.account ?? "",
      version: finished?.version ?? 0,
      generation: Math.max(generation, finished?.generation ?? 0),
      ...this.#countedUse(),
      outcomes: this.#plan.outcomes,
      rawRemoved: this.#plan.rawRemoved,
      ...this.#foundParts(),
    });
  }

  /** How many parts were found; an object refused as a whole is one part, plus those that stay discarded. */
  #foundParts(): FoundParts {
    const { findings, passedOver } = this.#object;
    if (this.#isRefusedWhole) return { found: countParts(this.#plan.outcomes), passedOver: {} };
    const passed = Object.values(passedOver).reduce((sum, count) => sum + count, 0);
    return { found: findings.length + passed, passedOver };
  }

  /** The use to be stored: none while the object waits, as if it had not arrived, and none of an imported one. */
  #countedUse(): ObjectUse {
    const { records } = this.#plan;
    if (this.#object.isImported) return { reporter: 0, reports: 0, records: 0 };
    if (!wasDecided(this.#plan.outcomes)) return { reporter: 0, reports: 0, records };
    const { reporter, reports } = this.#use();
    return { reporter, reports, records };
  }

  #eventOf({ header, report, part }: FoundReport, named: Pick<PipelineEvent, "outcome" | "id">): PipelineEvent {
    const { message, generation, registration } = this.#object;
    const totals = report.kind === "aggregate" ? report.totals : { records: 0, skippedRecords: 0, messages: 0 };
    return {
      ...named,
      rawKey: message.key,
      part,
      generation,
      receivedSeconds: message.receivedSeconds,
      account: registration?.entry.account ?? "",
      rua: message.rua,
      kind: header.kind,
      domain: header.domains[0],
      reporter: header.reporter,
      records: totals.records,
      skippedRecords: totals.skippedRecords,
      messages: totals.messages,
    };
  }

  /** Notes an outcome; outcomes.ts writes its event. */
  #record(outcome: Outcome): void {
    this.#plan.outcomes.push(outcome);
  }

  #tell(event: PipelineEvent): void {
    this.#plan.events.push(eventPoint(event, this.#object.attempts, this.#batch.context.nowSeconds));
  }
}

/** Whether any report of an object has been decided before. */
export function wasDecided(outcomes: readonly Outcome[]): boolean {
  return outcomes.some(({ outcome }) => outcome !== "dead_letter" && outcome !== "discarded");
}

/** Figures too large for the row are written before the report is accepted, under a name unique to this reading. */
async function withReadings(found: FoundReport, claim: Claim, generation: number): Promise<ReportShare[]> {
  const isReadAgain = found.header.kind === "aggregate" && found.records === undefined;
  return Promise.all(
    found.shares.map(async (share) => {
      if (!isReadAgain && !needsReading(share.figures ?? [])) return share;
      const named = [claim.rawKey, claim.part, claim.contentHash, generation, share.domain, share.day];
      return { ...share, reading: (await sha256Text(JSON.stringify(named))).slice(0, 32) };
    }),
  );
}

function versionOf(report: Claim | HeldReport): ReportVersion {
  const { rawKey, rua, part, contentHash, receivedSeconds, generation, sender, counts } = report;
  return { rawKey, rua, part, contentHash, receivedSeconds, generation, sender, ...counts };
}

function placeOf({ account, kind, domain, day }: ReportReference): Omit<ReportReference, "uid"> {
  return { account, kind, domain, day };
}
