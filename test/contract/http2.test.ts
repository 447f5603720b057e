import { overWire } from "./bodies.ts";
import { workspaceSuite } from "./workspace-suite.ts";

workspaceSuite("RemoteWorkspace by gRPC over HTTP/2", overWire({}));
workspaceSuite("RemoteWorkspace by Connect over HTTP/2", overWire({ protocol: "connect" }));
