/** Support: the API's routes as the contract lists them, their parameters filled with their names. */
import { API_ROOT } from "../../shared/contract/operation.ts";
import { OPERATION_NAMES, OPERATIONS } from "../../shared/contract/operations.ts";
import type { Role } from "../../shared/people.ts";

/** Method and path of each; with a role, of those that take it. */
export function apiRoutes(needed?: Role): [string, string][] {
  return OPERATION_NAMES.flatMap((name): [string, string][] => {
    const { http, role } = OPERATIONS[name];
    return http === undefined || (needed !== undefined && role !== needed)
      ? []
      : [[http.method, API_ROOT + http.path.replaceAll(/:(\w+)/g, "$1")]];
  });
}
