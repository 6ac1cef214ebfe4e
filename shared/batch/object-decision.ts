/** Decides about one raw object of a batch: the outcome of each of its parts, and of its earlier parts. Pure. */
import { closedConflict, closedDeadLetter, eventPoint, type PipelineEvent } from "../analytics/events.ts";
import { conflictId, eventId, versionUid } from "../identity.ts";
import type { Claim, Verdict } from "../ledger/claims.ts";
import type { ConflictRow, ReportVersion } from "../ledger/conflicts.ts";
import { type DeadLetterFile, type DeadLetterRow, isDiscarded } from "../ledger/dead-letters.ts";
import { type FoundParts, objectReference } from "../ledger/objects.ts";
import { countParts, discardedByPeople, type Outcome, wasDecided } from "../ledger/outcomes.ts";
import type { ReportReference } from "../ledger/report-rows.ts";
import type { LedgerReport, ReportWrite } from "../ledger/reports.ts";
import { removeSlices } from "../ledger/slices.ts";
import { PROCESS_LIMITS } from "../limits.ts";
import type { ReportMessage } from "../messages.ts";
import { type FileFacts, type Problem, problem } from "../report/problems.ts";
import { WHOLE_MAIL_NAME } from "../storage.ts";
import type { BatchDecision } from "./batch-decision.ts";
import type { ObjectUse } from "./budgets.ts";
import { claimOf, placeOf, reportEvent, versionOf, withKnownHash, withReadings } from "./claim.ts";
import { newDeadLetter } from "./dead-letter.ts";
import { claimReference, hasReport, type ReadObject, reportOf } from "./object.ts";
import type { ObjectPlan } from "./plan.ts";
import type { Finding, FoundProblem, FoundReport } from "./read-object.ts";
import { coverReport, workOf, writeOf } from "./report-writes.ts";
import { type KnownDomains, screenFindings } from "./screen-findings.ts";
import { coveredPoints, runAbove } from "./write-above.ts";

