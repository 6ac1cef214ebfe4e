/** Support: in which order test files start: the slow ones first, so that none of them runs alone in the end. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BaseSequencer, type TestSequencerConstructor, type TestSpecification } from "vitest/node";

const TESTS = join(import.meta.dirname, "..");

/**
 * @param slow paths below test/, the slowest first; files that are not named follow in vitest's own order
 * @throws Error when there is no such file
 */
export function slowFirst(slow: readonly string[]): TestSequencerConstructor {
  const paths = slow.map((name) => join(TESTS, name));
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`There is no ${missing.join(", ")}.`);
  const placeOf = ({ moduleId }: TestSpecification): number => {
    const place = paths.indexOf(moduleId);
    return place === -1 ? paths.length : place;
  };
  return class extends BaseSequencer {
    override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
      return (await super.sort(files)).toSorted((a, b) => placeOf(a) - placeOf(b));
    }
  };
}
