/**
 * Where the link in a mail leads that asks whether its address may be sent notices. For anybody who has the link: its
 * address need not belong to a person with access, and nothing is shown. Opening it changes nothing, since mail scanners
 * open links.
 */
import { Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import * as v from "valibot";
import type { Authority } from "../../../shared/people.ts";
import { type ApiContext, callProcess, unwrap } from "../api/call.ts";
import { ApiError } from "../errors.ts";
import { renderPage } from "../parts/layout.tsx";

/** Ours: the fields of the link, and nothing else. */
const MAX_FORM_BYTES = 4096;

const linkParameters = v.object({
  account: v.pipe(v.string(), v.maxLength(64)),
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  until: v.pipe(v.string(), v.regex(/^\d{1,12}$/)),
  signature: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});

/**
 * Reads the form before the request takes one of the places there are (../admission.ts): strangers may send it as slowly as they like.
 */
export const readConfirmation: MiddlewareHandler<ApiContext>[] = [
  bodyLimit({ maxSize: MAX_FORM_BYTES, onError: invalid }),
  async (c, next) => {
    await c.req.text();
    await next();
  },
];

/** The routes below `/confirm`. */
export function buildConfirm(): Hono<ApiContext> {
  const confirm = new Hono<ApiContext>();
  confirm.get("/", (c) => {
    const link = readLink(new URL(c.req.url).searchParams);
    return c.html(page("Send DMARC notices to your address?", <ConfirmForm link={link} />));
  });
  confirm.post("/", async (c) => {
    const { account, id, until, signature } = readLink(new URLSearchParams(await c.req.text()));
    const input = { account, id, untilSeconds: Number(until), signature };
    // Process checks the signature, which is all that the link gives access to.
    const authority: Authority = { isOperator: false, accounts: { [account]: "viewer" } };
    unwrap(await callProcess(c, "confirmChannelByLink", input, { name: "confirmation link", authority }));
    return c.html(page("Confirmed", <p>Notices and digests will be sent to your address from now on.</p>));
  });
  return confirm;
}

type Link = v.InferOutput<typeof linkParameters>;

function readLink(parameters: URLSearchParams): Link {
  const parsed = v.safeParse(linkParameters, Object.fromEntries(parameters));
  return parsed.success ? parsed.output : invalid();
}

function invalid(): never {
  throw new ApiError("not_found", "This link is not complete.");
}

function ConfirmForm({ link }: { link: Link }) {
  return (
    <form method="post" action="/confirm">
      {Object.entries(link).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <p>Somebody added the address that this link was sent to. If you did not expect it, close this page.</p>
      <button class="primary" type="submit">
        Confirm
      </button>
    </form>
  );
}

function page(title: string, body: ReturnType<typeof ConfirmForm>): string {
  const content = (
    <section class="card">
      <h1>{title}</h1>
      {body}
    </section>
  );
  return renderPage({ title, body: content }, undefined);
}
