// The ingest Worker with an HTTP entry for bench/large-mail.ts: a body sent to it goes to email() as a mail that arrives.
import ingest from "../../workers/ingest/index.ts";

export default {
  async fetch(request, env, context) {
    const { searchParams } = new URL(request.url);
    let rejected = "";
    const message = {
      from: "noreply-dmarc@reporter.example",
      to: searchParams.get("to"),
      headers: new Headers({ "message-id": "<large@reporter.example>" }),
      raw: request.body,
      rawSize: Number(searchParams.get("rawSize")),
      setReject: (reason) => {
        rejected = reason;
      },
    };
    await ingest.email(message, env, context);
    return Response.json({ rejected });
  },
};
