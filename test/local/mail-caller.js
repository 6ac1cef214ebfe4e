// Support: sends a mail with a picture as bytes, and another with the same picture as base64.
export default {
  async fetch(request, env) {
    const { base64, mail } = await request.json();
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const picture = { disposition: "inline", contentId: "days@dmarc", filename: "days.png", type: "image/png" };
    const contents = [bytes.buffer, bytes, base64];
    const mails = contents.map((content) => ({ ...mail, attachments: [{ ...picture, content }] }));
    const results = await Promise.allSettled(mails.map((one) => env.SEND_EMAIL.send(one)));
    return Response.json(results.map(({ status, reason }) => (status === "fulfilled" ? "sent" : String(reason))));
  },
};
