/**
 * Support: stands in for Cloudflare's API over HTTP, for `npm run deploy`, its client and wrangler: it keeps what is made, runs
 * what is uploaded in workerd, and refuses what the API refuses. Paths, envelope and fields are those of Cloudflare's OpenAPI
 * document (cloudflare/api-schemas) and of its SDK (cloudflare-typescript); numbers of errors are those that people met.
 */
import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { buffer } from "node:stream/consumers";
import { unstable_splitSqlQuery as splitSqlQuery } from "wrangler";
import { type Binding, type Consumer, type Script, UploadedWorkers } from "./cloudflare-workers.ts";
import { listenLocally } from "./ports.ts";

/** What a token may do; `Edit` includes `Read`. */
export type Permission =
  | "D1"
  | "KV"
  | "R2"
  | "Queues"
  | "Scripts"
  | "Zone"
  | "Routing"
  | "Billing"
  | "Access"
  | "Account";

export interface StandInOptions {
  plan?: "free" | "paid";
  /** What the account's token may not do. */
  without?: Permission[];
  r2Enabled?: boolean;
  analyticsEnabled?: boolean;
  /** undefined: none chosen yet. */
  subdomain?: string | undefined;
  accessEnabled?: boolean;
  zones?: string[];
  routingEnabled?: boolean;
}

interface Rule {
  id?: string;
  name?: string;
  enabled?: boolean;
  matchers: { type: string; field?: string; value?: string }[];
  actions: { type: string; value?: string[] }[];
}

interface Zone {
  id: string;
  name: string;
  routing: { enabled: boolean; support_subaddress: boolean };
  /** Hosts below it without MX records of Email Routing. */
  unrouted: Set<string>;
  rules: Rule[];
  catchAll: Rule;
}

interface Queue {
  id: string;
  name: string;
  retentionSeconds: number;
  consumers: (Consumer & { id: string })[];
}

interface Bucket {
  name: string;
  rules: unknown[];
  keys: Set<string>;
}

/** An answer: the envelope's result, or an error with its number. */
type Answer = { result: unknown; info?: unknown } | { status: number; code?: number; message: string };

interface Asked {
  /** What is in the path's places. */
  at: string[];
  query: URLSearchParams;
  json: Record<string, unknown>;
  bytes: Buffer;
  contentType: string;
}

interface Route {
  method: string;
  path: RegExp;
  permission: Permission;
  answer(asked: Asked): Answer | Promise<Answer>;
}

const NAME = /^[a-z0-9][a-z0-9-]{1,62}$/;
const DEFAULT_RETENTION_SECONDS = { free: 86_400, paid: 345_600 };
const MAX_RULES = 200;

export class CloudflareStandIn {
  readonly accountId = createHash("md5").update("account").digest("hex");
  readonly token = "a-token-of-the-account-0123456789";
  readonly databases = new Map<string, string>();
  readonly namespaces = new Map<string, string>();
  readonly buckets = new Map<string, Bucket>();
  readonly queues = new Map<string, Queue>();
  readonly scripts = new Map<string, Script & { crons: string[] }>();
  readonly zones: Zone[];
  /** `METHOD /path` of every request, in order, the path without the account. */
  readonly asked: string[] = [];
  /** Answers in place of the next requests; undefined = as usual. */
  fault:
    | ((request: string) => { status: number; code: number; message: string; retryAfter?: number } | undefined)
    | undefined;
  readonly options: Required<Omit<StandInOptions, "subdomain">> & { subdomain: string | undefined };
  readonly #workers: UploadedWorkers;
  readonly #routes: Route[];
  #server: Server | undefined;

