// Support: writes points `from` to `from + count - 1`, all at once, and answers with what became of each; or, asked for it
// together, in one call.
export default {
  async fetch(request, env) {
    const { from, count, together } = await request.json();
    const points = Array.from({ length: count }, (_, i) => ({ indexes: [String(from + i)] }));
    if (together) return Response.json(await writeTogether(points, env.DATASET));
    const results = await Promise.allSettled(points.map((point) => env.DATASET.writeDataPoint(point)));
    return Response.json(results.map(({ status, reason }) => (status === "fulfilled" ? "stored" : String(reason))));
  },
};

// The second one is longer than an index may be.
async function writeTogether(points, dataset) {
  const given = points.map((point, i) => (i === 1 ? { indexes: ["x".repeat(97)] } : point));
  try {
    return (await dataset.writeDataPoints(given)).map((refusal) => refusal ?? "stored");
  } catch (error) {
    return given.map(() => String(error));
  }
}
