import { overWire } from "./bodies.ts";
import { workspaceSuite } from "./workspace-suite.ts";

workspaceSuite("RemoteWorkspace by Connect over HTTP/1.1", overWire({ httpVersion: "1.1" }));
workspaceSuite("RemoteWorkspace by gRPC-Web over HTTP/1.1", overWire({ protocol: "grpc-web", httpVersion: "1.1" }));
