/** A Worker's own, `globalThis`. */
export interface Timers<Timer> {
  setTimeout(then: () => void, milliseconds: number): Timer;
  clearTimeout(timer: Timer): void;
}

/**
 * What a promise comes to, if it does so in time.
 *
 * @param milliseconds 0 = it may take any time
 * @throws what it throws, or an Error with the sentence. What it does may still go on then.
 */
export async function inTime<T, Timer>(
  timers: Timers<Timer>,
  work: Promise<T>,
  milliseconds: number,
  late: string,
): Promise<T> {
  if (milliseconds === 0) return work;
  const end = Promise.withResolvers<never>();
  const timer = timers.setTimeout(() => end.reject(new Error(late)), milliseconds);
  try {
    return await Promise.race([work, end.promise]);
  } finally {
    timers.clearTimeout(timer);
  }
}
