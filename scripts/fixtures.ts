/** `npm run fixtures`: writes every fixture of test/fixtures and what the reader finds in it. Review the diff. */
import { clearFixtures, writeFixture } from "../test/support/fixtures.ts";
import { quirks } from "../test/support/quirks/all.ts";

clearFixtures();
for (const quirk of quirks) await writeFixture(quirk);
process.stdout.write(`${quirks.length} fixtures written\n`);
