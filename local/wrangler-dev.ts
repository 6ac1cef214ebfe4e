/**
 * wrangler's dev server as a separate process, started by `startWrangler`, never by hand. It calls wrangler's function, not its
 * command, because only the function has the options that are needed: no inspector, no part in the registry through which the
 * dev servers of a machine find each other, Workers chosen by their routes, and no watching of files.
 *
 * Its parent sends it one message, the settings (DevSettings), and gets one (DevMessage). When the process that started it
 * is gone, however that ended, the whole group (wrangler, esbuild, workerd) ends too.
 */
import { createRequire, flushCompileCache } from "node:module";
import type { DevMessage, DevSettings } from "./wrangler.ts";

type Wrangler = typeof import("wrangler");
type DevEnv = InstanceType<Wrangler["unstable_DevEnv"]>;

const settings = new Promise<DevSettings>((resolve) => process.once("message", resolve));
process.on("disconnect", () => process.kill(-process.pid, "SIGKILL"));
process.on("SIGTERM", stop);
// The terminal sends Ctrl-C to the whole group; the parent decides the order of stopping.
process.on("SIGINT", () => undefined);

const started: DevEnv[] = [];
/** Resolves with the port of workerd, which runs the Workers. */
const isServing = Promise.withResolvers<number>();
/** Resolves with the port of wrangler's proxy before them: another workerd, which holds requests back during a reload. */
const listening = Promise.withResolvers<number>();
const wrangler: Wrangler = createRequire(import.meta.url)("wrangler");

/** The class for one Worker of the dev server, with the settings its command has no options for. */
class ClosedDevEnv extends wrangler.unstable_DevEnv {
  constructor(...given: ConstructorParameters<Wrangler["unstable_DevEnv"]>) {
    super(...given);
    started.push(this);
    const set = this.config.set.bind(this.config);
    this.config.set = (input, ...rest) =>
      set({ ...input, dev: { ...input.dev, inspector: false, routeRequestsByRoutes: true, watch } }, ...rest);
    this.once("reloadComplete", ({ proxyData }) => isServing.resolve(Number(proxyData.userWorkerUrl.port)));
    // Only the first start fails because of them: later, wrangler continues with what it had.
    for (const event of ["buildFailed", "error"]) this.once(event, (fault: unknown) => isServing.reject(fault));
  }
}

async function stop(): Promise<void> {
  await Promise.allSettled(started.map((devEnv) => devEnv.teardown()));
  process.exit(0);
}

function send(message: DevMessage): void {
  if (process.connected) process.send?.(message);
}

const { configs, port, persistTo, watch } = await settings;
Reflect.set(wrangler, "unstable_DevEnv", ClosedDevEnv);
const options = {
  config: configs,
  ip: "127.0.0.1",
  port,
  persistTo,
  disableDevRegistry: true,
  inferOriginFromRoutes: false,
  showInteractiveDevSession: false,
  onReady: (_host: string, listensOn: number) => listening.resolve(listensOn),
};
try {
  // Its types know one configuration only; the command gives it several in the same way.
  const running = Reflect.apply(wrangler.runCfWranglerDev, undefined, [options]);
  const workerdPort = await Promise.race([isServing.promise, running.then(() => isServing.promise)]);
  const proxyPort = await listening.promise;
  // Without reloads the proxy does nothing but pass on, at a tenth of the processor time that a mail takes.
  send({ port: watch ? proxyPort : workerdPort });
  flushCompileCache();
} catch (fault) {
  const { failureText } = await import("./dev-failure.ts");
  send({ failure: failureText(fault) });
}
