/** Parses the authentication results of a record as stored, one per line. Pure, lenient. */

/** One DKIM signature or SPF check. */
export interface AuthResult {
  domain: string;
  /** DKIM: the selector. SPF: the scope. */
  detail: string;
  result: string;
}

/** `domain selector result`, one per line; "-" is a missing part. A truncated line gives what it has. */
export function readAuthResults(text: string): AuthResult[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [domain = "", detail = "", result = ""] = line.split(" ");
      return { domain: domain === "-" ? "" : domain, detail: detail === "-" ? "" : detail, result };
    });
}

/** Whether any of the results is a pass. */
export function hasPass(text: string): boolean {
  return readAuthResults(text).some(({ result }) => result === "pass");
}

/** `type comment`, one per line. */
export function readReasons(text: string): { type: string; comment: string }[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const space = line.indexOf(" ");
      return space < 0 ? { type: line, comment: "" } : { type: line.slice(0, space), comment: line.slice(space + 1) };
    });
}
