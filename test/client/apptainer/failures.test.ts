import { expect, test } from "vitest";
import { startFailed } from "../../../client/src/apptainer/failures.ts";

/** What Apptainer 1.4 says, word for word, and what it means. */
const words: [string, string[], object][] = [
  [
    "a user without a range for fakeroot, on a machine without squashfuse",
    [
      "INFO:    squashfuse not found, will not be able to mount SIF or other squashfs files",
      "INFO:    Converting SIF file to temporary sandbox...",
      "FATAL:   could not use fakeroot: no mapping entry found in /etc/subuid for root",
    ],
    { name: "StartFailed", reason: "START_FAILED", remedy: expect.stringContaining("useFakeroot: false") as string },
  ],
  [
    "a file that is no image",
    ["FATAL:   While checking container encryption: could not open image /x: image format not recognized"],
    { name: "InvalidRequest", reason: "IMAGE_INVALID", subject: "/image.sif" },
  ],
  [
    "a disk that is full",
    ["INFO:    Converting SIF file to temporary sandbox...", "FATAL:   write /tmp/x: no space left on device"],
    { name: "LimitExceeded", reason: "STORAGE_FULL" },
  ],
];

test.each(words)("a start that failed for %s is told as that", (_, lines, expected) => {
  const result = { exitCode: 255, timedOut: false, stdout: "", lines };
  const error = startFailed("instance-1", "/image.sif", result);
  expect(error).toMatchObject(expected);
  expect(error.message).toContain("FATAL");
  expect(error.message).not.toContain("INFO");
});
