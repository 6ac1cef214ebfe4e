/**
 * Support: today, for tests of a stack that has this machine's clock. A file that would begin shortly before midnight (UTC)
 * begins after it, so that its day does not end while it runs.
 */
const DAY_MILLISECONDS = 86_400_000;
/** Longer than any file takes that has a day. */
const FILE_MILLISECONDS = 300_000;

/** Milliseconds until a file may begin that takes a while: 0, or until the day has ended. */
function untilWholeDay(nowMilliseconds: number): number {
  const left = DAY_MILLISECONDS - (nowMilliseconds % DAY_MILLISECONDS);
  return left > FILE_MILLISECONDS ? 0 : left;
}

// A timer may fire a millisecond early.
for (let wait = untilWholeDay(Date.now()); wait > 0; wait = untilWholeDay(Date.now())) {
  await new Promise((resolve) => setTimeout(resolve, wait));
}

/** Days since 1970, UTC. */
export const TODAY = Math.floor(Date.now() / DAY_MILLISECONDS);
