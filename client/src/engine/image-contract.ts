import { Unsupported } from "../errors.ts";

/** On an image: the version of the agreement between image and client, on variables, files and what process 1 does. */
export const contractLabel = "dev.yonder.contract";
/** The version of that agreement that this client keeps to. */
const contractVersion = 1;

/** Rejects with CONTRACT_MISMATCH an image whose labels name another version. */
export function checkContract(image: string, labels: Readonly<Record<string, string>> | null | undefined): void {
  const label = labels?.[contractLabel];
  // An image without the label is somebody's own; whether it has a server shows when it is started.
  if (label === undefined || label === String(contractVersion)) return;
  const isNewer = Number(label) > contractVersion;
  throw new Unsupported(
    `the image ${image} keeps to version ${label} of the agreement with clients, and this client to version ${contractVersion}`,
    {
      reason: "CONTRACT_MISMATCH",
      subject: image,
      feature: "image contract",
      serverVersion: label,
      remedy: isNewer
        ? "Update @yonder/client, or use an image as old as it."
        : "Build the image anew, or use a client as old as it.",
    },
  );
}
