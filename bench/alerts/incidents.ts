/**
 * Incidents that are put into a simulated domain, each with the day on which it begins, what it changes, and what is behind it:
 * the label that notices are held against. Nothing here knows how a rule finds one. Pure.
 */
import { organizationalDomain } from "../../shared/organizational-domain.ts";
import type { DkimAuthResult } from "../../shared/report/vocabulary.ts";
import type { RuleCode } from "../../shared/watch/finding.ts";
import type { Chance } from "../verdict/chance.ts";
import type { Look, Sender, SimulatedDomain } from "../verdict/senders.ts";
import { BENCH } from "./parameters.ts";
import type { Zone } from "./zone.ts";

/** The kinds, each as likely as the others where a domain has what it takes. */
export const KINDS = [
  "dkimKeyGone",
  "newSelector",
  "signingStopped",
  "spfChanged",
  "policyTightened",
  "newService",
  "campaign",
  "recordBroken",
  "mtaStsBreaks",
  "recordRemoved",
  "ruaRemoved",
  "destinationRefused",
  "mailRefused",
  "reporterStops",
  "certificateExpired",
] as const;
export type Kind = (typeof KINDS)[number];

/** What is true of an incident. */
export interface Label {
  kind: Kind;
  firstDay: number;
  /** The last day on which it holds. */
  lastDay: number;
  /** Rules that say it, and codes of causes that are right. */
  rules: readonly RuleCode[];
  causes: readonly string[];
  /** What it is about, where notices name it. */
  subject?: string;
  /** Whether a reported message belongs to it; absent: it is not seen in mail. */
  isAffected?(headerLooks: { sourceIp: string; day: number }): boolean;
  /** Where it is not seen in mail: days after the first one on which a report, or a check, shows it. */
  shownAfterDays?: number;
}

/** Where an incident is put. */
export interface Scene {
  domain: SimulatedDomain;
  zone: Zone;
  firstDay: number;
  chance: Chance;
}

/** Puts an incident of a kind into a domain. @returns undefined where the domain does not have what it takes */
export function inject(kind: Kind, scene: Scene): Label | undefined {
  const label = MAKERS[kind](scene);
  return label === undefined ? undefined : { kind, firstDay: scene.firstDay, lastDay: lastDayOf(scene), ...label };
}

type Made = Pick<Label, "rules" | "causes"> & Partial<Label>;

const FAILS: readonly RuleCode[] = ["ownSenderFails", "ownMailRefused"];

