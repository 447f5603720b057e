import type { MessageInitShape } from "@bufbuild/protobuf";
import type { TreeReportSchema } from "@yonder/proto";
import type { TreeReport } from "../util/errors.ts";

/** The domain's report of a tree as the contract's. */
export function toTreeReport(report: TreeReport): MessageInitShape<typeof TreeReportSchema> {
  return {
    files: BigInt(report.files),
    directories: BigInt(report.directories),
    symlinks: BigInt(report.symlinks),
    hardLinks: BigInt(report.hardLinks),
    contentBytes: BigInt(report.contentBytes),
    skipped: BigInt(report.skipped),
    skippedNames: report.skippedNames,
  };
}
