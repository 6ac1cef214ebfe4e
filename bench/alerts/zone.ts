/** What a simulated domain has besides mail, day by day: its records as the daily check finds them, TLS sessions, silence. Pure. */
import type { RecordChange, StoredCheck } from "../../shared/guidance/stored-check.ts";
import type { SeenChange } from "../../shared/ledger/domain-checks.ts";
import { SECONDS_PER_DAY } from "../../shared/report-day.ts";
import type { TlsReason, TlsSessions } from "../../shared/watch/figures.ts";
import type { Chance } from "../verdict/chance.ts";
import { BENCH } from "./parameters.ts";

export const RUA = "rua@reports.example";

interface Span {
  firstDay: number;
  lastDay: number;
}

/** A domain's surroundings; incidents change them. */
export class Zone {
  readonly perDay: number;
  readonly hasMtaSts: boolean;
  readonly tlsPerDay: number;
  readonly #domain: string;
  readonly #policy: string;
  readonly #chance: Chance;
  readonly #changes: (RecordChange & { day: number })[] = [];
  readonly #dmarc: (Span & { record: string | undefined })[] = [];
  readonly #broken: (Span & { what: "spf" | "dmarc" | "mtaSts" })[] = [];
  readonly #silent: (Span & { receiver: string | undefined })[] = [];
  readonly #refusedDestination: Span[] = [];
  readonly #refusedMail: Span[] = [];
  readonly #tlsFailing: (Span & { share: number; resultType: string })[] = [];
  readonly #silentDns = new Set<number>();
  readonly #tls: TlsSessions[] = [];

  constructor(domain: string, policy: string, { perDay, chance }: { perDay: number; chance: Chance }) {
    this.#domain = domain;
    this.#policy = policy;
    this.#chance = chance;
    this.perDay = perDay;
    this.hasMtaSts = chance.happens(BENCH.mtaStsDomains);
    this.tlsPerDay = chance.happens(BENCH.tlsDomains) ? chance.logBetween(5, 500) : 0;
    for (let day = 0; day < BENCH.learnedDays + BENCH.watchedDays; day++) {
      if (chance.happens(BENCH.dnsSilentDays)) this.#silentDns.add(day);
      if (!chance.happens(BENCH.otherTxtDays)) continue;
      const spf = "v=spf1 include:_spf.mail.example -all";
      this.#changes.push({ day, name: domain, type: "TXT", before: [spf], after: [spf, `site-verification=${day}`] });
    }
  }

