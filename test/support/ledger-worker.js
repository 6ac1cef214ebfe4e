// Support: runs statements on a database of the ledger for a test, all of them in one transaction and one request.
export default {
  async fetch(request, env) {
    const { binding, statements } = await request.json();
    const database = env[binding];
    try {
      const answers = await database.batch(
        statements.map(({ sql, parameters }) => {
          const statement = database.prepare(sql);
          return parameters.length === 0 ? statement : statement.bind(...parameters);
        }),
      );
      return Response.json(answers.map(({ results, meta }) => ({ results, meta })));
    } catch (error) {
      return new Response(error.message, { status: 500 });
    }
  },
};
