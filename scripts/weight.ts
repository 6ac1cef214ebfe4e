/**
 * What `npm ci` puts on this machine: size of each package, with what it brings, and what it is for. For docs/weight.md.
 *
 * usage: npm run weight
 */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { renderTable } from "../cli/terminal.ts";

/** Packages of some weight, by what of this project needs them. */
const PURPOSES: [pattern: RegExp, purpose: string][] = [
  [/^(chdb|@chdb\/)/, "Analytics Engine's SQL on one machine: an embedded ClickHouse. `npm start`, tests"],
  [/^(@cloudflare\/workerd|workerd)/, "The Workers' runtime. `npm start`, tests"],
  [/^node-/, "Node 24 for npm scripts, whatever the machine has"],
  [/^(typescript|@typescript\/)/, "Types (`npm run check`)"],
  [
    /^(wrangler|miniflare|@cloudflare\/|esbuild|@esbuild\/|@img\/|sharp)/,
    "Bundles, deploys, and runs Workers on one machine",
  ],
  [/^(vitest|@vitest\/|vite|rolldown|@rolldown\/|lightningcss)/, "Tests"],
  [/^@biomejs\//, "Format and lint"],
  [/^(playwright-core|axe-core)/, "Tests in a browser, pictures of the pages"],
  [/^(mailauth|imapflow|nodemailer|smtp-server|libmime)/, "Mail on one machine, import from IMAP, vectors for DKIM"],
];

/** Bytes on disk below a path; links count nothing. */
function bytesOf(path: string): number {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return 0;
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}

function packagesOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) =>
      name.startsWith("@") ? readdirSync(join(folder, name)).map((one) => `${name}/${one}`) : [name],
    );
}

const weights = new Map<string, { bytes: number; packages: string[] }>();
for (const name of packagesOf("node_modules")) {
  const purpose = PURPOSES.find(([pattern]) => pattern.test(name))?.[1] ?? "All others";
  const known = weights.get(purpose) ?? { bytes: 0, packages: [] };
  weights.set(purpose, {
    bytes: known.bytes + bytesOf(join("node_modules", name)),
    packages: [...known.packages, name],
  });
}
const sorted = [...weights].sort(([, a], [, b]) => b.bytes - a.bytes);
const mb = (bytes: number): string => (bytes / 1e6).toFixed(0);
const rows = sorted.map(([purpose, { bytes, packages }]) => [mb(bytes), packages.length, purpose]);
const total = sorted.reduce((sum, [, { bytes }]) => sum + bytes, 0);
process.stdout.write(`${renderTable(["MB", "packages", "for"], [...rows, [mb(total), "", "together"]])}\n`);
