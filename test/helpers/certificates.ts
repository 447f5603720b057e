import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import { onTestFinished } from "vitest";

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority, for this test only. */
export async function makeAuthority(name = "Test CA"): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: "commonName", value: name }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, digitalSignature: true, critical: true },
    ],
  });
  return { cert, key };
}

/** From when to when a certificate holds. */
export interface Validity {
  readonly notBeforeDate?: Date;
  readonly notAfterDate?: Date;
}

/** A certificate for 127.0.0.1 and localhost that the authority vouches for; good for servers and clients. */
export async function makeCertificate(
  ca: Certificate,
  name = "localhost",
  validity: Validity = {},
): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: "commonName", value: name }], {
    keyType: "ec",
    algorithm: "sha256",
    ca,
    ...validity,
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "extKeyUsage", serverAuth: true, clientAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 2, value: "localhost" },
          { type: 7, ip: "127.0.0.1" },
        ],
      },
    ],
  });
  return { cert, key };
}

/** A directory that goes away with the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "yonder-test-"));
  onTestFinished(async () => await rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Writes the certificate as server.crt and server.key. */
export async function writeCertificate(directory: string, { cert, key }: Certificate) {
  const paths = { tlsCert: join(directory, "server.crt"), tlsKey: join(directory, "server.key") };
  await writeFile(paths.tlsCert, cert);
  await writeFile(paths.tlsKey, key, { mode: 0o600 });
  return paths;
}
