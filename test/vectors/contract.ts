import type { DescFile, DescMessage } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import * as contract from "@yonder/proto";

const files: DescFile[] = Object.values(contract)
  .filter((value): value is DescFile => typeof value === "object" && "kind" in value && value.kind === "file")
  .toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** Every message of the contract, in the order of the files; the entries of maps are none. */
export const messages: readonly DescMessage[] = files.flatMap((file) =>
  [...nestedTypes(file)].filter((type) => type.kind === "message"),
);
