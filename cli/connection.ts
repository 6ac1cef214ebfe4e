/**
 * Which stack a command talks to: a deployment, given by --url and --token, by a profile or by the environment, otherwise the
 * local one, located by the same settings as `npm start`. The local stack's secret is read from its state folder. No token
 * is ever printed.
 */
import type { Command } from "commander";
import { LOCAL_DEFAULTS, type LocalOptions, readLocalOptions } from "../local/options.ts";
import { readLocalSecret } from "../local/secret.ts";
import { type ApiClient, type ApiConnection, apiClient, isLocalUrl } from "./client.ts";
import { CommandError } from "./command-error.ts";
import { findProfile, LOCAL_PROFILE, profilesPath, readProfiles } from "./profiles.ts";

/** Options that name a deployment. */
export interface RemoteOptions {
  url?: string;
  token?: string;
  profile?: string;
}

/** The options of every command that talks to a stack. */
export interface ConnectionOptions extends RemoteOptions {
  http?: string;
  smtp?: string;
  sql?: string;
  state?: string;
}

/** Adds the options that name a deployment. */
export function addRemoteOptions(command: Command): Command {
  return command
    .option("--url <origin>", "a deployed dashboard (or DMARC_URL)")
    .option(
      "--token <secret>",
      "its token; DMARC_TOKEN or a profile is safer, since others on this machine can see it here",
    )
    .option("--profile <name>", `a deployment by name, or ${LOCAL_PROFILE} (or DMARC_PROFILE; \`dmarc profile\`)`);
}

/** Adds the options of a command that can talk to a deployment. */
export function addConnectionOptions(command: Command): Command {
  return addLocalOptions(addRemoteOptions(command));
}

/**
 * Makes what was given before the command's name its options: `dmarc --profile NAME status`. What is given after it wins.
 *
 * @param program which has the options of addRemoteOptions
 */
export function passRemoteOptions(program: Command): void {
  program.hook("preAction", (_, command) => {
    for (const [name, value] of Object.entries(program.opts())) {
      const isTaken = command.options.some((option) => option.attributeName() === name);
      if (!isTaken) throw new CommandError(`\`dmarc ${command.name()}\` talks to no deployment: leave out --${name}.`);
      if (command.getOptionValue(name) === undefined) command.setOptionValueWithSource(name, value, "cli");
    }
  });
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
 * The API of the stack chosen by options and environment: what is named on the command line beats the environment, and the
 * environment the profile that is the default.
 *
 * @throws CommandError when an option is wrong or there is no secret
 */
export function connect(options: ConnectionOptions): ApiClient {
  return apiClient(connectionOf(options));
}

/** Where that is. @throws CommandError as `connect` does */
function connectionOf(options: ConnectionOptions): ApiConnection {
  if (options.url !== undefined) return urlConnection(options.url, options.token);
  if (options.profile !== undefined) return profileConnection(options.profile, options);
  // Ports given on the command line mean the local stack.
  if (options.http !== undefined || options.state !== undefined) return localConnection(options);
  const { DMARC_URL: url, DMARC_PROFILE: profile } = process.env;
  if (url) return urlConnection(url, options.token);
  const name = profile || readProfiles(profilesPath()).default;
  return name ? profileConnection(name, options) : localConnection(options);
}

function urlConnection(url: string, token: string | undefined): ApiConnection {
  return { url: readOrigin(url), token: token ?? remoteToken(), ...accessFromEnvironment() };
}

function profileConnection(name: string, options: ConnectionOptions): ApiConnection {
  if (name === LOCAL_PROFILE) return localConnection(options);
  const { url, token, access } = findProfile(profilesPath(), name);
  return { url: readOrigin(url), token: options.token ?? token, ...(access && { access }) };
}

function localConnection(options: ConnectionOptions): ApiConnection {
  const { httpPort, stateDir } = localOptions(options);
  return { url: `http://127.0.0.1:${httpPort}`, token: options.token ?? localToken(stateDir) };
}

/** A service token of Cloudflare Access, if there is one in the environment. */
export function accessFromEnvironment(): Pick<ApiConnection, "access"> {
  const { DMARC_ACCESS_CLIENT_ID: clientId = "", DMARC_ACCESS_CLIENT_SECRET: clientSecret = "" } = process.env;
  if (clientId === "" && clientSecret === "") return {};
  if (clientId !== "" && clientSecret !== "") return { access: { clientId, clientSecret } };
  throw new CommandError(
    "DMARC_ACCESS_CLIENT_ID and DMARC_ACCESS_CLIENT_SECRET belong together: one of them is missing.",
  );
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

/** The origin of a dashboard: a token must not be sent unencrypted. @throws CommandError if it is not an origin */
export function readOrigin(text: string): string {
  const url = URL.parse(text);
  if (url === null || !(url.protocol === "https:" || (url.protocol === "http:" && isLocalUrl(text)))) {
    throw new CommandError(`'${text}' is not the https address of a dashboard.`);
  }
  return url.origin;
}

function remoteToken(): string {
  const token = process.env.DMARC_TOKEN ?? "";
  if (/^\S+$/.test(token)) return token;
  throw new CommandError(
    "There is no token for that dashboard: set DMARC_TOKEN, or add a profile (dmarc profile add).",
  );
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
