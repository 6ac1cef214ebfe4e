/**
 * Support: fast-check for tests of properties, with one seed for every run, so that what was green stays green until the code
 * changes. `PROPERTY_SEED=N npm test` tries other values, `PROPERTY_TIMES=N` N times as many; `npm run soak:properties` tries
 * many seeds.
 */
import * as fc from "./fast-check.ts";

export default fc;