  constructor(options: StandInOptions = {}) {
    this.options = {
      plan: "paid",
      without: [],
      r2Enabled: true,
      analyticsEnabled: true,
      subdomain: "acme",
      accessEnabled: false,
      zones: ["example.com"],
      routingEnabled: true,
      ...options,
    };
    this.zones = this.options.zones.map((name) => ({
      id: createHash("md5").update(name).digest("hex"),
      name,
      routing: { enabled: this.options.routingEnabled, support_subaddress: false },
      unrouted: new Set(),
      rules: [],
      catchAll: { enabled: false, name: "", matchers: [{ type: "all" }], actions: [{ type: "drop" }] },
    }));
    this.#workers = new UploadedWorkers(() => ({
      scripts: [...this.scripts.values()],
      consumers: [...this.queues.values()].flatMap(({ consumers }) => consumers),
      databases: [...this.databases.values()],
      buckets: [...this.buckets.keys()],
      queues: [...this.queues.keys()],
    }));
    this.#routes = [
      ...this.#accountRoutes(),
      ...this.#storeRoutes(),
      ...this.#bucketRoutes(),
      ...this.#queueRoutes(),
      ...this.#scriptRoutes(),
      ...this.#zoneRoutes(),
    ];
  }

  /** @returns the base URL of the API */
  async listen(): Promise<string> {
    const server = createServer((request, response) => {
      this.#serve(request)
        .catch((error): Reply => ({ status: 500, body: failure(undefined, String(error)), retryAfter: undefined }))
        .then(({ status, body, retryAfter }) => {
          if (retryAfter !== undefined) response.setHeader("retry-after", String(retryAfter));
          response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
        });
    });
    this.#server = server;
    const port = await listenLocally(server);
    return `http://127.0.0.1:${port}/client/v4`;
  }

  /** What a Worker on workers.dev answers; before it is uploaded, what Cloudflare answers. */
  async fetchWorker(url: string, init: RequestInit): Promise<Response> {
    const [name = "", subdomain] = new URL(url).hostname.split(".");
    if (subdomain !== this.options.subdomain || !this.scripts.has(name))
      return new Response("error code: 1042", { status: 404 });
    return this.#workers.fetch(name, url, init);
  }

  /** What the uploaded Workers logged. */
  workerLogs(): string[] {
    return this.#workers.logs();
  }

  async close(): Promise<void> {
    await new Promise((resolve) => (this.#server === undefined ? resolve(undefined) : this.#server.close(resolve)));
    await this.#workers.close();
  }

  async #serve(request: IncomingMessage): Promise<Reply> {
    const url = new URL(request.url ?? "", "http://stand-in");
    const path = url.pathname.replace(/^\/client\/v4/, "");
    const name = `${request.method} ${path.replace(`/accounts/${this.accountId}`, "")}`;
    this.asked.push(name);
    const bytes = await buffer(request);
    const fault = this.fault?.(name);
    if (fault !== undefined) return { ...fault, body: failure(fault.code, fault.message) };
    if (request.headers.authorization !== `Bearer ${this.token}`) return refused(403, 9109, "Invalid access token");
    for (const { method, path: pattern, permission, answer } of this.#routes) {
      const match = pattern.exec(path);
      if (match === null || method !== request.method) continue;
      if (this.options.without.includes(permission)) return refused(403, 10000, "Authentication error");
      const contentType = request.headers["content-type"] ?? "";
      // wrangler leaves the type out here and there, and the API reads JSON all the same.
      const isJson =
        bytes.length > 0 && !/multipart|octet-stream/.test(contentType) && /^[[{]/.test(bytes.toString("utf8", 0, 1));
      const json = isJson ? JSON.parse(bytes.toString()) : {};
      const at = match.slice(1).map(decodeURIComponent);
      const answered = await answer({ at, query: url.searchParams, json, bytes, contentType });
      if ("status" in answered) return refused(answered.status, answered.code, answered.message);
      const { result, info = null } = answered;
      return {
        status: 200,
        body: { success: true, errors: [], messages: [], result, result_info: info },
        retryAfter: undefined,
      };
    }
    return refused(404, 7003, `Could not route to ${path}, perhaps your object identifier is invalid?`);
  }

  #account(path: string): RegExp {
    return new RegExp(`^/accounts/${this.accountId}${path}$`);
  }

  #accountRoutes(): Route[] {
    const { options, accountId } = this;
    const account = { id: accountId, name: "Acme" };
    return [
      {
        method: "GET",
        path: /^\/accounts$/,
        permission: "Account",
        answer: ({ query }) => page([account], query),
      },
      {
        method: "GET",
        path: /^\/memberships$/,
        permission: "Account",
        answer: ({ query }) => page([{ id: "m", account }], query),
      },
      {
        method: "GET",
        path: this.#account("/subscriptions"),
        permission: "Billing",
        answer: () => ({ result: options.plan === "paid" ? [{ id: "s", rate_plan: { id: "workers_paid" } }] : [] }),
      },
      {
        method: "GET",
        path: this.#account("/access/organizations"),
        permission: "Access",
        answer: () =>
          options.accessEnabled
            ? { result: { auth_domain: "acme.cloudflareaccess.com", name: "Acme" } }
            : { status: 403, code: 9999, message: "access.api.error.not_enabled: Access is not enabled" },
      },
    ];
  }

  #storeRoutes(): Route[] {
    const { databases, namespaces } = this;
    return [
      {
        method: "GET",
        path: this.#account("/d1/database"),
        permission: "D1",
        answer: ({ query }) =>
          page(
            [...databases].map(([name, uuid]) => ({ uuid, name, version: "production" })),
            query,
          ),
      },
      {
        method: "POST",
        path: this.#account("/d1/database"),
        permission: "D1",
        answer: ({ json }) => {
          const name = String(json.name);
          if (!NAME.test(name)) return { status: 400, code: 7400, message: "Invalid database name" };
          if (databases.has(name))
            return { status: 400, code: 7502, message: "A database with that name already exists" };
          const uuid = randomUUID();
          databases.set(name, uuid);
          this.#workers.changed();
          return { result: { uuid, name, version: "production" } };
        },
      },
      {
        method: "DELETE",
        path: this.#account("/d1/database/([0-9a-f-]{36})"),
        permission: "D1",
        answer: ({ at: [id] }) => {
          const found = [...databases].find(([, uuid]) => uuid === id);
          if (found === undefined) return { status: 404, code: 7404, message: "The database was not found" };
          databases.delete(found[0]);
          this.#workers.changed();
          return { result: null };
        },
      },
      {
        method: "POST",
        path: this.#account("/d1/database/([0-9a-f-]{36})/query"),
        permission: "D1",
        answer: ({ at: [id = ""], json }) => this.#query(id, json),
      },
      {
        method: "GET",
        path: this.#account("/storage/kv/namespaces"),
        permission: "KV",
        answer: ({ query }) =>
          page(
            [...namespaces].map(([title, id]) => ({ id, title, supports_url_encoding: true })),
            query,
          ),
      },
      {
        method: "POST",
        path: this.#account("/storage/kv/namespaces"),
        permission: "KV",
        answer: ({ json }) => {
          const title = String(json.title);
          if (namespaces.has(title)) {
            return { status: 400, code: 10014, message: "a namespace with this account ID and title already exists" };
          }
          const id = randomUUID().replaceAll("-", "");
          namespaces.set(title, id);
          return { result: { id, title, supports_url_encoding: true } };
        },
      },
      {
        method: "DELETE",
        path: this.#account("/storage/kv/namespaces/([0-9a-f]{32})"),
        permission: "KV",
        answer: ({ at: [id] }) => {
          const found = [...namespaces].find(([, one]) => one === id);
          if (found === undefined) return { status: 404, code: 10013, message: "namespace not found" };
          namespaces.delete(found[0]);
          return { result: {} };
        },
      },
    ];
  }

  #query(id: string, { sql, params = [] }: Record<string, unknown>): Answer {
    if (![...this.databases.values()].includes(id)) {
      return { status: 404, code: 7404, message: "The database was not found" };
    }
    try {
      const results = this.#workers.query(id, splitSqlQuery(String(sql)), params as string[]);
      return { result: results.map((rows) => ({ results: rows, meta: { duration: 0 }, success: true })) };
    } catch (error) {
      return { status: 400, code: 7500, message: String(error) };
    }
  }

  #bucketRoutes(): Route[] {
    const { buckets, options } = this;
    const route = (
      method: string,
      path: string,
      answer: (bucket: Bucket, asked: Asked) => Answer | Promise<Answer>,
    ): Route => ({
      method,
      path: this.#account(`/r2/buckets/([^/]+)${path}`),
      permission: "R2",
      answer: (asked) => {
        const bucket = buckets.get(asked.at[0] ?? "");
        if (bucket === undefined) return { status: 404, code: 10006, message: "The specified bucket does not exist." };
        return answer(bucket, asked);
      },
    });
    const notEnabled = { status: 403, code: 10042, message: "Please enable R2 through the Cloudflare Dashboard." };
    return [
      {
        method: "GET",
        path: this.#account("/r2/buckets"),
        permission: "R2",
        answer: ({ query }) => {
          if (!options.r2Enabled) return notEnabled;
          const names = [...buckets.keys()].filter((name) => name > (query.get("cursor") ?? "")).sort();
          const shown = names.slice(0, Number(query.get("per_page") ?? 20));
          const cursor = shown.length < names.length ? shown.at(-1) : undefined;
          return { result: { buckets: shown.map((name) => ({ name })) }, info: { cursor, per_page: 20 } };
        },
      },
      {
        method: "POST",
        path: this.#account("/r2/buckets"),
        permission: "R2",
        answer: ({ json }) => {
          const name = String(json.name);
          if (!options.r2Enabled) return notEnabled;
          if (!NAME.test(name)) return { status: 400, code: 10005, message: "The specified bucket name is not valid." };
          if (buckets.has(name)) {
            return {
              status: 409,
              code: 10004,
              message: "The bucket you tried to create already exists, and you own it.",
            };
          }
          buckets.set(name, { name, rules: [], keys: new Set() });
          this.#workers.changed();
          return { result: { name, location: "weur", storage_class: "Standard" } };
        },
      },
      route("GET", "", ({ name }) => ({ result: { name, location: "weur", storage_class: "Standard" } })),
      route("DELETE", "", (bucket) => {
        if (bucket.keys.size > 0) {
          return { status: 409, code: 10008, message: "The bucket you tried to delete is not empty." };
        }
        buckets.delete(bucket.name);
        this.#workers.changed();
        return { result: {} };
      }),
      route("GET", "/lifecycle", ({ rules }) => ({ result: { rules } })),
      route("PUT", "/lifecycle", (bucket, { json }) => {
        bucket.rules = json.rules as unknown[];
        return { result: {} };
      }),
      route("PUT", "/objects/(.+)", async (bucket, { at: [, key = ""], bytes }) => {
        await this.#workers.putObject(bucket.name, key, new Uint8Array(bytes));
        bucket.keys.add(key);
        return { result: { key } };
      }),
    ];
  }

  #queueRoutes(): Route[] {
    const { queues, options } = this;
    const shown = ({ id, name, retentionSeconds, consumers }: Queue) => ({
      queue_id: id,
      queue_name: name,
      settings: { delivery_delay: 0, delivery_paused: false, message_retention_period: retentionSeconds },
      producers: [],
      producers_total_count: 0,
      consumers: consumers.map(consumerShown),
      consumers_total_count: consumers.length,
    });
    const route = (
      method: string,
      path: string,
      answer: (queue: Queue, asked: Asked) => Answer | Promise<Answer>,
    ): Route => ({
      method,
      path: this.#account(`/queues/([^/]+)${path}`),
      permission: "Queues",
      answer: (asked) => {
        const queue = [...queues.values()].find(({ id }) => id === asked.at[0]);
        return queue === undefined
          ? { status: 404, code: 11000, message: "Queue does not exist" }
          : answer(queue, asked);
      },
    });
    return [
      {
        method: "GET",
        path: this.#account("/queues"),
        permission: "Queues",
        answer: ({ query }) => {
          const name = query.get("name");
          return page([...queues.values()].filter((queue) => name === null || queue.name === name).map(shown), query);
        },
      },
      {
        method: "POST",
        path: this.#account("/queues"),
        permission: "Queues",
        answer: ({ json }) => {
          const name = String(json.queue_name);
          if (!NAME.test(name)) return { status: 400, code: 11003, message: "Queue name is invalid" };
          if (queues.has(name)) {
            const message = `Queue name '${name}' is already taken. Please use a different name and try again.`;
            return { status: 409, code: 11009, message };
          }
          const retentionSeconds = DEFAULT_RETENTION_SECONDS[options.plan];
          queues.set(name, { id: randomUUID().replaceAll("-", ""), name, retentionSeconds, consumers: [] });
          this.#workers.changed();
          return { result: shown(queues.get(name) as Queue) };
        },
      },
      route("PATCH", "", (queue, { json }) => {
        const { message_retention_period: seconds = queue.retentionSeconds } = (json.settings ?? {}) as {
          message_retention_period?: number;
        };
        // The number is in no document; that the free plan has 24 hours and no others is.
        if (options.plan === "free" && seconds !== DEFAULT_RETENTION_SECONDS.free) {
          return { status: 400, message: "Message retention cannot be configured on the Free plan" };
        }
        if (seconds < 60 || seconds > 1_209_600)
          return { status: 400, message: "message_retention_period is out of range" };
        queue.retentionSeconds = seconds;
        return { result: shown(queue) };
      }),
      route("DELETE", "", (queue) => {
        queues.delete(queue.name);
        this.#workers.changed();
        return { result: null };
      }),
      route("POST", "/messages", async (queue, { json }) => {
        if (json.content_type !== "json") return { status: 400, message: "content_type has to be json or text" };
        await this.#workers.send(queue.name, json.body);
        return { result: null };
      }),
      route("GET", "/consumers", (queue) => ({ result: queue.consumers.map(consumerShown) })),
      route("POST", "/consumers", (queue, { json }) => {
        // One consumer a queue (Queues limits page).
        if (queue.consumers.length > 0) return { status: 409, code: 11004, message: "Queue already has a consumer" };
        queue.consumers.push({ id: randomUUID().replaceAll("-", ""), ...consumerOf(queue.name, json) });
        this.#workers.changed();
        return { result: queue.consumers.map(consumerShown)[0] };
      }),
      route("PUT", "/consumers/([^/]+)", (queue, { at: [, id], json }) => {
        const i = queue.consumers.findIndex((one) => one.id === id);
        if (i < 0) return { status: 404, code: 11001, message: "Consumer does not exist" };
        queue.consumers[i] = { id: id ?? "", ...consumerOf(queue.name, json) };
        this.#workers.changed();
        return { result: queue.consumers.map(consumerShown)[i] };
      }),
    ];
  }

  #scriptRoutes(): Route[] {
    const { scripts, options } = this;
    const notFound = { status: 404, code: 10007, message: "workers.api.error.script_not_found" };
    const route = (
      method: string,
      path: string,
      answer: (script: Script & { crons: string[] }, asked: Asked) => Answer,
    ): Route => ({
      method,
      path: this.#account(path),
      permission: "Scripts",
      answer: (asked) => {
        const script = scripts.get(asked.at[0] ?? "");
        return script === undefined ? notFound : answer(script, asked);
      },
    });
    return [
      {
        method: "GET",
        path: this.#account("/workers/subdomain"),
        permission: "Scripts",
        answer: () =>
          options.subdomain === undefined
            ? { status: 404, code: 10007, message: "workers.api.error.not_found" }
            : { result: { subdomain: options.subdomain } },
      },
      {
        method: "GET",
        path: this.#account("/workers/scripts"),
        permission: "Scripts",
        answer: () => ({ result: [...scripts.keys()].map((id) => ({ id })) }),
      },
      {
        method: "PUT",
        path: this.#account("/workers/scripts/([^/]+)"),
        permission: "Scripts",
        answer: ({ at: [name = ""], bytes, contentType }) => this.#upload(name, bytes, contentType),
      },
      {
        method: "POST",
        path: this.#account("/workers/scripts/([^/]+)/versions"),
        permission: "Scripts",
        answer: async ({ at: [name = ""], bytes, contentType }) => {
          const answer = await this.#upload(name, bytes, contentType);
          return "status" in answer
            ? answer
            : {
                result: {
                  id: randomUUID(),
                  startup_time_ms: 1,
                  metadata: { has_preview: false },
                  resources: { script: { etag: name }, script_runtime: {} },
                },
              };
        },
      },
      route("GET", "/workers/services/([^/]+)", ({ name }) => ({
        result: {
          id: name,
          default_environment: {
            environment: "production",
            script: { id: name, tag: name, tags: [], last_deployed_from: "wrangler" },
          },
        },
      })),
      route("DELETE", "/workers/scripts/([^/]+)", ({ name }) => {
        scripts.delete(name);
        for (const queue of this.queues.values())
          queue.consumers = queue.consumers.filter(({ script }) => script !== name);
        this.#workers.changed();
        return { result: null };
      }),
      route("GET", "/workers/scripts/([^/]+)/secrets", ({ secrets }) => ({
        result: Object.keys(secrets).map((name) => ({ name, type: "secret_text" })),
      })),
      route("PUT", "/workers/scripts/([^/]+)/secrets", (script, { json }) => {
        script.secrets[String(json.name)] = String(json.text);
        this.#workers.changed();
        return { result: { name: json.name, type: "secret_text" } };
      }),
      route("GET", "/workers/workers/([^/]+)", ({ name }) => ({
        result: { id: name, name, subdomain: { enabled: false, previews_enabled: false } },
      })),
      route("GET", "/workers/scripts/([^/]+)/settings", ({ bindings }) => ({ result: { bindings } })),
      route("GET", "/workers/scripts/([^/]+)/deployments", () => ({ result: { deployments: [] } })),
      route("POST", "/workers/scripts/([^/]+)/deployments", () => ({ result: { id: randomUUID() } })),
      route("PATCH", "/workers/scripts/([^/]+)/script-settings", () => ({ result: {} })),
      route("GET", "/workers/scripts/([^/]+)/subdomain", () => ({
        result: { enabled: false, previews_enabled: false },
      })),
      route("POST", "/workers/scripts/([^/]+)/subdomain", (_, { json }) => ({ result: json })),
      route("GET", "/workers/scripts/([^/]+)/schedules", ({ crons }) => ({
        result: { schedules: crons.map((cron) => ({ cron })) },
      })),
      route("PUT", "/workers/scripts/([^/]+)/schedules", (script, { json }) => {
        script.crons = (json as unknown as { cron: string }[]).map(({ cron }) => cron);
        // The free plan has five triggers an account (Workers limits page).
        if (options.plan === "free" && script.crons.length > 5)
          return { status: 400, message: "Too many cron triggers" };
        return { result: { schedules: json } };
      }),
    ];
  }

  /** Checks an upload as the API does, and takes it. */
  async #upload(name: string, bytes: Buffer, contentType: string): Promise<Answer> {
    const form = await new Response(new Uint8Array(bytes), { headers: { "content-type": contentType } }).formData();
    const sent = form.get("metadata");
    const metadata = JSON.parse(typeof sent === "string" ? sent : ((await sent?.text()) ?? "{}")) as UploadMetadata;
    const { limits } = metadata;
    const before = this.scripts.get(name);
    // Bindings that an upload leaves as they are.
    const bindings = (metadata.bindings ?? []).flatMap((binding) =>
      binding.type === "inherit" ? (before?.bindings ?? []).filter((one) => one.name === binding.name) : [binding],
    );
    if (limits?.cpu_ms !== undefined && this.options.plan === "free") {
      return { status: 400, code: 100328, message: "CPU limits are not supported for the Free plan." };
    }
    for (const binding of bindings) {
      const refusal = this.#refuseBinding(name, binding);
      if (refusal !== undefined) return refusal;
    }
    const modules: Script["modules"] = [];
    for (const [part, file] of form) {
      if (typeof file === "string" || part === "metadata") continue;
      modules.push({ name: part, type: file.type, content: new Uint8Array(await file.arrayBuffer()) });
    }
    this.scripts.set(name, {
      name,
      mainModule: metadata.main_module,
      modules: modules.filter(({ type }) => type !== "application/source-map"),
      bindings,
      compatibilityDate: metadata.compatibility_date,
      compatibilityFlags: metadata.compatibility_flags ?? [],
      // Secrets outlive an upload.
      secrets: before?.secrets ?? {},
      crons: before?.crons ?? [],
    });
    this.#workers.changed();
    return { result: { id: name, startup_time_ms: 1, deployment_id: randomUUID() } };
  }

  #refuseBinding(script: string, { type, name, id, ...binding }: Binding): Answer | undefined {
    const isIn = (all: Iterable<string>, one: string | undefined): boolean =>
      one !== undefined && [...all].includes(one);
    switch (type) {
      case "analytics_engine":
        if (this.options.analyticsEnabled) return undefined;
        return {
          status: 403,
          code: 10089,
          message: `You need to enable Analytics Engine. Head to the Cloudflare Dashboard to enable: https://dash.cloudflare.com/${this.accountId}/workers/analytics-engine`,
        };
      case "d1":
        if (isIn(this.databases.values(), id)) return undefined;
        return { status: 400, code: 10021, message: `binding ${name} of type d1 must have a valid \`id\` specified` };
      case "kv_namespace":
        if (isIn(this.namespaces.values(), binding.namespace_id)) return undefined;
        return { status: 400, code: 10041, message: `KV namespace '${binding.namespace_id}' not found.` };
      case "r2_bucket":
        if (isIn(this.buckets.keys(), binding.bucket_name)) return undefined;
        return { status: 400, code: 10085, message: `R2 bucket '${binding.bucket_name}' not found.` };
      case "queue":
        if (isIn(this.queues.keys(), binding.queue_name)) return undefined;
        return { status: 400, code: 11000, message: `Queue '${binding.queue_name}' does not exist.` };
      case "service":
        if (binding.service === script || isIn(this.scripts.keys(), binding.service)) return undefined;
        return {
          status: 400,
          code: 10143,
          message: `Could not resolve service binding '${name}'. Target script '${binding.service}' not found.`,
        };
      default:
        return undefined;
    }
  }

  #zoneRoutes(): Route[] {
    const route = (method: string, path: string, answer: (zone: Zone, asked: Asked) => Answer): Route => ({
      method,
      path: new RegExp(`^/zones/([0-9a-f]{32})/email/routing${path}$`),
      permission: "Routing",
      answer: (asked) => {
        const zone = this.zones.find(({ id }) => id === asked.at[0]);
        return zone === undefined
          ? { status: 404, code: 7003, message: "Could not route to the zone" }
          : answer(zone, asked);
      },
    });
    const settings = ({ id, name, routing }: Zone) => ({
      id,
      name,
      ...routing,
      status: routing.enabled ? "ready" : "unconfigured",
    });
    const checked = (zone: Zone, json: Record<string, unknown>, id?: string): Rule | Answer => {
      const rule = json as unknown as Rule;
      const worker = rule.actions.find(({ type }) => type === "worker")?.value?.[0];
      if (worker !== undefined && !this.scripts.has(worker)) {
        return { status: 404, message: "Workers Script Info not found" };
      }
      const value = rule.matchers.find(({ type }) => type === "literal")?.value;
      const isTaken = zone.rules.some(
        (one) => one.id !== id && one.matchers.some((matcher) => matcher.value === value),
      );
      return value !== undefined && isTaken ? { status: 409, message: "Invalid rule operation" } : rule;
    };
    return [
      {
        method: "GET",
        path: /^\/zones$/,
        permission: "Zone",
        answer: ({ query }) =>
          page(
            this.zones.filter(({ name }) => name === query.get("name")).map(({ id, name }) => ({ id, name })),
            query,
          ),
      },
      route("GET", "", (zone) => ({ result: settings(zone) })),
      route("PATCH", "", (zone, { json }) => {
        zone.routing.support_subaddress = json.support_subaddress === true;
        return { result: settings(zone) };
      }),
      route("POST", "/enable", (zone) => {
        zone.routing.enabled = true;
        return { result: settings(zone) };
      }),
      route("GET", "/dns", (zone, { query }) => {
        const host = query.get("subdomain") ?? zone.name;
        const records = [{ type: "MX", name: host, content: "route1.mx.cloudflare.net.", priority: 2, ttl: 1 }];
        const errors = records.map((missing) => ({ code: "mx.missing", missing }));
        return { result: zone.unrouted.has(host) ? { errors, records: null } : { errors: null, records } };
      }),
      route("POST", "/dns", (zone, { json }) => {
        if (json.name === undefined || json.name === zone.name) return { status: 400, message: "Invalid domain" };
        zone.unrouted.delete(String(json.name));
        zone.routing.enabled = true;
        return { result: settings(zone) };
      }),
      route("GET", "/rules", ({ rules, catchAll }, { query }) =>
        page([...rules, { ...catchAll, id: "catch_all" }], query),
      ),
      route("POST", "/rules", (zone, { json }) => {
        const rule = checked(zone, json);
        if (!("actions" in rule)) return rule;
        // There is one rule for all mail, and it is there from the beginning.
        if (rule.matchers.some(({ type }) => type === "all")) return { status: 409, message: "Invalid rule operation" };
        if (zone.rules.length >= MAX_RULES) return { status: 400, message: "The zone has as many rules as it may" };
        zone.rules.push({ ...rule, id: randomUUID().replaceAll("-", "") });
        return { result: zone.rules.at(-1) };
      }),
      route("GET", "/rules/catch_all", ({ catchAll }) => ({ result: catchAll })),
      route("PUT", "/rules/catch_all", (zone, { json }) => {
        const rule = checked(zone, json);
        if (!("actions" in rule)) return rule;
        zone.catchAll = rule;
        return { result: rule };
      }),
      route("PUT", "/rules/([0-9a-f]{32})", (zone, { at: [, id], json }) => {
        const i = zone.rules.findIndex((one) => one.id === id);
        const rule = checked(zone, json, id);
        if (!("actions" in rule)) return rule;
        if (i < 0) return { status: 404, message: "Rule not found" };
        zone.rules[i] = { ...rule, id: id ?? "" };
        return { result: zone.rules[i] };
      }),
      route("DELETE", "/rules/([0-9a-f]{32})", (zone, { at: [, id] }) => {
        zone.rules = zone.rules.filter((one) => one.id !== id);
        return { result: {} };
      }),
    ];
  }
}

