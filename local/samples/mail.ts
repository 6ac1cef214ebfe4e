/** The mails the samples come in, as reporters would send them. Nothing is sent from here. */
import MailComposer from "nodemailer/lib/mail-composer";

/** One mail, ready for SMTP. */
export interface Sample {
  from: string;
  to: string;
  raw: Buffer;
}

/** The address samples go to. */
export const SAMPLE_RUA = "dmarc@example.com";

export const DAY_SECONDS = 86_400;

/** What differs from mail to mail. */
export interface SampleLetter {
  from: string;
  subject: string;
  text: string;
  /** Becomes the Message-ID and the MIME boundary, so it has to be unique. */
  id: string;
  dateSeconds: number;
  headers?: Record<string, string>;
  attachment?: { filename: string; content: Buffer; contentType: string };
}

/** The mail as bytes: the same ones for the same letter. */
export async function composeSample({ id, dateSeconds, attachment, ...letter }: SampleLetter): Promise<Sample> {
  const raw = await new MailComposer({
    ...letter,
    to: SAMPLE_RUA,
    date: new Date(dateSeconds * 1000),
    messageId: `<${id}@${domainOf(letter.from)}>`,
    baseBoundary: id,
    attachments: attachment === undefined ? [] : [attachment],
  })
    .compile()
    .build();
  return { from: letter.from, to: SAMPLE_RUA, raw };
}

function domainOf(address: string): string {
  return address.slice(address.indexOf("@") + 1);
}
