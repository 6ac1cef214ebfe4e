/**
 * Which stack a command talks to: a deployment given by --url and DMARC_TOKEN, otherwise the local one, located by the
 * same settings as `npm start`. The local stack's secret is read from its state folder and never printed.
 */
import type { Command } from "commander";
import { LOCAL_DEFAULTS, type LocalOptions, readLocalOptions } from "../local/options.ts";
import { readLocalSecret } from "../local/secret.ts";
import { type ApiClient, apiClient } from "./client.ts";
import { CommandError } from "./command-error.ts";

/** The options of every command that talks to a stack. */
export interface ConnectionOptions {
  url?: string;
  http?: string;
  smtp?: string;
  sql?: string;
  state?: string;
}

/** Adds the options of a command that can talk to a deployment. */
export function addConnectionOptions(command: Command): Command {
  return addLocalOptions(
    command.option("--url <origin>", "a deployed dashboard, with its secret in DMARC_TOKEN (or DMARC_URL)"),
  );
}

/** Adds the options that find the local stack. */
export function addLocalOptions(command: Command): Command {
  const { httpPort, smtpPort, sqlPort, stateDir } = LOCAL_DEFAULTS;
  return command
    .option("--http <port>", `local stack: HTTP port (or DMARC_HTTP_PORT, ${httpPort})`)
    .option("--smtp <port>", `local stack: SMTP port (or DMARC_SMTP_PORT, ${smtpPort})`)
    .option("--sql <port>", `local stack: SQL port (or DMARC_SQL_PORT, ${sqlPort})`)
    .option("--state <folder>", `local stack: state folder (or DMARC_STATE, ${stateDir})`);
}

/**
 * The API of the stack chosen by options and environment.
 *
 * @throws CommandError when an option is wrong or there is no secret
 */
export function connect(options: ConnectionOptions): ApiClient {
  // The command line beats the environment: ports given there mean the local stack.
  const namesLocal = options.http !== undefined || options.state !== undefined;
  const url = options.url ?? (namesLocal ? undefined : process.env.DMARC_URL || undefined);
  if (url !== undefined) return apiClient({ url: readOrigin(url), token: remoteToken() });
  const { httpPort, stateDir } = localOptions(options);
  return apiClient({ url: `http://127.0.0.1:${httpPort}`, token: localToken(stateDir) });
}

/** The SMTP port of the local stack. @throws CommandError when an option is wrong */
export function smtpPort(options: ConnectionOptions): number {
  return localOptions(options).smtpPort;
}

function localOptions({ http, smtp, sql, state }: ConnectionOptions): LocalOptions {
  const flags = {
    ...(http === undefined ? {} : { http }),
    ...(smtp === undefined ? {} : { smtp }),
    ...(sql === undefined ? {} : { sql }),
    ...(state === undefined ? {} : { state }),
  };
  const read = readLocalOptions({ flags, env: process.env });
  if (!read.ok) throw new CommandError(read.error);
  return read.value;
}

// A token for a remote stack must not be sent unencrypted.
function readOrigin(text: string): string {
  const url = URL.parse(text);
  const isLocal = url?.hostname === "localhost" || url?.hostname === "127.0.0.1" || url?.hostname === "[::1]";
  if (url === null || !(url.protocol === "https:" || (url.protocol === "http:" && isLocal))) {
    throw new CommandError(`'${text}' is not the https address of a dashboard.`);
  }
  return url.origin;
}

function remoteToken(): string {
  const token = process.env.DMARC_TOKEN ?? "";
  if (/^\S+$/.test(token)) return token;
  throw new CommandError("DMARC_TOKEN has to hold the secret API_TOKEN of that dashboard.");
}

function localToken(stateDir: string): string {
  const secret = readSecret(stateDir);
  if (secret !== undefined) return secret.apiToken;
  throw new CommandError(`The stack has never run with the state folder ${stateDir}: start it with npm start.`);
}

function readSecret(stateDir: string): { apiToken: string } | undefined {
  try {
    return readLocalSecret(stateDir);
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error));
  }
}
