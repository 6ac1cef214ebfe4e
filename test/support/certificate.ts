/** Support: a certificate for `localhost` that signs itself, made for one run, so that no key is kept anywhere (RFC 5280). */
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

export interface Certificate {
  /** PEM. */
  key: string;
  certificate: string;
}

const OIDS = {
  commonName: "550403",
  ecdsaWithSha256: "2a8648ce3d040302",
  basicConstraints: "551d13",
  subjectAltName: "551d11",
};

/** Makes it; good for a day. */
export function makeCertificate(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(0x30, oid("ecdsaWithSha256"));
  const name = der(0x30, der(0x31, der(0x30, oid("commonName"), der(0x0c, Buffer.from("localhost")))));
  const time = (milliseconds: number): Buffer => {
    return der(0x18, Buffer.from(`${new Date(milliseconds).toISOString().replaceAll(/[-:T]|\..*/g, "")}Z`));
  };
  const nowMilliseconds = Date.now();
  const validity = der(0x30, time(nowMilliseconds - 3_600_000), time(nowMilliseconds + 86_400_000));
  const names = der(0x30, der(0x82, Buffer.from("localhost")), der(0x87, Buffer.from([127, 0, 0, 1])));
  const isAuthority = der(0x30, der(0x01, Buffer.from([0xff])));
  const extensions = der(
    0x30,
    der(0x30, oid("basicConstraints"), der(0x01, Buffer.from([0xff])), der(0x04, isAuthority)),
    der(0x30, oid("subjectAltName"), der(0x04, names)),
  );
  const version = der(0xa0, der(0x02, Buffer.from([2])));
  const serial = der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)]));
  const key = publicKey.export({ type: "spki", format: "der" });
  const body = der(0x30, version, serial, algorithm, name, validity, name, key, der(0xa3, extensions));
  const signature = der(0x03, Buffer.from([0]), sign("sha256", body, privateKey));
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificate: pem(der(0x30, body, algorithm, signature)),
  };
}

/** One value of ASN.1, its parts behind its tag and length. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function oid(name: keyof typeof OIDS): Buffer {
  return der(0x06, Buffer.from(OIDS[name], "hex"));
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
