/** Failure as a value, for bad input; faults of the platform and bugs throw. */
export type Result<T, E> = { ok: true; value: T } | { ok: false; error: E };

/** A success carrying `value`. */
export function ok<T>(value: T): { ok: true; value: T } {
  return { ok: true, value };
}

/** A failure carrying `error`. */
export function fail<E>(error: E): { ok: false; error: E } {
  return { ok: false, error };
}
