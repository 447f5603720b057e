import type { DescMethod } from "@bufbuild/protobuf";
import { FileService } from "@yonder/proto";

/** Streams of requests whose services are done with each one when they ask for the next: its memory is used again. */
export function isReadInTurn(method: DescMethod): boolean {
  return method === FileService.method.upload;
}
