/** Support: Dovecot (dovecot-imapd of Debian and others) on a port of its own, with its mail in a temporary folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { freePort } from "../support/ports.ts";

export interface Dovecot {
  port: number;
  user: string;
  password: string;
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
  await writeFile(join(folder, "dovecot.conf"), configuration({ folder, port, owner, username, isRoot: uid === 0 }));
  const child = spawn("dovecot", ["-F", "-c", join(folder, "dovecot.conf")], { stdio: "ignore" });
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  failed.catch(() => undefined);
  try {
    await Promise.race([failed, vi.waitUntil(() => answers(port), { timeout: 20_000, interval: 100 })]);
  } catch (error) {
    const log = await readFile(join(folder, "log"), "utf8").catch(() => "");
    await end(child, folder);
    throw new Error(`Dovecot does not start (apt-get install dovecot-imapd): ${error}\n${log}`);
  }
  return { port, user: "reports@acme.example", password: "secret", stop: () => end(child, folder) };
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
passdb {
  driver = static
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
