/**
 * The Email Worker. What it remembers between mails is created here, once per isolate; handler.ts handles each mail.
 */
import { mailHandler } from "./handler.ts";
import { RecentAddresses } from "./recent-addresses.ts";
import { rehearse } from "./rehearsal.ts";

// If it fails, mail is still accepted; only the first one is slower.
await rehearse().catch((error: unknown) => console.warn(`The rehearsal failed: ${error}`));

export default {
  email: mailHandler(new RecentAddresses()),

  fetch(): Response {
    return new Response("This Worker receives mail; it has no pages.\n", { status: 404 });
  },
} satisfies ExportedHandler<IngestBindings>;
