/**
 * Stands in for an Analytics Engine dataset binding on one machine: a service binding with the same method. It enforces
 * the real limits and passes each point to the local engine. It never answers before the point can be queried.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { type CheckedPoint, checkPoint } from "./point.ts";
import { SharedWrites } from "./shared-writes.ts";

interface LocalBindings {
  LOCAL_ANALYTICS_URL: string;
  LOCAL_ANALYTICS_TOKEN: string;
}

interface DatasetProps {
  dataset: string;
}

/** One for each dataset, shared by all requests of this isolate. */
const writes = new Map<string, SharedWrites<CheckedPoint>>();

/** One dataset, named by the binding's `props`. */
export class Dataset extends WorkerEntrypoint<LocalBindings, DatasetProps> {
  /**
   * Writes one point. Unlike the real method it returns a promise, because it calls another Worker.
   *
   * @throws TypeError with the runtime's message when the point exceeds a limit; Error when the engine refuses it
   */
  async writeDataPoint(point?: unknown): Promise<void> {
    const checked = checkPoint(point);
    if (!checked.ok) throw new TypeError(checked.error);
    const { dataset } = this.ctx.props;
    const shared = writes.get(dataset) ?? new SharedWrites<CheckedPoint>();
    writes.set(dataset, shared);
    await shared.write(checked.value, (points) => this.#send(points));
  }

  /**
   * Writes many points as `writeDataPoint` writes one, in one call.
   *
   * @returns for each point the runtime's message when it exceeds a limit; undefined = stored
   * @throws Error when the engine refuses them: then none is stored
   */
  async writeDataPoints(points: unknown[]): Promise<(string | undefined)[]> {
    const checked = points.map(checkPoint);
    const valid = checked.flatMap((point) => (point.ok ? [point.value] : []));
    if (valid.length > 0) await this.#send(valid);
    return checked.map((point) => (point.ok ? undefined : point.error));
  }

  async #send(points: CheckedPoint[]): Promise<void> {
    const response = await fetch(`${this.env.LOCAL_ANALYTICS_URL}/local/points`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.env.LOCAL_ANALYTICS_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ dataset: this.ctx.props.dataset, points }),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`The local Analytics Engine answered ${response.status}: ${answer}`);
  }
}

/** Nothing is served over HTTP; a Worker still needs a default export. */
export default {
  fetch: () => new Response("Not found\n", { status: 404 }),
} satisfies ExportedHandler;
