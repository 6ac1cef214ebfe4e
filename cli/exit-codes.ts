/** The exit codes, the same for every subcommand. */
export const exitCodes = {
  done: 0,
  /** Wrong use, or something did not work. */
  failure: 1,
  /** It worked, and some of the input was rejected. */
  rejected: 2,
} as const;
