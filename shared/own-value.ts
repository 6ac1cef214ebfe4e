/** Tables that are asked with words from outside. Pure. */

/**
 * What a table says of a word. Each object also answers to names such as `constructor`, which nobody put into the table.
 *
 * @returns undefined if the word is not in the table
 */
export function ownValue<Value>(table: Readonly<Record<string, Value>>, word: string): Value | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}
