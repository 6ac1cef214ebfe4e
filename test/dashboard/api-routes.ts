/** Support: the API's routes as the contract lists them, their parameters filled with their names. */
import { API_ROOT } from "../../shared/contract/operation.ts";
import { OPERATION_NAMES, OPERATIONS } from "../../shared/contract/operations.ts";

/** Method and path of each. */
export function apiRoutes(): [string, string][] {
  return OPERATION_NAMES.flatMap((name): [string, string][] => {
    const { http } = OPERATIONS[name];
    return http === undefined ? [] : [[http.method, API_ROOT + http.path.replaceAll(/:(\w+)/g, "$1")]];
  });
}
