// Support: writes points `from` to `from + count - 1`, all at once, and answers with what became of each.
export default {
  async fetch(request, env) {
    const { from, count } = await request.json();
    const calls = Array.from({ length: count }, (_, i) => env.DATASET.writeDataPoint({ indexes: [String(from + i)] }));
    const results = await Promise.allSettled(calls);
    return Response.json(results.map(({ status, reason }) => (status === "fulfilled" ? "stored" : String(reason))));
  },
};
