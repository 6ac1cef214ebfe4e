// The process Worker with an HTTP entry for benchmarks: bodies sent to it go to queue() as the messages of a batch. Its answer
// says what became of them, and holds the points it wrote: an invocation writes 250 at most.
import process from "../../workers/process/index.ts";

export default {
  async fetch(request, env, context) {
    const { queue, bodies } = await request.json();
    const answers = bodies.map(() => "");
    const points = [];
    const dataset = (name) => ({
      writeDataPoint: (point) => {
        points.push({ dataset: name, ...point });
      },
    });
    const messages = bodies.map((body, place) => ({
      id: String(place),
      timestamp: new Date(),
      attempts: 1,
      body,
      ack: () => {
        answers[place] = "ack";
      },
      retry: () => {
        answers[place] = "retry";
      },
    }));
    const datasets = {
      DMARC_ANALYTICS: dataset("records"),
      DMARC_EVENTS: dataset("events"),
      DMARC_TLS: dataset("tls"),
      DMARC_FAILURES: dataset("failures"),
    };
    await process.queue({ queue, messages }, { ...env, ...datasets }, context);
    return Response.json({ answer: answers.find((one) => one !== "ack") ?? "ack", points });
  },
};
