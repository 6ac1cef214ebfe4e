/** The exit codes, the same for every subcommand. */
export const exitCodes = {
  done: 0,
  /** Wrong use, or something did not work. */
  failure: 1,
  /** It worked, and some of the input was rejected. */
  rejected: 2,
  /** Ended by Ctrl-C: 128 and the signal's number, as shells count. */
  interrupted: 130,
} as const;