  newAddress(): string {
    const part = (): number => 1 + Math.floor(this.#chance.random() * 254);
    return `${part()}.${part()}.${part()}.${part()}`;
  }

  /** A record changes, and is put back when an incident is over. */
  change(firstDay: number, change: RecordChange): void {
    this.#changes.push({ ...change, day: firstDay });
    const { name, type, before, after } = change;
    this.#changes.push({ name, type, before: after, after: before, day: firstDay + BENCH.incidentDays });
  }

  /** The DMARC record is another for a while. @param record undefined: there is none */
  changeDmarc(firstDay: number, lastDay: number, record: string | undefined): void {
    this.#dmarc.push({ firstDay, lastDay, record });
    const name = `_dmarc.${this.#domain}`;
    this.change(firstDay, { name, type: "TXT", before: [this.#record()], after: record === undefined ? [] : [record] });
  }

  break(what: "spf" | "dmarc" | "mtaSts", span: Span): void {
    this.#broken.push({ what, ...span });
    if (what === "mtaSts") {
      const mx = { name: this.#domain, type: "MX", before: ["10 mx1.example"], after: ["10 mx2.example"] };
      this.change(span.firstDay, mx);
      return;
    }
    const name = what === "spf" ? this.#domain : `_dmarc.${this.#domain}`;
    const before = what === "spf" ? ["v=spf1 include:_spf.mail.example -all"] : [this.#record()];
    const after = what === "spf" ? ["v=spf1 include:_spf.mail.example ip4:999 -all"] : [this.#record(), this.#record()];
    this.change(span.firstDay, { name, type: "TXT", before, after });
  }

  silence(span: Span & { receiver: string | undefined }): void {
    this.#silent.push(span);
  }

  refuseDestination(span: Span): void {
    this.#refusedDestination.push(span);
  }

  refuseMail(span: Span): void {
    this.#refusedMail.push(span);
  }

  failTls(failing: Span & { share: number; resultType: string }): void {
    this.#tlsFailing.push(failing);
  }

  /** Whether a receiver's report about a day never comes. */
  isSilent(receiver: string, day: number): boolean {
    return this.#silent.some((span) => isOn(span, day) && (span.receiver === undefined || span.receiver === receiver));
  }

  refusedAddresses(today: number): ReadonlySet<string> {
    return new Set(this.#refusedMail.some((span) => isOn(span, today - 1)) ? [RUA] : []);
  }

  /** Changes that checks have seen, newest first: one is seen at the check of the next day. */
  changesSeen(today: number): SeenChange[] {
    return this.#changes
      .filter(({ day }) => day < today && !this.#silentDns.has(day + 1))
      .map(({ day, ...change }) => ({ ...change, seenSeconds: (day + 1) * SECONDS_PER_DAY + 3600 }))
      .sort((a, b) => b.seenSeconds - a.seenSeconds);
  }

  /** The check of a day, or the one before where DNS is silent. */
  check(today: number): StoredCheck {
    const day = this.#silentDns.has(today) ? today - 2 : today - 1;
    const isBroken = (what: string): boolean => this.#broken.some((span) => span.what === what && isOn(span, day));
    const dmarc = this.#dmarc.find((span) => isOn(span, day));
    const record = dmarc === undefined ? this.#record() : dmarc.record;
    const isRefused = this.#refusedDestination.some((span) => isOn(span, day));
    const rua = /mailto:([^;,]+)/.exec(record ?? "")?.[1];
    const name = `_dmarc.${this.#domain}`;
    return {
      domain: this.#domain,
      state: "good",
      organizationalDomain: this.#domain,
      ...(record === undefined ? {} : { policyDomain: this.#domain }),
      policies: {},
      olderPolicies: {},
      destinations:
        rua === undefined
          ? []
          : [{ uri: `mailto:${rua}`, host: "reports.example", outcome: isRefused ? "refused" : "authorized" }],
      spfLookups: 1,
      keys: [],
      ...(this.hasMtaSts ? { mtaStsPolicy: { mode: "enforce", mx: ["mx1.example"], maxAgeSeconds: 604_800 } } : {}),
      checks: [
        this.#checkOf("dmarc", {
          asked: [`TXT ${name}`],
          ...(record === undefined ? { missing: "no_record" } : {}),
          ...(isBroken("dmarc") ? { broken: "several_records" } : isRefused ? { broken: "destination_refused" } : {}),
        }),
        this.#checkOf("spf", {
          asked: [`TXT ${this.#domain}`],
          ...(isBroken("spf") ? { broken: "syntax_error" } : {}),
        }),
        this.#checkOf("mtaSts", {
          asked: [`MX ${this.#domain}`],
          ...(isBroken("mtaSts") ? { broken: "uncovered_host" } : {}),
        }),
      ],
    };
  }

  /** Days of TLS sessions that have been reported. */
  tlsDays(today: number): TlsSessions[] {
    if (this.tlsPerDay === 0) return [];
    while (this.#tls.length < today) {
      const day = this.#tls.length;
      const failing = this.#tlsFailing.find((span) => isOn(span, day));
      const isBad = this.#chance.happens(BENCH.tlsBadDays);
      const share = failing?.share ?? (isBad ? 0.04 : BENCH.tlsFails);
      const sessions = this.#chance.poisson(this.tlsPerDay);
      const failed = this.#chance.binomial(sessions, share);
      this.#tls.push({ day, successful: sessions - failed, failed });
    }
    return this.#tls.slice(Math.max(0, today - 45), today);
  }

  tlsReasons(today: number): TlsReason[] {
    const reasons: TlsReason[] = [{ resultType: "starttls-not-supported", sessions: 2 }];
    for (const span of this.#tlsFailing) {
      if (isOn(span, today - 1)) reasons.push({ resultType: span.resultType, sessions: 50 });
    }
    return reasons;
  }

  #record(): string {
    return `v=DMARC1; p=${this.#policy}; rua=mailto:${RUA}`;
  }

  #checkOf(
    kind: "dmarc" | "spf" | "mtaSts",
    { asked, broken, missing }: { asked: string[]; broken?: string; missing?: string },
  ): StoredCheck["checks"][number] {
    const code = broken ?? missing;
    const state = broken === undefined ? ("attention" as const) : ("broken" as const);
    return {
      kind,
      state: code === undefined ? "good" : state,
      summary: "",
      findings: code === undefined ? [] : [{ code, state, sentence: code, rule: "" }],
      asked: asked.map((text) => {
        const [type = "", name = ""] = text.split(" ");
        return { type, name, status: "answers", records: [] };
      }),
    };
  }
}

function isOn({ firstDay, lastDay }: Span, day: number): boolean {
  return day >= firstDay && day <= lastDay;
}
