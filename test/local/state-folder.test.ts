/** The state folder: closed to others, checked for room, and what is wrong with it in a sentence. */
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ensureLocalSecret, readLocalSecret, secretPath } from "../../local/secret.ts";
import {
  explainFault,
  keptDatabases,
  prepareStateFolder,
  roomProblem,
  STATE_FOLDERS,
  StartError,
} from "../../local/state-folder.ts";
import { testFolder } from "./support.ts";

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("the state folder", () => {
  test("notes how many databases the ledger has, and refuses fewer", () => {
    const folder = testFolder();
    expect(keptDatabases(folder, undefined)).toBe(1);
    expect(keptDatabases(folder, 3)).toBe(3);
    expect(keptDatabases(folder, undefined)).toBe(3);
    expect(() => keptDatabases(folder, 2)).toThrow("give --databases 3 or more");
    writeFileSync(join(folder, "databases"), "many\n");
    expect(() => keptDatabases(folder, undefined)).toThrow("must hold how many databases the ledger has");
  });

  test("is readable only by its owner when new, with everything below", () => {
    const folder = join(testFolder(), "deep/state");
    prepareStateFolder(folder);
    ensureLocalSecret(folder);
    for (const name of ["", ...STATE_FOLDERS]) expect(modeOf(join(folder, name)), name).toBe("700");
    expect(modeOf(secretPath(folder))).toBe("600");
  });

  test("is closed file by file if an earlier version left it open", () => {
    const folder = testFolder();
    mkdirSync(join(folder, "v3/r2/blobs"), { recursive: true });
    const [blob, log] = [join(folder, "v3/r2/blobs/mail"), join(folder, "logs/old.log")];
    mkdirSync(join(folder, "logs"));
    for (const path of [blob, log]) writeFileSync(path, "x");
    writeFileSync(secretPath(folder), JSON.stringify({ apiToken: "the-token-of-programs" }));
    for (const path of ["", "v3", "v3/r2", "v3/r2/blobs", "logs"]) chmodSync(join(folder, path), 0o755);
    for (const path of [blob, log, secretPath(folder)]) chmodSync(path, 0o644);
    prepareStateFolder(folder);
    for (const path of ["", "v3", "v3/r2", "v3/r2/blobs", "logs"]) expect(modeOf(join(folder, path)), path).toBe("700");
    for (const path of [blob, log, secretPath(folder)]) expect(modeOf(path), path).toBe("600");
  });

  test("keeps its mode if it existed, but files put into it are closed", () => {
    const folder = testFolder();
    writeFileSync(join(folder, "mine"), "x");
    chmodSync(join(folder, "mine"), 0o644);
    chmodSync(folder, 0o755);
    prepareStateFolder(folder);
    expect([modeOf(folder), modeOf(join(folder, "mine")), modeOf(join(folder, "v3"))]).toEqual(["755", "644", "700"]);
  });
});

describe("the secrets", () => {
  test("keep the token of an earlier version and get a browser key once", () => {
    const folder = testFolder();
    writeFileSync(secretPath(folder), JSON.stringify({ apiToken: "the-token-of-programs" }));
    const first = ensureLocalSecret(folder);
    expect(first.apiToken).toBe("the-token-of-programs");
    expect(first.browserKey.length).toBeGreaterThanOrEqual(32);
    expect(ensureLocalSecret(folder)).toEqual(first);
    expect(readLocalSecret(folder)).toEqual(first);
  });

  test("that are invalid are reported", () => {
    const folder = testFolder();
    writeFileSync(secretPath(folder), "{}");
    expect(() => readLocalSecret(folder)).toThrow("does not hold the secrets of a local stack; delete it");
  });
});

describe("an unusable state folder is explained", () => {
  test("if it is a file", () => {
    const folder = testFolder();
    writeFileSync(join(folder, "analytics"), "garbage");
    expect(() => prepareStateFolder(folder)).toThrow(StartError);
    expect(() => prepareStateFolder(folder)).toThrow(
      /cannot be written \(.*analytics is not a folder\)\. Make it writable/,
    );
  });

  test("if the file system is full", () => {
    // Linux gives /proc no room at all, to root neither.
    expect(roomProblem("/proc")).toBe(
      "The disk of the state folder /proc is full: 0 MiB are free, and 64 MiB are needed.",
    );
    const folder = testFolder();
    expect(roomProblem(folder)).toBeUndefined();
    expect(existsSync(join(folder, "run"))).toBe(false);
  });

  test("by error code", () => {
    const fault = (code: string): Error => Object.assign(new Error(`${code}: x`), { code });
    expect(explainFault("/s", fault("ENOSPC"))).toBe(
      "The disk of the state folder /s is full (ENOSPC: x). Free some space, or choose another folder with --state.",
    );
    expect(explainFault("/s", fault("EROFS"))).toBe(
      "The state folder /s cannot be written (EROFS: x). Make it writable for this user, or choose another folder with --state.",
    );
  });
});
