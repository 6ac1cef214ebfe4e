// The process Worker with an HTTP entry for benchmarks: a body sent to it goes to queue() as the one message of a batch. Its answer
// says what became of the message, and holds the points it wrote: an invocation writes 250 at most.
import process from "../../workers/process/index.ts";

export default {
  async fetch(request, env, context) {
    const { queue, body } = await request.json();
    let answer = "";
    const points = [];
    const dataset = (name) => ({
      writeDataPoint: (point) => {
        points.push({ dataset: name, ...point });
      },
    });
    const message = {
      id: "1",
      timestamp: new Date(),
      attempts: 1,
      body,
      ack: () => {
        answer = "ack";
      },
      retry: () => {
        answer = "retry";
      },
    };
    const datasets = {
      DMARC_ANALYTICS: dataset("records"),
      DMARC_EVENTS: dataset("events"),
      DMARC_TLS: dataset("tls"),
      DMARC_FAILURES: dataset("failures"),
    };
    await process.queue({ queue, messages: [message] }, { ...env, ...datasets }, context);
    return Response.json({ answer, points });
  },
};
