/** The state folder: closed to others, checked for room, and what is wrong with it in a sentence. */
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ensureLocalSecret, readLocalSecret, secretPath } from "../../local/secret.ts";
import { explainFault, prepareStateFolder, roomProblem, STATE_FOLDERS, StartError } from "../../local/state-folder.ts";
import { testFolder } from "./support.ts";

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("who may read it", () => {
  test("a new one, and everything below, is its owner's alone", () => {
    const folder = join(testFolder(), "deep/state");
    prepareStateFolder(folder);
    ensureLocalSecret(folder);
    for (const name of ["", ...STATE_FOLDERS]) expect(modeOf(join(folder, name)), name).toBe("700");
    expect(modeOf(secretPath(folder))).toBe("600");
  });

  test("one that an earlier version left open is closed, file by file", () => {
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

  test("a folder of somebody's own choice stays as it is; what is put into it is closed", () => {
    const folder = testFolder();
    writeFileSync(join(folder, "mine"), "x");
    chmodSync(join(folder, "mine"), 0o644);
    chmodSync(folder, 0o755);
    prepareStateFolder(folder);
    expect([modeOf(folder), modeOf(join(folder, "mine")), modeOf(join(folder, "v3"))]).toEqual(["755", "644", "700"]);
  });
});

describe("secrets", () => {
  test("an earlier version's token stays, and the key of browsers is added once", () => {
    const folder = testFolder();
    writeFileSync(secretPath(folder), JSON.stringify({ apiToken: "the-token-of-programs" }));
    const first = ensureLocalSecret(folder);
    expect(first.apiToken).toBe("the-token-of-programs");
    expect(first.browserKey.length).toBeGreaterThanOrEqual(32);
    expect(ensureLocalSecret(folder)).toEqual(first);
    expect(readLocalSecret(folder)).toEqual(first);
  });

  test("what is not a secret is said", () => {
    const folder = testFolder();
    writeFileSync(secretPath(folder), "{}");
    expect(() => readLocalSecret(folder)).toThrow("does not hold the secrets of a local stack; delete it");
  });
});

describe("what is wrong with it", () => {
  test("a file in the place of a folder", () => {
    const folder = testFolder();
    writeFileSync(join(folder, "analytics"), "garbage");
    expect(() => prepareStateFolder(folder)).toThrow(StartError);
    expect(() => prepareStateFolder(folder)).toThrow(
      /cannot be written \(.*analytics is not a folder\)\. Make it writable/,
    );
  });

  test("a file system without room", () => {
    // Linux gives /proc no room at all, to root neither.
    expect(roomProblem("/proc")).toBe(
      "The disk of the state folder /proc is full: 0 MiB are free, and 64 MiB are needed.",
    );
    const folder = testFolder();
    expect(roomProblem(folder)).toBeUndefined();
    expect(existsSync(join(folder, "run"))).toBe(false);
  });

  test("faults by their code", () => {
    const fault = (code: string): Error => Object.assign(new Error(`${code}: x`), { code });
    expect(explainFault("/s", fault("ENOSPC"))).toBe(
      "The disk of the state folder /s is full (ENOSPC: x). Free some space, or choose another folder with --state.",
    );
    expect(explainFault("/s", fault("EROFS"))).toBe(
      "The state folder /s cannot be written (EROFS: x). Make it writable for this user, or choose another folder with --state.",
    );
  });
});
