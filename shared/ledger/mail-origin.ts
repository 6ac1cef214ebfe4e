/** Where a raw object came from, as dead letters and conflicts keep it: the mail's own account of itself, and the file. */
import * as v from "valibot";

/** The mail, as its envelope sender and its header say; it may be forged. */
export const mailOrigin = v.object({
  sender: v.string(),
  from: v.string(),
  subject: v.string(),
  messageId: v.string(),
});

/** The file, as the mail names and declares it; `format`: its type according to its first bytes. */
export const reportFile = v.object({
  name: v.string(),
  mimeType: v.string(),
  format: v.optional(v.string()),
  sizeBytes: v.optional(v.number()),
});
