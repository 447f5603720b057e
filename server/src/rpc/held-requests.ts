import type { DescMethod } from "@bufbuild/protobuf";
import { FileService } from "@yonder/proto";

/** How many chunks of an upload are written in one go, and read meanwhile, at most. */
export const chunksAtOnce = 4;

/** How many requests of a stream its service holds at most, so that the memory of others is used again; 0: any number. */
export function heldRequests(method: DescMethod): number {
  return method === FileService.method.upload ? chunksAtOnce : 0;
}
