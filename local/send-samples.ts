/** Sends the sample reports through the SMTP front door, as reporters would. It never makes up their content. */
import { createTransport } from "nodemailer";
import { buildSamples, SAMPLE_RUA } from "./samples.ts";

/** The address registered at the first start, and whose it is. */
export const DEMO = { rua: SAMPLE_RUA, account: "demo" } as const;

/** Resolves with the number of reports sent. @throws Error when one of them is not taken */
export async function sendSamples({ smtpPort, nowSeconds }: { smtpPort: number; nowSeconds: number }): Promise<number> {
  const transport = createTransport({
    host: "127.0.0.1",
    port: smtpPort,
    ignoreTLS: true,
    pool: true,
    maxConnections: 2,
  });
  const samples = await buildSamples(nowSeconds);
  try {
    await Promise.all(samples.map(({ from, to, raw }) => transport.sendMail({ envelope: { from, to }, raw })));
  } finally {
    transport.close();
  }
  return samples.length;
}
