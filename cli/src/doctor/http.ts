import { codeOf, failed, ok, wordsOf } from "./finding.ts";
import type { Finding, Subject } from "./finding.ts";
import { askHealth, isHealthy } from "./health-call.ts";
import type { Answer, Wire } from "./health-call.ts";
import { openTls } from "./socket.ts";
import { clientCertificate } from "./tls.ts";
import { within } from "./within.ts";

/** One way to call, and how it went. */
interface Trial {
  readonly wire: Wire;
  readonly answer: Answer | undefined;
  /** Why there is no answer. */
  readonly error: unknown;
}

/** Whether calls get through in the way that was chosen; where they do not, which way does. */
export async function checkHttp(subject: Subject): Promise<Finding> {
  const chosen = chosenWire(subject);
  const first = await attempt(subject, chosen);
  if (works(first))
    return ok("http", `${chosen}: the server answers in ${Math.ceil(first.answer?.milliseconds ?? 0)} ms`);
  const others = (["grpc over HTTP/2", "connect over HTTP/2", "connect over HTTP/1.1"] as const).filter(
    (wire) => wire !== chosen,
  );
  const trials = await Promise.all(others.map((wire) => attempt(subject, wire)));
  const way = trials.find(works)?.wire;
  if (way !== undefined) return failed("http", barred(first), detour(first, way));
  return failed("http", ...(await explain(subject, [first, ...trials])));
}

/** What the client would use. */
function chosenWire({ choice: { options } }: Subject): Wire {
  if (options.httpVersion === "1.1") return "connect over HTTP/1.1";
  return options.protocol === undefined || options.protocol === "grpc" ? "grpc over HTTP/2" : "connect over HTTP/2";
}

async function attempt(subject: Subject, wire: Wire): Promise<Trial> {
  try {
    return { wire, answer: await askHealth(subject, wire), error: undefined };
  } catch (error) {
    return { wire, answer: undefined, error };
  }
}

function works({ answer, wire }: Trial): boolean {
  return answer !== undefined && isHealthy(answer, wire);
}

function barred({ wire, answer, error }: Trial): string {
  if (answer === undefined) {
    if (wire === "connect over HTTP/1.1") return `HTTP/1.1 does not get through: ${wordsOf(error)}`;
    return `what answers knows no HTTP/2: a proxy that knows HTTP/1.1 alone is in between (${wordsOf(error)})`;
  }
  const who = answer.server === "" ? "a proxy" : `a proxy (${answer.server})`;
  if (wire === "grpc over HTTP/2" && answer.status === 200) {
    return `${who} takes HTTP/2 and goes on in HTTP/1.1: the end of gRPC's answers, which stands in trailers, is lost`;
  }
  return `${who} takes no ${wire}: it answers with ${inWords(answer)}`;
}

function detour({ wire }: Trial, way: Wire): string {
  if (wire === "connect over HTTP/1.1") return "Leave out --http-version, or `httpVersion` in the profile.";
  const flags =
    way === "connect over HTTP/1.1"
      ? "--http-version 1.1"
      : way === "connect over HTTP/2"
        ? "--protocol connect"
        : "--protocol grpc";
  return (
    `${way} gets through: give ${flags}, or the same in the profile. Or let the proxy speak HTTP/2 to the server ` +
    "(nginx: grpc_pass; elsewhere: h2c)."
  );
}

/** Nothing gets through: why. */
async function explain(subject: Subject, trials: readonly Trial[]): Promise<[detail: string, remedy: string]> {
  const { host, secure } = subject.address;
  if (trials.some(({ error }) => /ALERT_(CERTIFICATE|BAD_CERTIFICATE|UNKNOWN_CA)/.test(codeOf(error))))
    return clientCertificate;
  if (!secure && (await speaksTls(subject))) {
    return [`${host} speaks TLS`, `Connect with it: ${host.replace(/^http/, "https")}`];
  }
  const answer = trials.findLast((trial) => trial.answer !== undefined)?.answer;
  if (answer === undefined) {
    return [`${host} answers no HTTP: ${wordsOf(trials[0]?.error)}`, "This is no Yonder server: mend the port."];
  }
  if (answer.status >= 502 && answer.status <= 504) {
    return [
      `a proxy answers with ${inWords(answer)}: it does not reach the server behind it`,
      "See whether the server runs, and whether the proxy has its address and port.",
    ];
  }
  const path = new URL(subject.address.baseUrl).pathname;
  const hint = path === "/" ? "" : ` Without a path it would be ${new URL(subject.address.baseUrl).origin}.`;
  return [`this does not look like a Yonder server: it answers with ${inWords(answer)}`, `Mend the address.${hint}`];
}

function inWords({ status, contentType }: Answer): string {
  return `HTTP ${status}${contentType === "" ? "" : ` and ${contentType}`}`;
}

async function speaksTls(subject: Subject): Promise<boolean> {
  if (!("host" in subject.address.target)) return false;
  const socket = openTls(subject, []);
  try {
    const secured = new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", resolve);
      socket.once("error", reject);
      socket.once("close", reject);
    });
    await within(subject.timeoutMs, subject.address.host, secured);
    return true;
  } catch {
    return false;
  } finally {
    socket.on("error", () => {});
    socket.destroy();
  }
}
