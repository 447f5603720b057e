import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";
import { codeOf, failed, ok, skipped, warning, wordsOf } from "./finding.ts";
import type { Finding, Subject } from "./finding.ts";
import { openTls, serverName } from "./socket.ts";
import { within } from "./within.ts";

/** Of its time, so much of a certificate's is left at least before we warn. */
const leastLeft = 0.1;

/** Whether there is TLS where there should be, and whether the certificate does: each fault is told. */
export async function checkTls(subject: Subject): Promise<Finding[]> {
  const { host, secure } = subject.address;
  if (!secure) return [skipped("tls", `${host} is without`)];
  const { ca } = subject.choice.options.tls ?? {};
  if (ca !== undefined && !isCertificate(ca as string)) {
    return [
      failed(
        "tls",
        "what --ca or the profile's ca names holds no certificate",
        "Give the PEM file of the authority's certificate.",
      ),
    ];
  }
  let socket: TLSSocket | undefined;
  try {
    // Making it throws where certificate and key do not fit each other.
    const opened = (socket = openTls(subject, ["h2", "http/1.1"]));
    await within(subject.timeoutMs, host, secured(opened));
    return judge(subject, opened);
  } catch (error) {
    return [failed("tls", ...describe(subject, error))];
  } finally {
    socket?.on("error", () => {});
    socket?.destroy();
  }
}

async function secured(socket: TLSSocket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
    socket.once("close", () => reject(Object.assign(new Error("it hung up"), { code: "ECONNRESET" })));
  });
}

function judge(subject: Subject, socket: TLSSocket): Finding[] {
  // Asked once: Node tells it whole only the first time.
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined)
    return [failed("tls", "the server shows no certificate", "Give it one: --tls-cert, --tls-key.")];
  const found = [
    ...faultsOf(certificate, Date.now()),
    ...nameFaults(subject, certificate),
    ...trustFaults(socket, certificate),
  ];
  if (found.some(({ status }) => status === "failed")) return found;
  const by = nameIn(certificate.issuer);
  const until = day(certificate.validTo);
  return [ok("tls", `${socket.getProtocol() ?? "TLS"}, a certificate of ${by} that holds until ${until}`), ...found];
}

function faultsOf(certificate: X509Certificate, now: number): Finding[] {
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  const remedy =
    "Renew it: the server takes new files of --tls-cert and --tls-key at once. Or set the clock of this machine.";
  if (now > to) return [failed("tls", `the certificate has expired on ${day(certificate.validTo)}`, remedy)];
  if (now < from) {
    return [
      failed(
        "tls",
        `the certificate is not valid before ${day(certificate.validFrom)}`,
        `Set the clock of this machine, or wait.`,
      ),
    ];
  }
  if (to - now < (to - from) * leastLeft) {
    return [warning("tls", `the certificate expires on ${day(certificate.validTo)}`, "Renew it before that day.")];
  }
  return [];
}

function nameFaults({ address, choice }: Subject, certificate: X509Certificate): Finding[] {
  const name = serverName(choice.options.tls?.serverName, address.target);
  if (name === undefined) return [];
  const fits = isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name);
  if (fits !== undefined) return [];
  const names = certificate.subjectAltName?.replaceAll(/\b(DNS|IP Address):/g, "") ?? "no name at all";
  const detail = `the certificate is not for ${name}; it is for ${names}`;
  return [failed("tls", detail, "Connect by a name that it has, or say which one to expect with --server-name.")];
}

function trustFaults(socket: TLSSocket, certificate: X509Certificate): Finding[] {
  // Told as a code, whatever Node's types say.
  const code = String(socket.authorizationError ?? "");
  if (socket.authorized || !/^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|INVALID_CA|CERT_UNTRUSTED|CERT_SIGNATURE)/.test(code))
    return [];
  const detail = `this machine does not trust who signed the certificate, ${nameIn(certificate.issuer)} (${code})`;
  return [failed("tls", detail, "Give that authority's certificate: --ca FILE, or `ca` in the profile.")];
}

function describe({ address: { host } }: Subject, error: unknown): [detail: string, remedy: string] {
  const said = `${codeOf(error)} ${wordsOf(error)}`;
  if (/wrong version number|packet length too long|http request/i.test(said)) {
    return [`${host} does not speak TLS`, `Connect without: ${host.replace(/^https/, "http")}`];
  }
  if (/ALERT_(CERTIFICATE|BAD_CERTIFICATE|UNKNOWN_CA)/.test(said)) return clientCertificate;
  if (/key values mismatch|no start line|bad decrypt|PEM routines/i.test(said)) {
    return [
      `the certificate or key of this client cannot be used: ${wordsOf(error)}`,
      "Mend --cert, --cert-key or the profile's passphraseFile.",
    ];
  }
  if (/ECONNRESET|ETIMEDOUT/.test(said)) {
    return [
      `${host} broke off the TLS handshake: ${wordsOf(error)}`,
      "See whether that port is the server's, and what stands before it.",
    ];
  }
  return [
    `there is no TLS with ${host}: ${wordsOf(error)}`,
    "The server speaks TLS 1.2 and newer; see what stands before it.",
  ];
}

/** What to do where the server wants to know who we are. Told at the first answer: in TLS 1.3 the handshake is over by then. */
export const clientCertificate: [detail: string, remedy: string] = [
  "the server wants a certificate of this client that it trusts",
  "Give one with --cert and --cert-key, signed by an authority of the server's --client-ca.",
];

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).validTo !== "";
  } catch {
    return false;
  }
}

/** The common name, or all there is: "O=Example". */
function nameIn(distinguished: string): string {
  return /^CN=(.*)$/m.exec(distinguished)?.[1] ?? distinguished.replaceAll("\n", ", ");
}

function day(time: string): string {
  return new Date(time).toISOString().slice(0, 10);
}
