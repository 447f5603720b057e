import { openTls } from "./bodies.ts";
import { workspaceSuite } from "./workspace-suite.ts";

workspaceSuite("RemoteWorkspace over TLS and HTTP/2", () => openTls({}));
