/**
 * wrangler's dev server as a process of its own, started by `startWrangler`, never by hand. It is run by its function
 * rather than its command, because only so can it be told to open no inspector, to keep off the registry through which
 * the dev servers of a machine find each other, and to choose a Worker by its route.
 *
 * Argument: the settings as JSON (DevSettings). When the process that started it is gone, however that ended, the whole
 * group (wrangler, esbuild, workerd) ends too.
 */
import { createRequire } from "node:module";
import type { DevSettings } from "./wrangler.ts";

type Wrangler = typeof import("wrangler");
type DevEnv = InstanceType<Wrangler["unstable_DevEnv"]>;

const wrangler: Wrangler = createRequire(import.meta.url)("wrangler");
const started: DevEnv[] = [];

/** The class that stands for one Worker of the dev server, with the settings its command has no options for. */
class ClosedDevEnv extends wrangler.unstable_DevEnv {
  constructor(...given: ConstructorParameters<Wrangler["unstable_DevEnv"]>) {
    super(...given);
    started.push(this);
    const set = this.config.set.bind(this.config);
    this.config.set = (input, ...rest) =>
      set({ ...input, dev: { ...input.dev, inspector: false, routeRequestsByRoutes: true } }, ...rest);
  }
}

async function stop(): Promise<void> {
  await Promise.allSettled(started.map((devEnv) => devEnv.teardown()));
  process.exit(0);
}

process.on("disconnect", () => process.kill(-process.pid, "SIGKILL"));
process.on("SIGTERM", stop);
// The terminal sends Ctrl-C to the whole group; the parent decides the order of stopping.
process.on("SIGINT", () => undefined);

const { configs, port, persistTo }: DevSettings = JSON.parse(process.argv[2] ?? "");
Reflect.set(wrangler, "unstable_DevEnv", ClosedDevEnv);
const options = {
  config: configs,
  ip: "127.0.0.1",
  port,
  persistTo,
  disableDevRegistry: true,
  inferOriginFromRoutes: false,
  showInteractiveDevSession: false,
  enableIpc: true,
};
// Its types know one configuration only; the command gives it several in the same way.
await Reflect.apply(wrangler.runCfWranglerDev, undefined, [options]);
