import { openInMemory, openLocal, openTls, openUnixSocket, overWire } from "./bodies.ts";
import { workspaceSuite } from "./workspace-suite.ts";

workspaceSuite("LocalWorkspace", openLocal);
workspaceSuite("RemoteWorkspace in memory", openInMemory);
workspaceSuite("RemoteWorkspace by gRPC over HTTP/2", overWire({}));
workspaceSuite("RemoteWorkspace by Connect over HTTP/2", overWire({ protocol: "connect" }));
workspaceSuite("RemoteWorkspace by gRPC-Web over HTTP/2", overWire({ protocol: "grpc-web" }));
workspaceSuite("RemoteWorkspace by Connect over HTTP/1.1", overWire({ httpVersion: "1.1" }));
workspaceSuite("RemoteWorkspace by gRPC-Web over HTTP/1.1", overWire({ protocol: "grpc-web", httpVersion: "1.1" }));
workspaceSuite("RemoteWorkspace over TLS and HTTP/2", () => openTls({}));
workspaceSuite("RemoteWorkspace over TLS and HTTP/1.1", () => openTls({ httpVersion: "1.1" }));
workspaceSuite("RemoteWorkspace by a UNIX socket and HTTP/2", () => openUnixSocket({}));
workspaceSuite("RemoteWorkspace by a UNIX socket and HTTP/1.1", () => openUnixSocket({ httpVersion: "1.1" }));
