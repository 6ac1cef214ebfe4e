/**
 * A key's record as it was evidently meant: without what forms and files put into it, its parts in one record, with separators
 * where they belong. Only where a key can be read in it then. Pure.
 */
import { readTagList, type TagList } from "./tag-list.ts";

const SIGNS = /["\u2018-\u201f\\\u0000-\u0008\u000b-\u001f\u007f\u00a0\u2000-\u200f\u202f\u2060\ufeff]/g;
const FILE_LINES = /-----(?:BEGIN|END)[A-Z ]*-----/g;
const COLON_FOR_EQUALS = /(^|;\s*)([vkthsnp])[ \t]*:(?=\s*\S)/gi;
const MISSING_SEPARATOR = /(?<=[^;\s,])[\s,]+(?=(?:v|k|t|h|s|n|p|g)=)/gi;

/**
 * @param texts of the selector's records: several are parts of one
 * @param typeOf the type of the key that a list of tags has
 * @returns undefined where nothing is to be repaired, or no key can be read
 */
export async function repairedDkim(
  texts: readonly string[],
  typeOf: (tags: TagList) => Promise<string>,
): Promise<string | undefined> {
  const clean = texts.map((text) =>
    text
      .replaceAll(/"\s*"/g, "")
      .replaceAll(SIGNS, "")
      .replaceAll(FILE_LINES, "")
      .replaceAll(MISSING_SEPARATOR, "; ")
      .replaceAll(COLON_FOR_EQUALS, "$1$2=")
      .trim(),
  );
  // The part that has the tags comes first.
  const joined = clean.sort((a, b) => Number(hasTags(b)) - Number(hasTags(a))).join("");
  const whole = /^[a-z0-9+/]+=*$/i.test(joined)
    ? `p=${joined}`
    : joined.replace(/;\s*(?=[a-z0-9+/]{100,}=*;?$)/i, "; p=");
  const tags = readTagList(whole).tags.map(({ name, value }) => {
    const key = value.replaceAll("-", "+").replaceAll("_", "/").replaceAll(/\s/g, "");
    return name === "p" ? { name, value: key } : { name, value };
  });
  const { value: key = "" } = tags.find(({ name }) => name === "p") ?? {};
  const others = tags.filter(({ name }) => name !== "v" && name !== "p");
  for (const kind of others.some(({ name }) => name === "k") ? [[]] : [[], [{ name: "k", value: "ed25519" }]]) {
    const list = [{ name: "v", value: "DKIM1" }, ...kind, ...others, { name: "p", value: key }];
    const type = await typeOf({ tags: list, malformed: [] });
    const value = list.map((tag) => `${tag.name}=${tag.value}`).join("; ");
    if (type === "rsa" || type === "ed25519") return value;
  }
  return undefined;
}

function hasTags(text: string): boolean {
  return /^\w+ *=/.test(text);
}
