import { openTls, openUnixSocket, overWire } from "../contract/bodies.ts";
import { workspaceSuite } from "../contract/workspace-suite.ts";

// The ways that have nothing of their own beside those in test/contract.
workspaceSuite("RemoteWorkspace by gRPC-Web over HTTP/2", overWire({ protocol: "grpc-web" }));
workspaceSuite("RemoteWorkspace over TLS and HTTP/1.1", () => openTls({ httpVersion: "1.1" }));
workspaceSuite("RemoteWorkspace by a UNIX socket and HTTP/2", () => openUnixSocket({}));
workspaceSuite("RemoteWorkspace by a UNIX socket and HTTP/1.1", () => openUnixSocket({ httpVersion: "1.1" }));
