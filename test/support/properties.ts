/**
 * Support: fast-check for tests of properties, with one seed for every run, so that what was green stays green until the code
 * changes. `PROPERTY_SEED=N npm test` tries other values; `npm run soak:properties` tries many.
 */
import fc from "fast-check";

/** The seed of an ordinary run. */
const ORDINARY_SEED = 20261128;

fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? ORDINARY_SEED) });

export default fc;