interface UploadMetadata {
  main_module: string;
  bindings?: Binding[];
  compatibility_date: string;
  compatibility_flags?: string[];
  limits?: { cpu_ms?: number };
}

interface Reply {
  status: number;
  body: unknown;
  retryAfter?: number | undefined;
}

function failure(code: number | undefined, message: string): unknown {
  return { success: false, errors: [{ ...(code !== undefined && { code }), message }], messages: [], result: null };
}

function refused(status: number, code: number | undefined, message: string): Reply {
  return { status, body: failure(code, message) };
}

/** A page of a listing, with what the API says of all of it. */
function page(items: unknown[], query: URLSearchParams): Answer {
  const number = Number(query.get("page") ?? 1);
  const perPage = Number(query.get("per_page") ?? 20);
  const result = items.slice((number - 1) * perPage, number * perPage);
  const total_pages = Math.ceil(items.length / perPage);
  return {
    result,
    info: { page: number, per_page: perPage, count: result.length, total_count: items.length, total_pages },
  };
}

function consumerOf(queue: string, json: Record<string, unknown>): Consumer {
  const {
    script_name: script,
    dead_letter_queue: deadLetterQueue,
    settings,
  } = json as {
    script_name: string;
    dead_letter_queue?: string;
    settings?: { batch_size?: number };
  };
  return { queue, script, deadLetterQueue, batchSize: settings?.batch_size ?? 10 };
}

function consumerShown({ id, script, deadLetterQueue, batchSize }: Consumer & { id: string }): unknown {
  return {
    consumer_id: id,
    type: "worker",
    script,
    script_name: script,
    dead_letter_queue: deadLetterQueue,
    settings: { batch_size: batchSize },
  };
}
