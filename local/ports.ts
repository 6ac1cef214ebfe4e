/** Finds out whether a port can be had, before anything is started. It never keeps one open. */
import { createServer } from "node:net";

/** Ours: how long a stack that was killed a moment ago may take to let go of its ports. */
const GRACE_MS = 1500;

/**
 * Says why a port on 127.0.0.1 cannot be listened on.
 *
 * @returns undefined when it is free; otherwise the reason as the end of a sentence
 */
export async function portProblem(port: number): Promise<string | undefined> {
  const deadline = Date.now() + GRACE_MS;
  for (;;) {
    const problem = await tryPort(port);
    if (problem === undefined || Date.now() > deadline) return problem;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function tryPort(port: number): Promise<string | undefined> {
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
