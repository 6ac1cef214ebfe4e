/** Ports of this machine for tests and benchmarks, and servers that take one. */
import { createServer, type Server } from "node:net";

/** Starts a server on a free port. @returns the port */
export async function listenLocally(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return address.port;
}

/**
 * Ports nothing listens on at the moment, below those that Linux gives to connections (32,768 and up): another test's
 * connection cannot take one before it is used.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = new Map<number, Server>();
  while (servers.size < count) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    const server = await listening(port);
    if (server !== undefined) servers.set(port, server);
  }
  await Promise.all([...servers.values()].map((server) => new Promise((resolve) => server.close(resolve))));
  return [...servers.keys()];
}

function listening(port: number): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

/** One of them. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** Where a stack listens. */
export interface StackPorts {
  httpPort: number;
  smtpPort: number;
  sqlPort: number;
}

/** Ports for a stack. */
export async function freeStackPorts(): Promise<StackPorts> {
  const [httpPort = 0, smtpPort = 0, sqlPort = 0] = await freePorts(3);
  return { httpPort, smtpPort, sqlPort };
}
