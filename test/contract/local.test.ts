import { openInMemory, openLocal } from "./bodies.ts";
import { workspaceSuite } from "./workspace-suite.ts";

workspaceSuite("LocalWorkspace", openLocal);
workspaceSuite("RemoteWorkspace in memory", openInMemory);
