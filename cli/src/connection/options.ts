import { UsageError } from "../frame/failure.ts";
import { oneOf } from "../frame/parse.ts";
import { value } from "../frame/verb.ts";

/** The options that say which workspace is meant and how to reach it, of all verbs that work in one. */
export const connectionOptions = {
  host: value("--host <url>", "Where the server is: http://…, https://… or unix:///path (YONDER_HOST)"),
  profile: value("--profile <name>", "A workspace of the config file by its name there (YONDER_PROFILE)", {
    completes: "profile",
  }),
  ca: value("--ca <file>", "The certificates that a server's must be signed by, as PEM", { completes: "local-path" }),
  cert: value("--cert <file>", "The certificate of this client, as PEM", { completes: "local-path" }),
  certKey: value("--cert-key <file>", "The private key of --cert, as PEM", { completes: "local-path" }),
  serverName: value("--server-name <name>", "The name that the server's certificate must have, if not the host's"),
  httpVersion: value("--http-version <version>", "1.1 for proxies that know no HTTP/2; else 2", {
    parse: oneOf(["2", "1.1"]),
    completes: ["2", "1.1"],
  }),
  protocol: value("--protocol <name>", "grpc, connect or grpc-web; grpc unless HTTP is 1.1", {
    parse: oneOf(["grpc", "connect", "grpc-web"]),
    completes: ["grpc", "connect", "grpc-web"],
  }),
  apiKey: value("--api-key <key>", "Refused", {
    hidden: true,
    parse: (): string => {
      throw new UsageError(
        "--api-key: a key may not be on the command line, which everybody on this machine can read: put the key into a file and its " +
          "path into YONDER_API_KEY_FILE, or the key into YONDER_API_KEY or a profile, or leave it out to be asked for it",
      );
    },
  }),
};
