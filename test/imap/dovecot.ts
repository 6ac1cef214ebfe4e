/** Support: Dovecot (dovecot-imapd of Debian and others) on a port of its own, with its mail in a temporary folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createConnection } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { freePort } from "../support/ports.ts";

export interface Dovecot {
  port: number;
  user: string;
  password: string;
  /** An access token that it takes: it asks whose it is, as for tokens of Google's and Microsoft's. */
  accessToken: string;
  stop(): Promise<void>;
}

/** Mail may not be root's. */
const NOBODY = 65_534;

/** @throws Error with its log where it does not start, or is not installed */
export async function startDovecot(): Promise<Dovecot> {
  const folder = await mkdtemp(join(tmpdir(), "dovecot-"));
  const { uid, username } = userInfo();
  const owner = uid === 0 ? NOBODY : uid;
  const home = join(folder, "home");
  await mkdir(home);
  if (uid === 0) await chown(home, NOBODY, NOBODY);
  await chmod(folder, 0o755);
  const port = await freePort();
  const issuer = await startIssuer();
  await writeFile(join(folder, "oauth2.conf"), oauth2Configuration((issuer.address() as AddressInfo).port));
  await writeFile(join(folder, "dovecot.conf"), configuration({ folder, port, owner, username, isRoot: uid === 0 }));
  const child = spawn("dovecot", ["-F", "-c", join(folder, "dovecot.conf")], { stdio: "ignore" });
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  failed.catch(() => undefined);
  try {
    await Promise.race([failed, vi.waitUntil(() => answers(port), { timeout: 120_000, interval: 100 })]);
  } catch (error) {
    const log = await readFile(join(folder, "log"), "utf8").catch(() => "");
    issuer.close();
    await end(child, folder);
    throw new Error(`Dovecot does not start (apt-get install dovecot-imapd): ${error}\n${log}`);
  }
  const stop = async (): Promise<void> => {
    issuer.close();
    await end(child, folder);
  };
  return { port, user: USER, password: "secret", accessToken: TOKEN, stop };
}

const USER = "reports@acme.example";
const TOKEN = "good-token";

/** Says whose a token is. */
async function startIssuer(): Promise<Server> {
  const server = createServer((request, response) => {
    const isGood = request.url === `/?access_token=${TOKEN}`;
    response.writeHead(isGood ? 200 : 401, { "content-type": "application/json" });
    response.end(JSON.stringify(isGood ? { email: USER, expires_in: 3600 } : { error: "invalid_token" }));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}

function oauth2Configuration(port: number): string {
  return `tokeninfo_url = http://127.0.0.1:${port}/?access_token=\nusername_attribute = email\n`;
}

interface Place {
  folder: string;
  port: number;
  owner: number;
  username: string;
  isRoot: boolean;
}

function configuration({ folder, port, owner, username, isRoot }: Place): string {
  const users = isRoot
    ? ""
    : `default_internal_user = ${username}\ndefault_login_user = ${username}\ndefault_internal_group = ${username}\n`;
  return `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
${users}first_valid_uid = 0
mail_location = maildir:~/Maildir
mail_home = ${folder}/home
auth_mechanisms = plain xoauth2 oauthbearer
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ${folder}/oauth2.conf
}
passdb {
  driver = static
  mechanisms = plain login
  args = password=secret
}
userdb {
  driver = static
  args = uid=${owner} gid=${owner} home=${folder}/home
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
`;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" });
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.pid !== undefined) {
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGTERM");
    await ended;
  }
  await rm(folder, { recursive: true, force: true });
}
