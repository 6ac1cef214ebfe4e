// Support: a Worker that does nothing; the ledger is bound to it.
export default {
  fetch() {
    return new Response(null, { status: 404 });
  },
};
