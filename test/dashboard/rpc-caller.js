// Support: asks process by RPC what a test wants to be asked, as whom it says.
export default {
  async fetch(request, { PROCESS }) {
    const { name, input, caller } = await request.json();
    return Response.json(await PROCESS.call(name, input, caller));
  },
};
