/** `dmarc mcp`: a server of the Model Context Protocol on standard input and output, with read-only tools (docs/mcp.md). */
import type { Command } from "commander";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";

const EXAMPLES = `
Examples:
  dmarc mcp                                        tools over the local stack, for a program that starts this
  DMARC_TOKEN=... dmarc mcp --url https://dmarc.example.com

It is started by an assistant that speaks the protocol, and reads what that asks on standard input. Its tools read: domains that need
attention, a domain's verdict, its senders, why a source fails, open alerts, reports. Configuration is in docs/mcp.md.`;

/** Adds the command. */
export function addMcp(program: Command): void {
  const command = program.command("mcp").description("Read-only tools for assistants, by the Model Context Protocol");
  addConnectionOptions(command).addHelpText("after", EXAMPLES).action(serve);
}

async function serve(options: ConnectionOptions): Promise<void> {
  const client = connect(options);
  // The SDK takes a while to load, which other commands need not wait for.
  const { serveTools } = await import("../mcp/server.ts");
  await serveTools(client, "0.1.0");
}
