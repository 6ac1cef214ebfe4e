// A Worker that makes the calls of bindings that process makes to take a report, and nothing else: what is left of the CPU is
// workerd's own, and that of its client of D1.
const CALLS = 3;

export default {
  async fetch(request, env) {
    await request.json();
    const { D1_DMARC_REPORTS: ledger } = env;
    for (let i = 0; i < CALLS; i++) await ledger.batch([ledger.prepare(`SELECT ${i}`).bind()]);
    return Response.json({ answer: "ack", points: [] });
  },
};
