/**
 * Measures one contestant and prints the median CPU milliseconds of one reading of its input (node.ts).
 *
 * usage: node bench/contestant-child.ts NAME FOLDER MILLISECONDS
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CONTESTANTS } from "./contestants.ts";
import { measure } from "./measure.ts";

const [name, folder = "", milliseconds] = process.argv.slice(2);
const contestant = CONTESTANTS.find((one) => one.name === name);
if (contestant === undefined) throw new Error(`no contestant ${name}`);
const inputs = join(folder, contestant.input);
const files = readdirSync(inputs)
  .sort()
  .map((file) => new Uint8Array(readFileSync(join(inputs, file))));
console.log(await measure(await contestant.prepare(files), Number(milliseconds)));
