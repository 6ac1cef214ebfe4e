/** Support: writes a report as XML the way some reporter might: every choice that XML and the RFCs leave is a throw of dice. */
import type { AggregateRecord } from "../../shared/report/vocabulary.ts";
import type { ReportModel } from "./report-model.ts";

/** A name with text, or with further elements. */
type Element = [name: string, content: string | Element[]];

/** Numbers that decide; the same numbers give the same text. */
export class Dice {
  readonly #numbers: number[];
  #at = 0;

  constructor(numbers: number[]) {
    this.#numbers = numbers;
  }

  /** A whole number below `sides`. */
  roll(sides: number): number {
    const number = this.#numbers[this.#at++ % this.#numbers.length] ?? 0;
    // Mixed with the position, so that few numbers still give many texts.
    return Math.abs((number ^ Math.imul(this.#at, 0x9e3779b1)) % sides);
  }

  /** True once in `sides` throws. */
  hits(sides: number): boolean {
    return this.roll(sides) === 0;
  }
}

export interface Written {
  xml: string;
  /** What the reader must call it. */
  format: "rfc7489" | "rfc9990";
}

/** Writes the report. */
export function writeReport(model: ReportModel, dice: Dice): Written {
  return new Writer(dice).write(model);
}

class Writer {
  readonly #dice: Dice;
  readonly #prefix: string;
  readonly #line: string;
  readonly #spreads: boolean;

  constructor(dice: Dice) {
    this.#dice = dice;
    this.#prefix = dice.hits(4) ? "ns1:" : "";
    this.#line = dice.hits(3) ? "\r\n" : "\n";
    this.#spreads = !dice.hits(3);
  }

  write({ metadata, policy, records }: ReportModel): Written {
    const is9990 = this.#dice.hits(2);
    const news = this.#optional("generator", metadata.generator, "");
    const policyNews: Element[] = [
      ...this.#optional("np", policy.np, policy.sp),
      ...this.#optional("testing", policy.testing ? "y" : "n", "n"),
      ...this.#optional("discovery_method", policy.discoveryMethod, ""),
    ];
    const children: Element[] = [
      ...this.#optional("version", metadata.version, ""),
      ["report_metadata", this.#shuffle([...this.#metadata(metadata), ...news])],
      ["policy_published", this.#shuffle([...this.#policy(policy), ...policyNews])],
      ...records.map((record): Element => ["record", this.#shuffle(this.#record(record))]),
    ];
    if (this.#dice.hits(3)) children.push(["extension", [["unknown", "1"]]]);
    const isLabelled = news.length > 0 || policyNews.length > 0;
    return {
      xml: this.#document(this.#shuffle(children), is9990),
      format: is9990 || isLabelled ? "rfc9990" : "rfc7489",
    };
  }

  #metadata(metadata: ReportModel["metadata"]): Element[] {
    return [
      ["org_name", metadata.orgName],
      ...this.#optional("email", metadata.email, ""),
      ...this.#optional("extra_contact_info", metadata.extraContactInfo, ""),
      ["report_id", metadata.reportId],
      [
        "date_range",
        this.#shuffle([
          ["begin", `${metadata.beginSeconds}`],
          ["end", `${metadata.endSeconds}`],
        ]),
      ],
      ...metadata.errors.map((error): Element => ["error", error]),
    ];
  }

  #policy(policy: ReportModel["policy"]): Element[] {
    return [
      ["domain", this.#dice.hits(3) ? `${policy.domain}.` : policy.domain],
      ["p", this.#spell(policy.p)],
      ...this.#optional("sp", policy.sp, policy.p),
      ...this.#optional("adkim", policy.adkim, "r"),
      ...this.#optional("aspf", policy.aspf, "r"),
      ...this.#optional("pct", `${policy.pct}`, "100"),
      ...this.#optional("fo", policy.fo, ""),
    ];
  }

  #record(record: AggregateRecord): Element[] {
    const reasons = record.reasons.map(
      ({ rawType, comment }): Element => [
        "reason",
        this.#shuffle([["type", rawType], ...this.#optional("comment", comment, "")]),
      ],
    );
    const evaluated: Element[] = [
      ["disposition", record.rawDisposition],
      ["dkim", this.#spell(record.dkim)],
      ["spf", this.#spell(record.spf)],
    ];
    const dkim = record.dkimResults.map((result): Element => {
      const optional = [
        ...this.#optional("selector", result.selector, ""),
        ...this.#optional("human_result", result.humanResult, ""),
      ];
      return ["dkim", this.#shuffle([["domain", result.domain], ["result", result.rawResult], ...optional])];
    });
    const spf = record.spfResults.map((result): Element => {
      const optional = [
        ...this.#optional("scope", result.scope, "mfrom"),
        ...this.#optional("human_result", result.humanResult, ""),
      ];
      return ["spf", this.#shuffle([["domain", result.domain], ["result", result.rawResult], ...optional])];
    });
    const row: Element[] = [
      ["source_ip", this.#spellIp(record.sourceIp)],
      ["count", this.#dice.hits(5) ? `00${record.count}` : `${record.count}`],
      ["policy_evaluated", this.#shuffle([...evaluated, ...reasons])],
    ];
    const identifiers: Element[] = [
      ["header_from", record.headerFrom],
      ...this.#optional("envelope_from", record.envelopeFrom, ""),
      ...this.#optional("envelope_to", record.envelopeTo, ""),
    ];
    return [
      ["row", this.#shuffle(row)],
      [this.#dice.hits(4) ? "identities" : "identifiers", this.#shuffle(identifiers)],
      ["auth_results", this.#shuffle([...dkim, ...spf])],
    ];
  }

  /** An element, or none where its value is what a missing one means. */
  #optional(name: string, value: string, missing: string): Element[] {
    return value === missing && this.#dice.hits(2) ? [] : [[name, value]];
  }

  #spell(word: string): string {
    return this.#dice.hits(3) ? word.toUpperCase() : word;
  }

  #spellIp(address: string): string {
    if (!address.includes(":") || this.#dice.hits(2)) return address;
    const [head = "", tail] = address.split("::");
    const groups = (part: string) => (part === "" ? [] : part.split(":"));
    const missing = 8 - groups(head).length - groups(tail ?? "").length;
    const all =
      tail === undefined ? groups(head) : [...groups(head), ...Array<string>(missing).fill("0"), ...groups(tail)];
    return all.map((group) => group.toUpperCase().padStart(4, "0")).join(":");
  }

  /** Another order, in which elements of one name keep theirs. */
  #shuffle(elements: Element[]): Element[] {
    if (this.#dice.hits(2)) return elements;
    const order = [...elements];
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.#dice.roll(i + 1);
      const [a, b] = [order[i], order[j]];
      if (a !== undefined && b !== undefined) [order[i], order[j]] = [b, a];
    }
    return order.map(([name], place) => {
      const nth = order.slice(0, place).filter(([other]) => other === name).length;
      return elements.filter(([other]) => other === name)[nth] ?? ["", ""];
    });
  }

  #document(children: Element[], is9990: boolean): string {
    const uri = is9990 ? "urn:ietf:params:xml:ns:dmarc-2.0" : "http://dmarc.org/dmarc-xml/0.1";
    const isNamed = is9990 || this.#prefix !== "" || this.#dice.hits(2);
    const namespace = isNamed ? ` xmlns${this.#prefix === "" ? "" : ":ns1"}="${uri}"` : "";
    const declaration =
      ["", "<?xml version='1.0'?>", '<?xml version="1.0" encoding="UTF-8" ?>'][this.#dice.roll(3)] ?? "";
    const body = children.map((child) => this.#element(child, 1)).join("");
    return `${declaration}${this.#gap(0)}<${this.#prefix}feedback${namespace}>${body}${this.#gap(0)}</${this.#prefix}feedback>${this.#gap(0)}`;
  }

  #element([name, content]: Element, depth: number): string {
    const tag = this.#prefix + name;
    const attribute = this.#dice.hits(8) ? ' lang="en"' : "";
    if (content === "" && this.#dice.hits(2)) return `${this.#gap(depth)}<${tag}${attribute}/>`;
    const inner =
      typeof content === "string"
        ? this.#text(content)
        : content.map((child) => this.#element(child, depth + 1)).join("") + this.#gap(depth);
    return `${this.#gap(depth)}<${tag}${attribute}>${inner}</${tag}${this.#dice.hits(9) ? " " : ""}>`;
  }

  #gap(depth: number): string {
    const comment = this.#dice.hits(12) ? "<!-- </record> & <so> on -->" : "";
    return this.#spreads ? `${this.#line}${"  ".repeat(depth)}${comment}` : comment;
  }

  #text(value: string): string {
    const pad = this.#dice.hits(6) ? " " : "";
    if (this.#dice.hits(6)) return `${pad}<![CDATA[${value.replaceAll("]]>", "]]]]><![CDATA[>")}]]>${pad}`;
    return pad + Array.from(value, (char) => this.#character(char)).join("") + pad;
  }

  #character(char: string): string {
    const named = { "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "'": "&apos;" }[char];
    const mustEscape = char === "<" || char === "&" || char === ">";
    if (!mustEscape && !this.#dice.hits(20)) return char;
    const code = char.codePointAt(0) ?? 0;
    const forms = [`&#${code};`, `&#x${code.toString(16)};`, named ?? char];
    return forms[this.#dice.roll(forms.length)] ?? char;
  }
}
