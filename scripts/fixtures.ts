/** `npm run fixtures`: writes every fixture of test/fixtures and what the reader finds in it. Review the diff. */
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { writeFixture } from "../test/support/fixtures.ts";
import { quirks } from "../test/support/quirks/all.ts";

rmSync(fileURLToPath(new URL("../test/fixtures/", import.meta.url)), { recursive: true, force: true });
for (const quirk of quirks) await writeFixture(quirk);
process.stdout.write(`${quirks.length} fixtures written\n`);
