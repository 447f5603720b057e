// Makes small calls through the TypeScript client: `GetInfo`, `Stat PATH`.
import { RemoteWorkspace } from "@yonder/client";
import { argvOf } from "../kit/program.ts";
import { serveJobs } from "../kit/serve-jobs.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as { host: string; apiKey: string };
const workspace = await RemoteWorkspace.connect(settings);

serveJobs(async (program) => {
  const [call, path = ""] = argvOf(program);
  if (call === "GetInfo") await workspace.getServerInfo();
  else await workspace.fs.stat(path);
  return 0;
});
