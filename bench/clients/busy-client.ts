// Runs `true` again and again over one connection: so many times where nothing else goes on, or for as long as an upload
// over the same connection takes.
import { RemoteWorkspace } from "@yonder/client";

type Task = { readonly times: number } | { readonly source: string; readonly destination: string };

const settings = JSON.parse(process.argv[2] ?? "{}") as { host: string; apiKey: string };
const workspace = await RemoteWorkspace.connect(settings);

process.on("message", (task: Task) => void run(task).then((ms) => process.send?.({ ms })));
process.once("disconnect", () => process.exit());
process.send?.({ ready: true });

async function run(task: Task): Promise<number[]> {
  const ms: number[] = [];
  let isOver = false;
  const upload = "source" in task ? workspace.fileUpload(task.source, task.destination) : undefined;
  const uploaded = upload?.finally(() => (isOver = true));
  while ("times" in task ? ms.length < task.times : !isOver) {
    const begin = performance.now();
    const { exitCode } = await workspace.executeCommand(["true"]);
    if (exitCode !== 0) throw new Error(`the command ended with ${exitCode}`);
    ms.push(performance.now() - begin);
  }
  const result = await uploaded;
  if (result?.success === false) throw new Error(result.error ?? "the upload failed");
  return ms;
}
