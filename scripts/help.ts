/** `--help` of the scripts behind npm. */

/** Prints how a script is used if it is asked for. @returns whether it was */
export function printHelp(usage: string): boolean {
  const isAsked = process.argv.slice(2).some((argument) => argument === "--help" || argument === "-h");
  if (isAsked) process.stdout.write(`${usage}\n`);
  return isAsked;
}