const MAKERS: Record<Kind, (scene: Scene) => Made | undefined> = {
  dkimKeyGone: (scene) => breakSignature(scene, (key) => ({ ...key, result: "permerror" }), "dkimKeyGone"),
  newSelector: (scene) =>
    breakSignature(scene, (key) => ({ ...key, selector: `${key.selector}b`, result: "permerror" }), "newSelector"),
  signingStopped: (scene) => breakSignature(scene, () => undefined, "signingStopped"),
  spfChanged(scene) {
    const { domain, zone, firstDay } = scene;
    const sender = pickSender(scene, ({ looks }) => looks.every(({ dkim, spf }) => dkim === "fail" && spf === "pass"));
    const name = sender?.looks[0]?.spfResults[0]?.domain;
    if (sender === undefined || name === undefined) return undefined;
    changeLooks(sender, scene, (look) => ({
      ...look,
      spf: "fail",
      spfResults: look.spfResults.map((one) => ({ ...one, result: "softfail", rawResult: "softfail" })),
    }));
    zone.change(firstDay, {
      name,
      type: "TXT",
      before: ["v=spf1 include:_spf.mail.example include:_spf.news.example -all"],
      after: ["v=spf1 include:_spf.mail.example -all"],
    });
    return { rules: FAILS, causes: ["spfChanged"], subject: subjectOf(sender, domain), ...affects(sender) };
  },
  policyTightened(scene) {
    const { domain, zone, firstDay } = scene;
    const sender = pickSender(
      scene,
      ({ label, looks }) =>
        label === "unalignedService" && looks.every(({ spfResults }) => isKnown(spfResults[0]?.domain)),
    );
    if (sender === undefined || domain.policy !== "none") return undefined;
    const lastDay = lastDayOf(scene);
    domain.policyOn = (day) => (day >= firstDay && day <= lastDay ? "reject" : "none");
    zone.changeDmarc(firstDay, lastDay, "v=DMARC1; p=reject; rua=mailto:rua@reports.example");
    return {
      rules: ["ownMailRefused", "verdictChanged"],
      causes: ["policyTightened", "realSenderRefused"],
      ...affects(sender),
    };
  },
  newService({ domain, firstDay, chance, zone }) {
    const rate = Math.max(8, zone.perDay * chance.logBetween(0.02, 0.3));
    const name = `fresh${Math.floor(chance.random() * 1e6)}.example`;
    const sender: Sender = {
      label: "newService",
      isLegitimate: true,
      isIndirect: false,
      rate: (day) => (day < firstDay ? 0 : rate),
      addresses: [zone.newAddress(), zone.newAddress()],
      isScattered: false,
      looks: [
        {
          share: 1,
          dkimResults: [dkim(name, "own", "pass")],
          spfResults: [{ domain: `mail.${name}`, scope: "mfrom", result: "pass", rawResult: "pass", humanResult: "" }],
          dkim: "fail",
          spf: "fail",
        },
      ],
    };
    domain.senders.push(sender);
    return { rules: ["newSender"], causes: ["newUnalignedSender"], subject: name, ...affects(sender) };
  },
  campaign(scene) {
    const { domain, firstDay, chance } = scene;
    if (domain.policy === "reject") return undefined;
    const rate = chance.logBetween(500, 5000);
    const looks: Look[] = [
      {
        share: 1,
        dkimResults: [],
        spfResults: [
          { domain: domain.name, scope: "mfrom", result: "softfail", rawResult: "softfail", humanResult: "" },
        ],
        dkim: "fail",
        spf: "fail",
      },
    ];
    const rateOn = (day: number): number => (day >= firstDay && day < firstDay + 3 ? rate : 0);
    const foreign = { isLegitimate: false, isIndirect: false, addresses: [], isScattered: true };
    domain.senders.push({ ...foreign, label: "botnet", rate: rateOn, looks });
    return { rules: ["spoofingRises"], causes: ["campaign"], lastDay: firstDay + 3, shownAfterDays: 1 };
  },
  recordBroken({ zone, firstDay, chance, ...scene }) {
    const broken = chance.pick(["spf", "dmarc"] as const);
    zone.break(broken, { firstDay, lastDay: lastDayOf({ ...scene, zone, firstDay, chance }) });
    return { rules: ["recordBroke"], causes: ["recordChanged"], shownAfterDays: 1 };
  },
  mtaStsBreaks({ zone, firstDay, chance, ...scene }) {
    if (!zone.hasMtaSts) return undefined;
    zone.break("mtaSts", { firstDay, lastDay: lastDayOf({ ...scene, zone, firstDay, chance }) });
    return { rules: ["mtaStsBreaksMail"], causes: ["uncovered_host", "recordChanged"], shownAfterDays: 1 };
  },
  recordRemoved: (scene) => silence(scene, "recordRemoved"),
  ruaRemoved: (scene) => silence(scene, "ruaRemoved"),
  destinationRefused: (scene) => silence(scene, "destinationRefused"),
  mailRefused: (scene) => silence(scene, "mailRefused"),
  reporterStops(scene) {
    const { zone, firstDay } = scene;
    if (zone.perDay < 20) return undefined;
    zone.silence({ firstDay, lastDay: lastDayOf(scene), receiver: "google.com" });
    return { rules: ["reporterSilent"], causes: ["reporterStopped"], shownAfterDays: 6 };
  },
  certificateExpired(scene) {
    const { zone, firstDay } = scene;
    if (zone.tlsPerDay < 40) return undefined;
    zone.failTls({ firstDay, lastDay: lastDayOf(scene), share: 0.4, resultType: "certificate-expired" });
    return { rules: ["tlsFails"], causes: ["certificate-expired"], shownAfterDays: 1 };
  },
};

function lastDayOf({ firstDay }: Scene): number {
  return firstDay + BENCH.incidentDays - 1;
}

function isKnown(name: string | undefined): boolean {
  return name !== undefined && !/sender\d+\.example$/.test(name);
}

