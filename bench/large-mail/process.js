// The process Worker with a door for bench/large-mail.ts: a body sent to it goes to queue() as the one message of a batch.
import process from "../../workers/process/index.ts";

export default {
  async fetch(request, env, context) {
    const { queue, body } = await request.json();
    let answer = "";
    let records = 0;
    const written = {
      writeDataPoint: () => {
        records++;
      },
    };
    const dropped = { writeDataPoint: () => {} };
    const message = {
      ...{ id: "1", timestamp: new Date(), attempts: 1, body },
      ack: () => {
        answer = "ack";
      },
      retry: () => {
        answer = "retry";
      },
    };
    const datasets = { DMARC_ANALYTICS: written, DMARC_EVENTS: dropped, DMARC_TLS: dropped, DMARC_FAILURES: dropped };
    await process.queue({ queue, messages: [message] }, { ...env, ...datasets }, context);
    return Response.json({ answer, records });
  },
};
