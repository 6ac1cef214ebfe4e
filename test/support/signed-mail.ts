/** Support: mails signed by mailauth, with the record of the key. */
import { generateKeyPairSync } from "node:crypto";
import { dkimSign } from "mailauth/lib/dkim/sign.js";

/** A domain that signs its mail. */
export interface Signer {
  /** Its TXT record by name. */
  records: Record<string, string>;
  sign(mail: Uint8Array): Promise<Buffer>;
}

export function newSigner(domain: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const p = publicKey.export({ type: "spki", format: "der" }).toString("base64");
  return {
    records: { [`s._domainkey.${domain}`]: `v=DKIM1; p=${p}` },
    async sign(mail) {
      const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
      const key = { signingDomain: domain, selector: "s", privateKey: pem };
      const { signatures } = await dkimSign(Buffer.from(mail), {
        canonicalization: "relaxed/relaxed",
        signTime: new Date(Date.UTC(2026, 10, 20)),
        ...key,
        // Its types want the key above, it reads the one here.
        signatureData: [key],
      });
      return Buffer.concat([Buffer.from(signatures), mail]);
    },
  };
}
