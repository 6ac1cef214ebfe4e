/** Errors of the file system as sentences. */

/** Whether an error is the file system's. Anything else is a bug, and must not look like a bad file. */
export function isOfFileSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && typeof error.code === "string" && /^E[A-Z]+$/.test(error.code);
}

const REASONS: Record<string, string> = {
  ENOENT: "there is no such file or folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EEXIST: "it exists already",
  EISDIR: "it is not a regular file",
  ENOTDIR: "a part of the path is not a folder",
  ELOOP: "its links form a loop",
};

/** Why something did not work, in words: of the file system's errors, and of any other its own. */
export function reasonOfAny(error: unknown): string {
  if (isOfFileSystem(error)) return reasonOf(error);
  return error instanceof Error ? error.message : String(error);
}

/** Why, in words. */
export function reasonOf(error: NodeJS.ErrnoException): string {
  return REASONS[error.code ?? ""] ?? error.message;
}
