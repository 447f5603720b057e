// The floor under a small call: @grpc/grpc-js and protobuf-es on both ends, handlers that do the least, no key and no log.
// GetInfo answers the very bytes that Yonder answered. By itself: `npx node bench/floors/grpc-js-calls.ts [Stat PATH]`.
import { stat } from "node:fs/promises";
import { promisify } from "node:util";
import { create, fromBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from "@grpc/grpc-js";
import * as proto from "@yonder/proto";
import { runFloor } from "../kit/floor.ts";
import { grpcService } from "../kit/grpc-service.ts";
import { stockCalls } from "../kit/stock-calls.ts";

type Handler<I, O> = (call: ServerUnaryCall<I, O>, answer: sendUnaryData<O>) => void;

const statFile: Handler<proto.StatRequest, proto.StatResponse> = ({ request: { path } }, answer) => {
  stat(path).then((found) => {
    const file = {
      path,
      kind: proto.FileKind.REGULAR,
      sizeBytes: BigInt(found.size),
      mode: found.mode,
      modifyTime: timestampFromMs(Math.floor(found.mtimeMs)),
      changeTime: timestampFromMs(Math.floor(found.ctimeMs)),
      ownerId: found.uid,
      groupId: found.gid,
      inode: BigInt(found.ino),
      linkCount: found.nlink,
    };
    answer(null, create(proto.StatResponseSchema, { file }));
  }, answer);
};

await runFloor({
  serve({ info = "" }) {
    const infoBytes = Buffer.from(info, "base64");
    const getInfo: Handler<proto.GetInfoRequest, proto.GetInfoResponse> = (_call, answer) => {
      answer(null, fromBinary(proto.GetInfoResponseSchema, infoBytes));
    };
    const server = new Server();
    server.addService(grpcService(proto.WorkspaceService), { getInfo });
    server.addService(grpcService(proto.FileService), { stat: statFile });
    return promisify(server.bindAsync.bind(server))("127.0.0.1:0", ServerCredentials.createInsecure());
  },
  connect: async (port) => stockCalls({ host: `http://127.0.0.1:${port}` }),
  alone: ([call = "Stat", path = "/"]) => [call, path],
});
