/**
 * Who came first, and whether what comes now is the same report, a copy of it, or in conflict with it. Pure: it decides
 * on what was looked up, and remembers what it decided, so that two reports of one batch meet each other as if they had
 * come one after the other.
 */

import type { ReportReference } from "./report-rows.ts";
import type { Decision, Held, HeldReport } from "./reports.ts";

/** A report that asks to be counted. */
export interface Claim {
  reference: ReportReference;
  /** Hash of the content as read, 32 hex digits. */
  contentHash: string;
  rua: string;
  rawKey: string;
  part: string;
  receivedSeconds: number;
  generation: number;
  points: number;
  /** Domains and days it will have rows for. */
  spread: [domain: string, day: number][];
}

/**
 * accepted = write its rows and points under `generation`, over what `held` was, and cover older points up to
 * `highestPoints`; duplicate = the same content was accepted from another object, or a person decided against it;
 * conflict = a report with the same identity and other content was accepted; taken_back = a person removed this one.
 */
export type Verdict =
  | { verdict: "accepted"; generation: number; highestPoints: number; held: HeldReport | undefined }
  | { verdict: "duplicate" | "conflict"; held: HeldReport }
  | { verdict: "taken_back" };

/** The reports of a batch: what the ledger holds, and what is about to be written. */
export class Claims {
  readonly #reports: Map<string, HeldReport>;
  readonly #decisions: Map<string, Record<string, Decision>>;

  constructor({ reports, decisions }: Held) {
    this.#reports = new Map(reports);
    this.#decisions = decisions;
  }

  /** What the ledger holds of a report, or is about to hold. */
  held(uid: string): HeldReport | undefined {
    return this.#reports.get(uid);
  }

  /** What a person decided about one version of a report. */
  decision(uid: string, contentHash: string): Decision | undefined {
    return this.#decisions.get(uid)?.[contentHash];
  }

  /** Decides about a report. An accepted one is what later claims meet. */
  claim(claim: Claim): Verdict {
    const { uid } = claim.reference;
    const held = this.#reports.get(uid);
    const verdict = decide(claim, held, this.decision(uid, claim.contentHash));
    if (verdict.verdict === "accepted") {
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

  /** Notes that a report no longer counts. */
  retract(uid: string): void {
    const held = this.#reports.get(uid);
    if (held !== undefined) this.#reports.set(uid, { ...held, state: "retracted" });
  }
}

function decide(claim: Claim, held: HeldReport | undefined, decision: Decision | undefined): Verdict {
  if (decision === "taken_back") return { verdict: "taken_back" };
  if (held === undefined) {
    return { verdict: "accepted", generation: claim.generation, highestPoints: claim.points, held };
  }
  if (held.state !== "accepted") return replaces(claim, held);
  const isSameContent = held.contentHash === claim.contentHash;
  if (held.rawKey === claim.rawKey && (held.part === claim.part || isSameContent)) {
    // Another version of the reader may have read it differently: the newer reading counts.
    const isNewer = claim.generation > held.generation || !isSameContent || held.points !== claim.points;
    return isNewer ? replaces(claim, held) : keeps(held);
  }
  if (isSameContent || decision === "refused") return { verdict: "duplicate", held };
  return decision === "replaces" ? replaces(claim, held) : { verdict: "conflict", held };
}

/** Accepted before, from the same place: written again as it was. */
function keeps(held: HeldReport): Verdict {
  return { verdict: "accepted", generation: held.generation, highestPoints: held.highestPoints, held };
}

function replaces(claim: Claim, held: HeldReport): Verdict {
  return {
    verdict: "accepted",
    generation: Math.max(claim.generation, Math.floor(held.generation) + 1),
    highestPoints: Math.max(held.highestPoints, claim.points),
    held,
  };
}
