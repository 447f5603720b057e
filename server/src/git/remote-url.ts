import { InvalidRequest } from "../util/errors.ts";

/** Where a repository is fetched from. */
export interface RemoteUrl {
  /** As git gets it: without the user name of an http URL, which would end up in `.git/config`. */
  readonly url: string;
  /** "https://github.com", "ssh://git.example.com:2222"; undefined for a path on this machine. */
  readonly origin: string | undefined;
  /** The user name that stood in an http URL. */
  readonly username: string;
}

const SCHEMES = ["https:", "http:", "ssh:", "git:", "file:"];
/** "user@host:path", which has no "/" before its colon. */
const SCP_LIKE = /^(?:[^/@:]+@)?(\[[^\]/]+\]|[^/:[\]@]+):(?!\/\/)/;

/** Reads what a clone is made from; what git would take for an option or a helper program is refused. */
export function parseRemoteUrl(text: string): RemoteUrl {
  if (text === "") throw invalid("must be set");
  // oxlint-disable-next-line no-control-regex
  if (text.startsWith("-") || /[\0-\x1f\x7f]/.test(text)) throw invalid("is no URL and no path");
  if (/^[A-Za-z0-9+.-]+::/.test(text)) throw invalid("names a helper program, which is not allowed");
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    const host = SCP_LIKE.exec(text)?.[1];
    return { url: text, origin: host === undefined ? undefined : `ssh://${host.toLowerCase()}`, username: "" };
  }
  return parseUrl(text);
}

function parseUrl(text: string): RemoteUrl {
  let parsed: URL;
  try {
    parsed = new URL(text);
  } catch {
    throw invalid("is no URL");
  }
  const { protocol, username, password } = parsed;
  if (!SCHEMES.includes(protocol)) throw invalid(`has the scheme "${protocol}", of which git is not allowed any`);
  if (password !== "") {
    throw invalid("holds a password, which would end up on disk and in logs", "Send it in `credentials`.");
  }
  if (protocol === "file:") return { url: text, origin: undefined, username: "" };
  const isHttp = protocol === "https:" || protocol === "http:";
  const url = isHttp && username !== "" ? text.replace(/^([a-z]+:\/\/)[^/@]*@/i, "$1") : text;
  return { url, origin: originOf(parsed), username: isHttp ? decodeURIComponent(username) : "" };
}

/** The scheme and host of a URL, and its port where it is not the scheme's own. */
export function originOf({ protocol, hostname, port }: URL): string {
  const isUsual = port === "" || port === USUAL_PORTS[protocol];
  return `${protocol}//${hostname.toLowerCase()}${isUsual ? "" : `:${port}`}`;
}

const USUAL_PORTS: Readonly<Record<string, string>> = { "https:": "443", "http:": "80", "ssh:": "22", "git:": "9418" };

/** The directory that a clone makes where none is named, as git derives it. */
export function directoryNameOf({ url }: RemoteUrl): string {
  const path = url.replace(/[/\\]+$/, "").replace(/\/?\.git$/, "");
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf(":")) + 1);
  if (name === "" || name === "." || name === "..") {
    throw new InvalidRequest("MISSING_FIELD", "path must be set: the URL names no directory", { subject: "path" });
  }
  return name;
}

function invalid(message: string, remedy?: string): InvalidRequest {
  return new InvalidRequest("INVALID_FIELD", `url ${message}`, {
    subject: "url",
    ...(remedy === undefined ? {} : { remedy }),
  });
}
