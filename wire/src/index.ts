export { createWireTransport } from "./client.ts";
export type { WireTransportOptions } from "./client.ts";
export { firstWindowBytes, fitWindows } from "./fit-windows.ts";
export { inBatches } from "./in-batches.ts";
export { reuseMemory } from "./reuse-memory.ts";
export type { Sessions } from "./sessions.ts";
export { readRequest, wireInterceptor, writeResponse } from "./server.ts";
export { createGrpcRouter } from "./grpc-router.ts";
export type { GrpcRouter } from "./grpc-router.ts";
