/** Support: what is used of mailauth, which has no types. */

declare module "mailauth/lib/dkim/sign.js" {
  export function dkimSign(
    mail: Buffer,
    options: {
      canonicalization: string;
      signTime: Date;
      expires?: Date;
      signatureData: { signingDomain: string; selector: string; privateKey: string; maxBodyLength?: number }[];
    },
  ): Promise<{ signatures: string; errors: unknown[] }>;
}

declare module "mailauth/lib/dkim/verify.js" {
  export function dkimVerify(
    mail: Buffer,
    options: { resolver: (name: string, type: string) => Promise<string[][]>; curTime: Date },
  ): Promise<{ results: { status: { result: string } }[] }>;
}
