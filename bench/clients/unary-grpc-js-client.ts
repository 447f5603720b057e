// Makes small calls through @grpc/grpc-js and protobuf-es: `GetInfo`, `Stat PATH`.
import { serveJobs } from "../kit/serve-jobs.ts";
import { stockCalls } from "../kit/stock-calls.ts";

serveJobs(stockCalls(JSON.parse(process.argv[2] ?? "{}") as { host: string; apiKey: string }));
