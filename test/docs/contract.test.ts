import { expect, test } from "vitest";
import { ExecService } from "@yonder/proto/yonder/workspace/v1/exec_service";
import { FileService } from "@yonder/proto/yonder/workspace/v1/file_service";
import { GitService } from "@yonder/proto/yonder/workspace/v1/git_service";
import { WorkspaceService } from "@yonder/proto/yonder/workspace/v1/workspace_service";
import { blocks } from "./pages.ts";

const commands = blocks
  .filter(({ page, language }) => page === "docs/grpcurl.md" && language === "sh")
  .map(({ text }) => text)
  .join("\n");

test.each([ExecService, FileService, GitService, WorkspaceService])(
  "$name is called whole from a shell",
  ({ name, methods }) => {
    const missing = methods.filter((method) => !commands.includes(`${name}/${method.name} `));
    expect(missing.map((method) => method.name)).toEqual([]);
  },
);