/** Direct legitimate senders with enough mail to be seen. */
function pickSender({ domain, chance, firstDay }: Scene, has: (sender: Sender) => boolean): Sender | undefined {
  const found = domain.senders.filter((sender) => {
    const days = Array.from({ length: 7 }, (_, i) => sender.rate(firstDay + i));
    const isSeen = days.every((rate) => rate >= BENCH.minRate);
    return sender.isLegitimate && !sender.isIndirect && isSeen && has(sender);
  });
  return found.length === 0 ? undefined : chance.pick(found);
}

function dkim(domain: string, selector: string, result: DkimAuthResult["result"]): DkimAuthResult {
  return { domain, selector, result, rawResult: result, humanResult: "" };
}

/** A service that passes by DKIM alone no longer does. */
function breakSignature(
  scene: Scene,
  change: (key: DkimAuthResult) => DkimAuthResult | undefined,
  kind: "dkimKeyGone" | "newSelector" | "signingStopped",
): Made | undefined {
  const { domain, zone, firstDay } = scene;
  const sender = pickSender(scene, ({ looks }) => looks[0]?.dkim === "pass" && looks[0]?.spf === "fail");
  const key = sender?.looks[0]?.dkimResults.find((one) => one.domain === domain.name);
  if (sender === undefined || key === undefined) return undefined;
  changeLooks(sender, scene, (look) => ({
    ...look,
    dkim: "fail",
    dkimResults: look.dkimResults.flatMap((one) => (one.domain === domain.name ? (change(one) ?? []) : one)),
  }));
  if (kind === "dkimKeyGone") {
    const name = `${key.selector}._domainkey.${key.domain}`;
    zone.change(firstDay, { name, type: "TXT", before: ["v=DKIM1; k=rsa; p=MIIB"], after: [] });
  }
  return { rules: FAILS, causes: [kind], subject: subjectOf(sender, domain), ...affects(sender) };
}

function changeLooks(sender: Sender, scene: Scene, change: (look: Look) => Look): void {
  const { domain, firstDay } = scene;
  const lastDay = lastDayOf(scene);
  const { rate, looks } = sender;
  const isOn = (day: number): boolean => day >= firstDay && day <= lastDay;
  // The same sender twice: as it was, and as it is during the incident.
  sender.rate = (day) => (isOn(day) ? 0 : rate(day));
  domain.senders.push({ ...sender, rate: (day) => (isOn(day) ? rate(day) : 0), looks: looks.map(change) });
}

/** Services are named by what else authenticates their mail; own servers by the domain. */
function subjectOf({ looks }: Sender, { name }: SimulatedDomain): string {
  const results = [...(looks[0]?.dkimResults ?? []), ...(looks[0]?.spfResults ?? [])];
  const other = results.find(({ domain }) => domain !== name && !domain.endsWith(`.${name}`));
  return other === undefined ? name : organizationalDomain(other.domain);
}

function affects({ addresses }: Sender): Pick<Label, "isAffected"> {
  const own = new Set(addresses);
  return { isAffected: ({ sourceIp }) => own.has(sourceIp) };
}

/** What the check says of the same thing, sooner. */
const ALSO_RIGHT = {
  recordRemoved: [],
  ruaRemoved: [],
  destinationRefused: ["destination_refused"],
  mailRefused: [],
} as const;

/** No report comes any more, for one of the reasons. */
function silence(
  scene: Scene,
  cause: "recordRemoved" | "ruaRemoved" | "destinationRefused" | "mailRefused",
): Made | undefined {
  const { zone, firstDay } = scene;
  if (zone.perDay < 20) return undefined;
  const lastDay = lastDayOf(scene);
  zone.silence({ firstDay, lastDay, receiver: undefined });
  if (cause === "recordRemoved") zone.changeDmarc(firstDay, lastDay, undefined);
  if (cause === "ruaRemoved")
    zone.changeDmarc(firstDay, lastDay, "v=DMARC1; p=none; rua=mailto:other@elsewhere.example");
  if (cause === "destinationRefused") zone.refuseDestination({ firstDay, lastDay });
  if (cause === "mailRefused") zone.refuseMail({ firstDay, lastDay });
  // The notice about the broken record comes first.
  return {
    rules: ["reportsStopped", "recordBroke"],
    causes: [cause, ...ALSO_RIGHT[cause]],
    shownAfterDays: 4,
  };
}
