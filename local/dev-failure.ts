/** Why wrangler's dev server does not start, in a sentence for people. Pure. */
import * as v from "valibot";

/** What esbuild reports about a bundle it cannot make. */
const buildErrors = v.object({
  errors: v.array(
    v.object({
      text: v.string(),
      location: v.nullish(v.object({ file: v.string(), line: v.number() })),
    }),
  ),
});
const caused = v.object({ cause: v.unknown() });

/**
 * @param fault what wrangler says: an Error, or an event with the cause of it, which may itself have a cause
 * @returns the first error of the bundle with its place, and what to do where a package is missing
 */
export function failureText(fault: unknown): string {
  const build = findBuildErrors(fault);
  const [first] = build;
  if (first === undefined) return `The Workers do not start: ${messageOf(fault)}`;
  const place = first.location ? ` (${first.location.file}, line ${first.location.line})` : "";
  const others = build.length > 1 ? ` and ${build.length - 1} more` : "";
  const said = `The Workers cannot be bundled: ${first.text}${place}${others}.`;
  const isMissing = build.some(({ text }) => /^Could not resolve "[^./]/.test(text));
  return isMissing ? `${said} Packages are not as package-lock.json says: run npm ci, and start again.` : said;
}

function findBuildErrors(fault: unknown): v.InferOutput<typeof buildErrors>["errors"] {
  const build = v.safeParse(buildErrors, fault);
  if (build.success) return build.output.errors;
  const outer = v.safeParse(caused, fault);
  return outer.success && outer.output.cause !== undefined ? findBuildErrors(outer.output.cause) : [];
}

function messageOf(fault: unknown): string {
  const outer = v.safeParse(caused, fault);
  const innermost = outer.success && outer.output.cause !== undefined ? outer.output.cause : fault;
  return innermost instanceof Error ? innermost.message : String(innermost);
}
