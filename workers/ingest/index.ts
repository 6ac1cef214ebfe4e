/**
 * The Email Worker. Whatever it remembers between mails is made here, once for an isolate; handler.ts says what becomes of a mail.
 */
import { mailHandler } from "./handler.ts";
import { RecentAddresses } from "./recent-addresses.ts";
import { rehearse } from "./rehearsal.ts";

// Whatever goes wrong in it, mail is taken: the first one is only slower.
await rehearse().catch((error: unknown) => console.warn(`The rehearsal failed: ${error}`));

export default {
  email: mailHandler(new RecentAddresses()),

  fetch(): Response {
    return new Response("This Worker receives mail; it has no pages.\n", { status: 404 });
  },
} satisfies ExportedHandler<IngestBindings>;
