import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";

/** Whether a call may change something. The stock services (health, reflection) only read, but their protos do not say so. */
export function isActing(method: DescMethod): boolean {
  return (
    method.idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS && !method.parent.typeName.startsWith("grpc.")
  );
}
