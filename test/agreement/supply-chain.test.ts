/**
 * What npm ci puts on a machine is what package-lock.json says, and none of it runs while it is installed: exact versions,
 * an integrity for every package whichever registry serves it, no install script that was not looked at, Node from the lock.
 */
import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { expect, test } from "vitest";

const versions = v.record(v.string(), v.string());
const manifestShape = v.object({
  dependencies: versions,
  devDependencies: versions,
  optionalDependencies: versions,
});
const packageShape = v.object({ ...manifestShape.entries, allowScripts: v.record(v.string(), v.boolean()) });
const entryShape = v.object({
  version: v.string(),
  integrity: v.optional(v.string(), ""),
  resolved: v.optional(v.string()),
  hasInstallScript: v.optional(v.boolean(), false),
  optionalDependencies: v.optional(versions, {}),
  os: v.optional(v.unknown()),
});
const lockShape = v.object({ packages: v.record(v.string(), v.unknown()) });

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

const manifest = v.parse(packageShape, readJson("package.json"));
const { "": lockedManifest, ...lockedPackages } = v.parse(lockShape, readJson("package-lock.json")).packages;
const packages = Object.entries(lockedPackages).map(([path, entry]) => ({ path, ...v.parse(entryShape, entry) }));
const paths = new Set(packages.map(({ path }) => path));

/**
 * Packages that others name as optional and the lock leaves out: the registry it was written against does not have them,
 * so nothing could say what they must be. CONTRIBUTING.md says what that costs and how to take them in.
 */
const LEFT_OUT = ["@chdb/lib-darwin-arm64", "@chdb/lib-darwin-x64", "@chdb/lib-linux-arm64-gnu"];

test("every version in package.json is exact, and the lock has the same", () => {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
    expect(version, name).toMatch(/^(npm:@?[a-z0-9./-]+@)?\d+\.\d+\.\d+$/);
  }
  expect(v.parse(manifestShape, lockedManifest)).toEqual({ dependencies, devDependencies, optionalDependencies });
});

test("every package in the lock has a SHA-512 and names no registry", () => {
  const sha512 = /^sha512-[A-Za-z0-9+/]{86}==$/;
  expect(packages.filter(({ integrity }) => !sha512.test(integrity))).toEqual([]);
  expect(packages.filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  expect(packages.length).toBeGreaterThan(200);
});

test("the lock names the packages of every platform, or npm ci refuses it", () => {
  const missing = packages.flatMap(({ path, optionalDependencies }) =>
    Object.keys(optionalDependencies).filter(
      (name) => !paths.has(`node_modules/${name}`) && !paths.has(`${path}/node_modules/${name}`),
    ),
  );
  expect(missing).toEqual([]);
});

test("only known packages are installed without being in the lock", () => {
  const named = v.object({ optionalDependencies: v.optional(versions, {}) });
  const leftOut = readdirSync("node_modules", { recursive: false, encoding: "utf8" })
    .flatMap((name) =>
      name.startsWith("@") ? readdirSync(join("node_modules", name)).map((n) => `${name}/${n}`) : name,
    )
    .filter((name) => paths.has(`node_modules/${name}`))
    .flatMap((name) => {
      const { optionalDependencies } = v.parse(named, readJson(join("node_modules", name, "package.json")));
      return Object.keys(optionalDependencies);
    })
    .filter((name) => !paths.has(`node_modules/${name}`));
  expect(leftOut.sort()).toEqual(LEFT_OUT);
});

test("every package with an install script is known, and no script has to run", () => {
  const withScripts = packages.filter(({ hasInstallScript }) => hasInstallScript);
  const names = withScripts.map(({ path }) => path.replace(/^.*node_modules\//, ""));
  expect(manifest.allowScripts).toEqual(Object.fromEntries(names.map((name) => [name, false])));
});

test("the Node that runs this comes from the lock and is not fetched by a script", () => {
  const [running] = packages.filter(({ path }) =>
    realpathSync(process.execPath).startsWith(`${realpathSync(".")}/${path}/`),
  );
  expect(running?.path).toMatch(/^node_modules\/node-(bin-)?(linux|darwin)-(x64|arm64)$/);
  expect(`v${running?.version}`).toBe(process.version);
  expect(Object.keys(manifest.optionalDependencies)).toContain(running?.path.slice("node_modules/".length));
});
