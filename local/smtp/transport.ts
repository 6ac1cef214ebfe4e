/** Sending mail by SMTP: the one importer of nodemailer on this side. */
export { createTransport } from "nodemailer";
