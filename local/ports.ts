/** Finds out whether a port can be had, before anything is started. It never keeps one open. */
import { createServer } from "node:net";

/**
 * Says why a port on 127.0.0.1 cannot be listened on.
 *
 * @returns undefined when it is free; otherwise the reason as the end of a sentence
 */
export function portProblem(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(reasonOf(error)));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(undefined)));
  });
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === "EADDRINUSE") return "is already in use";
  if (error.code === "EACCES") return "needs more rights than this user has";
  return `cannot be used (${error.message})`;
}
