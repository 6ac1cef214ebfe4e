/** `dmarc profile`: deployments by name, so that neither address nor token is typed again. */
import type { Command } from "commander";
import { CommandError } from "../command-error.ts";
import { accessFromEnvironment, readOrigin } from "../connection.ts";
import { findProfile, LOCAL_PROFILE, type Profile, profilesPath, readProfiles, writeProfiles } from "../profiles.ts";
import { printJson, printOut, renderTable } from "../terminal.ts";

interface AddOptions {
  url: string;
  token?: string;
  accessClientId?: string;
  accessClientSecret?: string;
  default?: true;
}

const EXAMPLES = `
Examples:
  DMARC_TOKEN=dmarc_... dmarc profile add production --url https://dmarc.example.com --default
  dmarc profile add customer --url https://dmarc.example.net --token dmarc_...
  dmarc --profile customer verdict                    one command against another deployment
  dmarc --profile local status                        the stack of this machine, whatever the default is
  dmarc profile list
  dmarc profile default local
  dmarc profile remove customer

Profiles are in dmarc/profiles.json of the user's configuration folder (~/.config, or XDG_CONFIG_HOME), which nobody else can
read. Without a default, commands talk to the stack of this machine.`;

/** Adds the command with its subcommands. */
export function addProfile(program: Command): void {
  const group = program.command("profile").description("Deployments by name, with their tokens");
  group.addHelpText("after", EXAMPLES);
  group
    .command("add")
    .description("Keep a deployment under a name, or change it")
    .argument("<name>", "its name")
    .requiredOption("--url <origin>", "address of the dashboard")
    .option("--token <secret>", "its token; DMARC_TOKEN is safer, since others on this machine can't see it")
    .option("--access-client-id <id>", "service token of Cloudflare Access (or DMARC_ACCESS_CLIENT_ID)")
    .option("--access-client-secret <secret>", "and its secret (or DMARC_ACCESS_CLIENT_SECRET)")
    .option("--default", "use it by default")
    .addHelpText("after", EXAMPLES)
    .action(addOne);
  group
    .command("list")
    .description("Names and addresses, without tokens")
    .option("--json", "one JSON document")
    .addHelpText("after", EXAMPLES)
    .action(list);
  group
    .command("default")
    .description("Use a profile by default")
    .argument("<name>", `its name, or ${LOCAL_PROFILE}`)
    .addHelpText("after", EXAMPLES)
    .action(setDefault);
  group
    .command("remove")
    .description("Forget a deployment and its token")
    .argument("<name>", "its name")
    .addHelpText("after", EXAMPLES)
    .action(remove);
}

function addOne(name: string, options: AddOptions): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name) || name === LOCAL_PROFILE) {
    throw new CommandError(
      `'${name}' can't be a profile's name: up to 64 letters, digits, '.', '_' or '-', not ${LOCAL_PROFILE}.`,
    );
  }
  const token = options.token ?? process.env.DMARC_TOKEN ?? "";
  if (!/^\S+$/.test(token)) throw new CommandError("A profile needs a token: set DMARC_TOKEN, or give --token.");
  const profile: Profile = { url: readOrigin(options.url), token, ...accessOf(options) };
  const path = profilesPath();
  const { default: kept, profiles } = readProfiles(path);
  const chosen = options.default ? name : kept;
  writeProfiles(path, { ...(chosen && { default: chosen }), profiles: { ...profiles, [name]: profile } });
  printOut(`${name} is kept in ${path}.`);
}

function accessOf({ accessClientId = "", accessClientSecret = "" }: AddOptions): Pick<Profile, "access"> {
  if (accessClientId === "" && accessClientSecret === "") return accessFromEnvironment();
  if (accessClientId !== "" && accessClientSecret !== "") {
    return { access: { clientId: accessClientId, clientSecret: accessClientSecret } };
  }
  throw new CommandError("--access-client-id and --access-client-secret belong together.");
}

function list({ json }: { json?: true }): void {
  const { default: chosen = LOCAL_PROFILE, profiles } = readProfiles(profilesPath());
  const rows = Object.entries(profiles).map(([name, { url, access }]) => ({
    name,
    url,
    hasServiceToken: access !== undefined,
    isDefault: name === chosen,
  }));
  if (json) {
    printJson(rows);
    return;
  }
  if (rows.length === 0) {
    printOut("There are no profiles; add one with `dmarc profile add`.");
    return;
  }
  const cells = rows.map(({ name, url, hasServiceToken, isDefault }) => [
    name,
    url,
    hasServiceToken ? "yes" : "no",
    isDefault ? "yes" : "",
  ]);
  printOut(renderTable(["name", "url", "service token", "default"], cells));
}

function setDefault(name: string): void {
  const path = profilesPath();
  const { profiles } = readProfiles(path);
  if (name !== LOCAL_PROFILE) findProfile(path, name);
  writeProfiles(path, name === LOCAL_PROFILE ? { profiles } : { default: name, profiles });
  printOut(name === LOCAL_PROFILE ? "Commands talk to the stack of this machine." : `Commands talk to ${name}.`);
}

function remove(name: string): void {
  const path = profilesPath();
  findProfile(path, name);
  const { default: chosen, profiles } = readProfiles(path);
  const { [name]: _, ...others } = profiles;
  writeProfiles(path, { ...(chosen !== undefined && chosen !== name && { default: chosen }), profiles: others });
  printOut(`${name} is forgotten; its token still works until it is revoked.`);
}
