import { expect, test } from "vitest";
import { openTestEdge } from "../../helpers/edge.ts";

const getInfo = "yonder.workspace.v1.WorkspaceService/GetInfo";

test.for([
  ["another method", getInfo, { method: "PUT" }, 405, /^This is called with POST\n$/],
  ["no content type", getInfo, {}, 415, /^This is called with POST and the content type application\/json, /],
  [
    "one message where many are sent",
    "yonder.workspace.v1.ExecService/Exec",
    { method: "POST", headers: { "content-type": "application/json" }, body: "{}" },
    415,
    /application\/connect\+json/,
  ],
  [
    "many messages both ways over HTTP/1.1",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    { method: "POST", headers: { "content-type": "application/connect+json" }, body: "" },
    505,
    /HTTP\/2/,
  ],
  ["an unknown call", "yonder.workspace.v1.WorkspaceService/Nope", { method: "POST" }, 404, /no such call/],
] as const)("%s is answered with a line that says what to do", async ([, path, request, status, text]) => {
  const { url } = await openTestEdge();
  const response = await fetch(`${url}/${path}`, request);
  expect(response.status).toBe(status);
  expect(response.headers.get("allow")).toBe(status === 405 ? "POST" : null);
  expect(await response.text()).toMatch(text);
});
