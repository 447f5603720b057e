// What HEALTHCHECK runs: exits with 0 while the server in this container serves. Knows where it listens by the same
// variables as the server does; a server that is told by flags alone needs a health check of its own.
import { request } from "node:http";
import { request as secureRequest } from "node:https";

const {
  YONDER_SERVER_SOCKET: socketPath,
  YONDER_SERVER_HEALTH_PORT: healthPort,
  YONDER_SERVER_PORT: port = "8000",
  YONDER_SERVER_TLS_CERT: certificate,
} = process.env;

const isSecure = certificate !== undefined && healthPort === undefined;
const target = healthPort === undefined && socketPath !== undefined ? { socketPath } : { port: healthPort ?? port };
const options = { ...target, host: "127.0.0.1", path: "/healthz", timeout: 4_000, rejectUnauthorized: false };
const call = (isSecure ? secureRequest : request)(options, (response) =>
  process.exit(response.statusCode === 200 ? 0 : 1),
);
call.once("timeout", () => process.exit(1));
call.once("error", () => process.exit(1));
call.end();
