// Attaches so many readers to a running command over one connection, through @grpc/grpc-js and protobuf-es, and holds
// them: `{ host, apiKey, execId, readers }`. Says so once each has had its first event.
import { create } from "@bufbuild/protobuf";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { AttachRequestSchema, ExecService } from "@yonder/proto";
import { grpcService } from "../kit/grpc-service.ts";

const settings = JSON.parse(process.argv[2] ?? "{}") as {
  host: string;
  apiKey?: string;
  execId: string;
  readers: number;
};
const client = new Client(new URL(settings.host).host, credentials.createInsecure());
const metadata = new Metadata();
if (settings.apiKey !== undefined) metadata.set("authorization", `Bearer ${settings.apiKey}`);
const { attach } = grpcService(ExecService);
if (attach === undefined) throw new Error("the contract has no Attach");
const { path, requestSerialize, responseDeserialize } = attach;

process.once("disconnect", () => process.exit());
await Promise.all(Array.from({ length: settings.readers }, () => attachReader()));
process.send?.({ ready: true });

function attachReader(): Promise<void> {
  const request = create(AttachRequestSchema, { execId: settings.execId, start: { case: "live", value: true } });
  const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, metadata);
  return new Promise((resolve, reject) => {
    stream.on("data", () => resolve());
    stream.once("error", reject);
  });
}
