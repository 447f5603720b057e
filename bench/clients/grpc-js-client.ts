// Runs commands through @grpc/grpc-js and the protos alone, as a program does that has none of our code.
import { fileURLToPath } from "node:url";
import { credentials, loadPackageDefinition, Metadata } from "@grpc/grpc-js";
import type { ClientReadableStream, ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { Program } from "../kit/program.ts";
import { serveJobs } from "../kit/serve-jobs.ts";

/** What is used of the contract. */
interface ExecClient {
  exec(request: object, metadata: Metadata): ClientReadableStream<{ event: ExecEvent }>;
}
interface ExecEvent {
  readonly output?: { readonly data: Buffer };
  readonly ended?: { readonly exitCode?: number };
}

const { host, apiKey } = JSON.parse(process.argv[2] ?? "{}") as { host: string; apiKey: string };
const protos = fileURLToPath(new URL("../../proto", import.meta.url));
const definition = loadSync("yonder/workspace/v1/exec_service.proto", { includeDirs: [protos], defaults: true });
const contract = loadPackageDefinition(definition) as unknown as {
  yonder: { workspace: { v1: { ExecService: ServiceClientConstructor } } };
};
const client = new contract.yonder.workspace.v1.ExecService(new URL(host).host, credentials.createInsecure(), {
  // As wide as everybody else's here; HTTP/2's own is 64 KiB.
  "grpc-node.flow_control_window": 8 << 20,
}) as unknown as ExecClient;
const metadata = new Metadata();
metadata.set("authorization", `Bearer ${apiKey}`);

await run({ args: ["true"] });
serveJobs(run);

function run(program: Program): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = "command" in program ? program : { args: { values: program.args } };
    const stream = client.exec(request, metadata);
    let bytes = 0;
    let exitCode: number | undefined;
    stream.on("data", ({ event }: { event: ExecEvent }) => {
      bytes += event.output?.data.length ?? 0;
      exitCode = event.ended?.exitCode;
    });
    stream.once("error", reject);
    stream.once("end", () => {
      if (exitCode === 0) resolve(bytes);
      else reject(new Error(`the command ended with ${exitCode}`));
    });
  });
}
