// What HEALTHCHECK runs: exits with 0 while the server in this container serves. Knows where it listens by the same
// variables as the server does; a server that is told by flags alone needs a health check of its own.
import { request } from "node:http";
import { request as secureRequest } from "node:https";

const {
  YONDER_SERVER_SOCKET: socketPath,
  YONDER_SERVER_HEALTH_PORT: healthPort,
  YONDER_SERVER_PORT: port,
  YONDER_SERVER_TLS_CERT: certificate,
} = process.env;

// An empty variable is one that is not set. A socket may be missing where it is beside a port.
const isSecure = certificate && !healthPort;
const isOnSocketAlone = socketPath && !port && !healthPort;
const target = isOnSocketAlone ? { socketPath } : { port: healthPort || port || "8000" };
const options = { ...target, host: "127.0.0.1", path: "/healthz", timeout: 4_000, rejectUnauthorized: false };
const call = (isSecure ? secureRequest : request)(options, (response) =>
  process.exit(response.statusCode === 200 ? 0 : 1),
);
call.once("timeout", () => process.exit(1));
call.once("error", () => process.exit(1));
call.end();
