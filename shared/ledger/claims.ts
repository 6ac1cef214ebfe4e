/**
 * Decides whether a report is new, the same report again, a duplicate, or in conflict with an accepted one. Pure: works
 * on what was looked up and remembers its decisions, so that two reports of one batch are treated as if they had come
 * one after the other.
 */

import type { Decision, LedgerReport, LedgerReports } from "./reports.ts";

/** A report that asks to be counted: what the ledger will hold of it if it is accepted. */
export type Claim = Omit<LedgerReport, "version" | "state" | "highestPoints" | "decisions">;

/**
 * accepted = write its rows and points under `generation`, replacing `held`, and cover older points up to
 * `highestPoints`; if it `displaces` the held report, that report's object must be rerun, since it no longer counts.
 * duplicate = the same content was accepted from another object, or a person decided against it. conflict = a report
 * with the same identity and other content was accepted. taken_back = a person removed this report. refused = a person
 * decided for another version, which does not count (any more).
 */
export type Verdict =
  | {
      verdict: "accepted";
      generation: number;
      highestPoints: number;
      held: LedgerReport | undefined;
      displaces?: true;
    }
  | { verdict: "duplicate" | "conflict"; held: LedgerReport }
  | { verdict: "taken_back" | "refused"; held: LedgerReport | undefined };

/** The reports of a batch: those the ledger holds, and those about to be written. */
export class Claims {
  readonly #reports: Map<string, LedgerReport>;
  readonly #decisions: Map<string, Record<string, Decision>>;
  /** Reports accepted in this batch: a further claim of one is another document, even in the same object. */
  readonly #accepted = new Set<string>();

  constructor({ reports, decisions }: Pick<LedgerReports, "reports" | "decisions">) {
    this.#reports = new Map(reports);
    this.#decisions = decisions;
  }

  /** The report as the ledger holds it or is about to hold it. */
  held(uid: string): LedgerReport | undefined {
    return this.#reports.get(uid);
  }

  /** A person's decision about one version of a report. */
  decision(uid: string, contentHash: string): Decision | undefined {
    return this.#decisions.get(uid)?.[contentHash];
  }

  /** The hashes of a report's known versions: the one that is held, and those that a person decided about. */
  hashes(uid: string): string[] {
    const held = this.#reports.get(uid);
    return [...(held === undefined ? [] : [held.contentHash]), ...Object.keys(this.#decisions.get(uid) ?? {})];
  }

  /** Decides about a report. Later claims are compared with the accepted one. */
  claim(claim: Claim): Verdict {
    const { uid } = claim.reference;
    const held = this.#reports.get(uid);
    const isAnother = this.#accepted.has(uid);
    const verdict = decide(claim, { held, isAnother, decision: this.decision(uid, claim.contentHash) });
    if (verdict.verdict === "accepted") {
      this.#accepted.add(uid);
      this.#reports.set(uid, {
        ...claim,
        version: held?.version ?? 0,
        generation: verdict.generation,
        state: "accepted",
        highestPoints: verdict.highestPoints,
        decisions: this.#decisions.get(uid) ?? {},
      });
    }
    return verdict;
  }

  /** Records that a report no longer counts. */
  retract(uid: string, state: "retracted" | "taken_back"): void {
    const held = this.#reports.get(uid);
    if (held !== undefined) this.#reports.set(uid, { ...held, state });
  }
}

interface ClaimFacts {
  held: LedgerReport | undefined;
  /** The held report was accepted from another document of the same batch. */
  isAnother: boolean;
  decision: Decision | undefined;
}

function decide(claim: Claim, { held, isAnother, decision }: ClaimFacts): Verdict {
  if (decision === "taken_back") return { verdict: "taken_back", held };
  if (decision === "refused" && held?.state !== "accepted") return { verdict: "refused", held };
  if (held === undefined) {
    return { verdict: "accepted", generation: claim.generation, highestPoints: claim.points, held };
  }
  if (held.state !== "accepted") return replaces(claim, held);
  const isSameContent = held.contentHash === claim.contentHash;
  if (!isAnother && held.rawKey === claim.rawKey && (held.part === claim.part || isSameContent)) {
    // An older version of the reader may have read it differently: the newer reading counts.
    const isNewer = claim.generation > held.generation || !isSameContent || held.points !== claim.points;
    return isNewer ? replaces(claim, held) : keeps(held);
  }
  if (decision === "refused") return { verdict: "duplicate", held };
  const isBetter = isMoreCredible(claim, held) || (isSameContent && isWider(claim, held));
  if (isBetter) return { ...replaces(claim, held), displaces: true };
  if (isSameContent) return { verdict: "duplicate", held };
  // If two versions were chosen, the first to count stays: otherwise they would replace each other for ever.
  if (decision !== "replaces" || held.decisions[held.contentHash] === "replaces") return { verdict: "conflict", held };
  // A version that came while the chosen one did not count is the conflict then, unless it was decided against.
  const isRefused = held.decisions[held.contentHash] === "refused";
  return isRefused ? replaces(claim, held) : { ...replaces(claim, held), displaces: true };
}

/** A verified report replaces an unverified one, unless a person decided for that one. */
function isMoreCredible(claim: Claim, held: LedgerReport): boolean {
  const isHeldByDecision = held.decisions[held.contentHash] === "replaces";
  return claim.sender.state === "verified" && held.sender.state !== "verified" && !isHeldByDecision;
}

/** A TLS report replaces the same one that came to an address which accepts fewer of its domains. */
function isWider(claim: Claim, held: LedgerReport): boolean {
  const rows = new Set(claim.spread.map((row) => row.join()));
  return rows.size > held.spread.length && held.spread.every((row) => rows.has(row.join()));
}

/** Accepted before from the same place: written again unchanged. */
function keeps(held: LedgerReport): Verdict {
  return { verdict: "accepted", generation: held.generation, highestPoints: held.highestPoints, held };
}

function replaces(claim: Claim, held: LedgerReport): Extract<Verdict, { verdict: "accepted" }> {
  return {
    verdict: "accepted",
    generation: Math.max(claim.generation, Math.floor(held.generation) + 1),
    highestPoints: Math.max(held.highestPoints, claim.points),
    held,
  };
}
