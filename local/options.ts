/**
 * The settings of the local stack and where they come from: a flag beats the environment, the environment beats the
 * default. Pure; `npm start` and the CLI use the same table. It never looks whether a port is free.
 */
import { D1_LIMITS } from "../shared/limits.ts";
import { fail, ok, type Result } from "../shared/result.ts";

export interface LocalOptions {
  /** Dashboard and API. */
  httpPort: number;
  /** Mail. */
  smtpPort: number;
  /** Analytics Engine's SQL API. */
  sqlPort: number;
  /** Folder of everything that is kept; relative to the current folder. */
  stateDir: string;
  /** Databases that the ledger is spread over; absent = as many as the state folder has, one at first. */
  databases?: number;
  /** Whether the first start sends sample reports. */
  samples: boolean;
  /** Whether a change of a source file reloads the Workers; watching for changes takes part of a core all the time. */
  watch: boolean;
  /** Where DNS is asked, by DNS over HTTPS; absent = nowhere, and every answer is "unknown". */
  dnsUrl?: string;
  /** SMTP server that notices and digests are sent through; absent = they are kept in the state folder. */
  mailRelayUrl?: string;
  /** An origin that webhooks may go to although it is not public; absent = none. */
  webhookOrigin?: string;
}

/** Flags as a command line gives them; absent means not given. */
export interface LocalFlags {
  http?: string;
  smtp?: string;
  sql?: string;
  state?: string;
  databases?: string;
  samples?: boolean;
  watch?: boolean;
  dns?: string;
  mailRelay?: string;
  webhookOrigin?: string;
}

export const LOCAL_DEFAULTS: LocalOptions = {
  httpPort: 8787,
  smtpPort: 2525,
  sqlPort: 8123,
  stateDir: ".wrangler/state",
  samples: true,
  watch: false,
};

/** Flag and environment variable of each setting. */
const LOCAL_SETTINGS = {
  httpPort: { flag: "http", variable: "DMARC_HTTP_PORT" },
  smtpPort: { flag: "smtp", variable: "DMARC_SMTP_PORT" },
  sqlPort: { flag: "sql", variable: "DMARC_SQL_PORT" },
  stateDir: { flag: "state", variable: "DMARC_STATE" },
  databases: { flag: "databases", variable: "DMARC_DATABASES" },
  dnsUrl: { flag: "dns", variable: "DMARC_DNS" },
  mailRelayUrl: { flag: "mailRelay", option: "mail-relay", variable: "DMARC_MAIL_RELAY" },
  webhookOrigin: { flag: "webhookOrigin", option: "webhook-origin", variable: "DMARC_WEBHOOK_ORIGIN" },
} as const;

type PortName = "httpPort" | "smtpPort" | "sqlPort";

/**
 * Reads the settings.
 *
 * @param source.flags what was given on the command line
 * @param source.env the environment; empty values count as not given
 * @returns the settings, or which value is wrong, in one sentence
 */
export function readLocalOptions(source: {
  flags: LocalFlags;
  env: Record<string, string | undefined>;
}): Result<LocalOptions, string> {
  const options: LocalOptions = { ...LOCAL_DEFAULTS };
  for (const name of ["httpPort", "smtpPort", "sqlPort"] as const) {
    const port = readPort(name, source);
    if (!port.ok) return port;
    options[name] = port.value;
  }
  const { flag, variable } = LOCAL_SETTINGS.stateDir;
  options.stateDir = source.flags[flag] || source.env[variable] || LOCAL_DEFAULTS.stateDir;
  options.samples = source.flags.samples ?? LOCAL_DEFAULTS.samples;
  options.watch = source.flags.watch ?? LOCAL_DEFAULTS.watch;
  const databases = readDatabases(source);
  if (!databases.ok) return databases;
  if (databases.value !== undefined) options.databases = databases.value;
  const dns = readDnsUrl(source);
  if (!dns.ok) return dns;
  if (dns.value !== "") options.dnsUrl = dns.value;
  for (const name of ["mailRelayUrl", "webhookOrigin"] as const) {
    const address = readAddress(name, source);
    if (!address.ok) return address;
    if (address.value !== "") options[name] = address.value;
  }
  const shared = samePort(options);
  return shared === undefined ? ok(options) : fail(shared);
}

function readPort(
  name: PortName,
  source: { flags: LocalFlags; env: Record<string, string | undefined> },
): Result<number, string> {
  const { flag, variable } = LOCAL_SETTINGS[name];
  const given = source.flags[flag];
  const text = given ?? source.env[variable] ?? "";
  if (text === "" && given === undefined) return ok(LOCAL_DEFAULTS[name]);
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return ok(port);
  return fail(
    `${given === undefined ? variable : `--${flag}`}: '${text}' is not a port; give a number from 1 to 65535.`,
  );
}

/** @returns undefined where no number is given */
function readDatabases(source: {
  flags: LocalFlags;
  env: Record<string, string | undefined>;
}): Result<number | undefined, string> {
  const { flag, variable } = LOCAL_SETTINGS.databases;
  const text = source.flags[flag] || source.env[variable] || "";
  if (text === "") return ok(undefined);
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= D1_LIMITS.maxDatabases) return ok(count);
  return fail(`'${text}' is not a number of databases from 1 to ${D1_LIMITS.maxDatabases} (--${flag}, ${variable}).`);
}

/** @returns "" where none is given */
function readDnsUrl(source: { flags: LocalFlags; env: Record<string, string | undefined> }): Result<string, string> {
  const { flag, variable } = LOCAL_SETTINGS.dnsUrl;
  const text = source.flags[flag] || source.env[variable] || "";
  if (text === "" || /^https?:$/.test(URL.parse(text)?.protocol ?? "")) return ok(text);
  return fail(
    `'${text}' is not the URL of a DNS server, such as https://cloudflare-dns.com/dns-query (--${flag}, ${variable}).`,
  );
}

/** What each address has to look like, with an example. */
const ADDRESS_FORMS = {
  mailRelayUrl: { protocols: /^smtps?:$/, example: "smtp://localhost:1025" },
  webhookOrigin: { protocols: /^https?:$/, example: "https://localhost:9443" },
};

/** @returns "" where none is given; of a webhook's URL its origin */
function readAddress(
  name: keyof typeof ADDRESS_FORMS,
  source: { flags: LocalFlags; env: Record<string, string | undefined> },
): Result<string, string> {
  const { flag, option, variable } = LOCAL_SETTINGS[name];
  const { protocols, example } = ADDRESS_FORMS[name];
  const text = source.flags[flag] || source.env[variable] || "";
  const url = URL.parse(text);
  if (text === "") return ok(text);
  if (url === null || !protocols.test(url.protocol)) {
    return fail(`'${text}' is not an address such as ${example} (--${option}, ${variable}).`);
  }
  return ok(name === "webhookOrigin" ? url.origin : text);
}

function samePort({ httpPort, smtpPort, sqlPort }: LocalOptions): string | undefined {
  if (new Set([httpPort, smtpPort, sqlPort]).size === 3) return undefined;
  return `The ports of --http (${httpPort}), --smtp (${smtpPort}) and --sql (${sqlPort}) must be different.`;
}