/** Decides about one object. */
export class ObjectDecision {
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
    else for (const finding of await this.#findings()) await this.#decideFinding(finding);
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

  // Budgets keep out floods of mail; what an operator imports is exempt.
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

  async #findings(): Promise<Finding[]> {
    const known = new Map<FoundReport, KnownDomains>();
    for (const finding of this.#object.findings) {
      if ("problem" in finding) continue;
      const found = await withKnownHash(finding, this.#batch.claims);
      known.set(finding, this.#knownDomains(found, await this.#countedUid(found)));
    }
    return screenFindings(this.#object, (found) => known.get(found) ?? { accepted: [], counted: [] });
  }

  /** The uid under which a report counts: its own, unless a person decided to count it beside another version. */
  async #countedUid({ uid, contentHash }: Pick<FoundReport, "uid" | "contentHash">): Promise<string> {
    return this.#batch.claims.decision(uid, contentHash) === "counts" ? versionUid(uid, contentHash) : uid;
  }

  /**
   * A report accepted earlier stays accepted even if its address takes fewer domains now, as does one that was restored; one
   * that was taken back or decided against stays so, too, and so does what became of one whose day is final.
   */
  #knownDomains({ uid: plainUid, contentHash, header }: FoundReport, uid: string): KnownDomains {
    const { claims } = this.#batch;
    const domainsOf = (report: LedgerReport | undefined): string[] => (report?.spread ?? []).map(([domain]) => domain);
    const [stored, held] = [this.#batch.stored(uid), claims.held(uid)];
    const countsAlready = held?.state === "accepted" && held.contentHash === contentHash;
    const counted = countsAlready ? domainsOf(held) : [];
    if (stored?.state === "accepted" && stored.rawKey === this.#object.message.key)
      return { accepted: domainsOf(stored), counted };
    const before = this.#previous.find((one) => hasReport(one) && reportOf(one).uid === uid);
    const isSettled = before !== undefined && this.#isClosed(plainUid, uid);
    if (isSettled || claims.decision(plainUid, contentHash) === "refused") return { accepted: header.domains, counted };
    const isKept = before?.outcome === "accepted" || before?.outcome === "taken_back";
    return { accepted: isKept ? domainsOf(stored) : [], counted };
  }

  /** Whether nothing becomes of a report any more. */
  #isClosed(plainUid: string, uid: string): boolean {
    return this.#batch.context.known.held.final.has(plainUid) && !isOpen(this.#batch.stored(uid));
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

  /**
   * The outcome of a report when the object was read before; a conflict becomes a duplicate once nobody can decide it
   * any more.
   */
  #outcomeBefore(uid: string, part: string): Outcome | undefined {
    const ofReport = this.#previous.filter((one) => hasReport(one) && reportOf(one).uid === uid);
    const before = ofReport.find((one) => one.part === part) ?? ofReport[0];
    if (before?.outcome !== "conflict") return before;
    const { points, account, kind, domain, day } = before;
    return { outcome: "duplicate", part: before.part, id: uid, points, account, kind, domain, day };
  }

  async #claim(read: FoundReport): Promise<void> {
    const { claims } = this.#batch;
    const found = await withKnownHash(read, claims);
    const { uid: plainUid, contentHash, part } = found;
    const uid = await this.#countedUid(found);
    const reference = { ...claimReference(found, this.#object), uid };
    if (this.#isClosed(plainUid, uid)) {
      const before = this.#outcomeBefore(uid, part);
      if (before !== undefined) this.#record(before);
      else await this.#reject({ part, problem: problem("day_closed"), domain: reference.domain });
      return;
    }
    const claim = claimOf(found, this.#object, { reference, stored: this.#batch.stored(uid), held: claims.held(uid) });
    const verdict = claims.claim(claim);
    switch (verdict.verdict) {
      case "accepted":
        return this.#accept(found, claim, verdict);
      case "duplicate": {
        const { held } = verdict;
        this.#writeAbove(claim, held);
        this.#noteWith(held);
        return this.#record({ outcome: "duplicate", part, id: uid, points: claim.points, ...placeOf(held.reference) });
      }
      case "conflict":
        return this.#fileConflict(claim, verdict.held);
      case "refused": {
        // The version that was preferred to it does not count either.
        const { held } = verdict;
        const state = held?.state === "taken_back" ? "taken_back" : "retracted";
        if (held !== undefined && this.#mayHaveWritten(uid)) this.#cover(held, state, claim.generation);
        return this.#record({ outcome: "duplicate", part, id: uid, points: claim.points, ...placeOf(reference) });
      }
      case "taken_back": {
        const { held } = verdict;
        // Another version may count in its place by now, which stays.
        if (held?.state === "accepted" && held.contentHash !== contentHash) this.#writeAbove(claim, held);
        else if (held !== undefined && this.#mayHaveWritten(uid)) this.#cover(held, "taken_back", claim.generation);
        if (held?.state === "taken_back") this.#noteWith(held);
        return this.#record({ outcome: "taken_back", part, id: uid, ...placeOf(held?.reference ?? reference) });
      }
    }
  }

  async #accept(
    found: FoundReport,
    claim: Claim,
    { generation, ...verdict }: Extract<Verdict, { verdict: "accepted" }>,
  ): Promise<void> {
    const { message, attempts } = this.#object;
    const { reference, part, contentHash } = claim;
    const highestPoints = Math.max(verdict.highestPoints, coveredPoints(message, reference.uid) ?? 0);
    const shares = await withReadings(found, claim, generation);
    this.#write({ ...writeOf(claim, { generation, highestPoints }), shares }, claim.reference);
    const held = this.#batch.stored(reference.uid);
    const isWider = shares.length > (held?.spread.length ?? 0);
    const isNews = held?.state !== "accepted" || held.contentHash !== contentHash || isWider;
    if (isNews) this.#batch.changes.forwards.push(reference);
    if (verdict.held !== undefined && (verdict.displaces || verdict.held.contentHash !== contentHash)) {
      const accepted = { ...versionOf({ ...claim, generation }), mail: this.#object.mail };
      // Versions that were in conflict with the previous one are in conflict with this one.
      this.#batch.acceptedVersions.set(reference.uid, accepted);
      if (verdict.displaces) await this.#displace(claim, verdict.held, accepted);
    }
    // A report that displaces another takes over its generation, possibly more than once: the event must be the same
    // each time.
    const isFirst = message.generation === undefined && verdict.displaces !== true;
    const outcome = isFirst ? "accepted" : "reprocessed";
    const event = { ...reportEvent(found, this.#object, { outcome, id: reference.uid }), generation };
    this.#plan.records += claim.counts.records;
    this.#plan.points.push({
      ...workOf({ ...claim, contentHash, generation, highestPoints }),
      found,
      shares,
      event: eventPoint(event, attempts, this.#batch.context.nowSeconds),
    });
    this.#record({ outcome: "accepted", part, id: reference.uid, ...placeOf(reference) });
  }

  async #fileConflict(claim: Claim, held: LedgerReport): Promise<void> {
    const { reference, part } = claim;
    this.#writeAbove(claim, held);
    this.#noteWith(held);
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
  async #putConflict(held: LedgerReport, versions: Pick<ConflictRow, "accepted" | "other">): Promise<string> {
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
   * A report replaces one that is less credible, or counts for fewer of its domains. If their contents differ, that one
   * becomes the conflict at once; its object is rerun and then ends as that conflict or as a duplicate.
   */
  async #displace(claim: Claim, held: LedgerReport, accepted: ReportVersion): Promise<void> {
    const { uid } = held.reference;
    const before = { outcome: "accepted", part: held.part, id: uid } as const;
    const place = { points: held.points, ...placeOf(held.reference) };
    let after: Outcome = { outcome: "duplicate", part: held.part, id: uid, ...place };
    if (held.contentHash !== claim.contentHash) {
      const id = await this.#putConflict(
        { ...held, reporter: claim.reporter, reportId: claim.reportId },
        { accepted, other: versionOf(held) },
      );
      // Versions equal to the report that counts now were in conflict before.
      this.#batch.displaced.push(held.reference);
      after = { outcome: "conflict", part: held.part, id, uid, ...place };
    }
    // Its object may never be read again here: its address may have moved to another account.
    const { rua, rawKey, receivedSeconds } = held;
    this.#batch.changes.replacedOutcomes.push({ object: { rua, rawKey, receivedSeconds }, before, after });
    const again = runAbove(held, { generation: accepted.generation, points: held.points });
    this.#readAgain({ ...again, coversPoints: undefined, coversUids: undefined });
  }

  /** Has an object read again, once for all its reports that this object's reports displace. */
  #readAgain(message: ReportMessage): void {
    const { again } = this.#plan;
    const place = again.findIndex(({ key, coversPoints }) => key === message.key && coversPoints === undefined);
    const earlier = again[place];
    if (earlier === undefined) again.push(message);
    else if ((message.generation ?? 0) > (earlier.generation ?? 0)) again[place] = message;
  }

  /** Notes the object with a report that counts, or was taken back, instead of its own, for the time when that changes. */
  #noteWith({ reference, rawKey, state, contentHash }: LedgerReport): void {
    const { key, rua, receivedSeconds } = this.#object.message;
    if (rawKey === key || state === "retracted") return;
    this.#batch.noted.push({ reference, state, contentHash, other: { rawKey: key, rua, receivedSeconds } });
  }

  /** Reruns the accepted report so that its points outrank any this object may have left behind (write-above.ts). */
  #writeAbove(claim: Claim, held: LedgerReport): void {
    const { uid } = claim.reference;
    const covered = coveredPoints(this.#object.message, uid);
    // If this object was itself rerun for that purpose and displaced meanwhile, its successor does it.
    if (covered === undefined && !this.#mayHaveWritten(uid)) return;
    this.#plan.again.push(runAbove(held, { ...claim, points: Math.max(claim.points, covered ?? 0) }));
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
    const partsStoodFor = counts.length === 0 ? {} : { parts: counts.reduce((sum, count) => sum + count, 0) };
    const discarded = this.#previous.find(
      (outcome) => outcome.outcome === "discarded" && this.#isOfSamePart(outcome, deadLetter),
    );
    if (discarded !== undefined)
      return this.#record({ outcome: "discarded", part, id: discarded.id, ...partsStoodFor });
    this.#batch.changes.deadLetters.push(deadLetter);
    this.#record({ outcome: "dead_letter", part, id, ...partsStoodFor });
  }

  /** The file behind a part; where the part is the whole object, what is known about the object is included. */
  #fileOf(file: FileFacts | undefined): DeadLetterFile | undefined {
    const object = this.#object.file;
    if (file === undefined || object === undefined) return file ?? object;
    return file.name === object.name ? { ...object, ...file } : file;
  }

  /** Whether a person discarded this part before, even if reading failed for another reason then. */
  #isOfSamePart({ id, part }: Outcome, deadLetter: DeadLetterRow): boolean {
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
      if (outcome.outcome === "conflict") this.#closeConflict(outcome.id, reportOf(outcome));
      // One that was taken back may have been restored.
      if (outcome.outcome === "accepted" || outcome.outcome === "taken_back") {
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
      if (this.#object.isMoving && isDiscarded(deadLetter)) {
        this.#batch.changes.closedDeadLetters.push(id);
        continue;
      }
      // A discard has its own event already, so the event that ends it needs the next generation.
      const generation = isDiscarded(deadLetter) ? deadLetter.generation + 1 : deadLetter.generation;
      this.#closeDeadLetter({ ...deadLetter, generation });
    }
  }

  /** Closes a conflict that describes this object; what else brought the same version is read again, and files it again. */
  #closeConflict(id: string, reference: ReportReference): void {
    const conflict = this.#batch.context.known.conflicts.get(id);
    if (conflict === undefined || conflict.other.rawKey !== this.#object.message.key) return;
    this.#batch.displaced.push(reference);
    this.#batch.changes.closedConflicts.push(id);
    this.#addEvent(closedConflict(conflict, "cleared"));
  }

  #cover(held: LedgerReport, state: "retracted" | "taken_back", above: number): void {
    const { attempts } = this.#object;
    const { nowSeconds } = this.#batch.context;
    const { write, work } = coverReport(held, { state, above }, { attempts, nowSeconds });
    this.#batch.claims.retract(held.reference.uid, state);
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

  /**
   * Keeps the outcomes and notes the rerun, since jobs track progress by it. The dead letter of a rerun that failed goes: this
   * one came to its end.
   */
  #keepObject(): void {
    const { message, generation } = this.#object;
    const { finished: finishedObjects, deadLetters } = this.#batch.context.known;
    const finished = finishedObjects.get(message.key);
    if (finished === undefined) return;
    const kept = finished.outcomes.filter(({ outcome, id }) => {
      const letter = outcome === "dead_letter" ? deadLetters.get(id) : undefined;
      if (letter?.code !== "retries_exhausted") return true;
      this.#closeDeadLetter(letter);
      return false;
    });
    const closed = finished.outcomes.length - kept.length;
    this.#batch.changes.objects.push({
      ...finished,
      ...objectReference(message),
      outcomes: kept,
      found: finished.found === undefined ? undefined : finished.found - closed,
      generation: Math.max(generation, finished.generation),
    });
  }

  #closeDeadLetter(letter: DeadLetterRow): void {
    this.#batch.changes.closedDeadLetters.push(letter.id);
    this.#addEvent(closedDeadLetter(letter, "cleared"));
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

  /** Notes an outcome; its event is written from what the ledger then holds. */
  #record(outcome: Outcome): void {
    this.#plan.outcomes.push(outcome);
  }

  #addEvent(event: PipelineEvent): void {
    this.#plan.events.push(eventPoint(event, this.#object.attempts, this.#batch.context.nowSeconds));
  }
}

/** Whether a report still counts on its first day. That one becomes final first, and a final day gets no row again. */
function isOpen(stored: LedgerReport | undefined): boolean {
  const { domain, day } = stored?.reference ?? {};
  const [first] = stored?.spread ?? [];
  return stored?.state === "accepted" && first?.[0] === domain && first?.[1] === day;
}
