import type { Message } from "@bufbuild/protobuf";
import { invalidField, textField } from "../rpc/fields.ts";

/** Where requests of FileService and GitService say as whom: themselves, or the header that they bring. */
interface MayNameUser {
  readonly user?: string;
  readonly header?: Part;
  readonly part?: Part;
}

interface Part {
  readonly case?: string | undefined;
  readonly value?: { readonly user?: string } | undefined;
}

/** As whom a request is to be done. Empty: as the server itself. */
export function userField(request: Message): string {
  const { user = "", header, part } = request as Message & MayNameUser;
  const ofHeader = (header ?? part)?.value?.user ?? "";
  if (user !== "" && ofHeader !== "" && user !== ofHeader)
    throw invalidField("user", "is another one than the header's");
  return textField("user", user || ofHeader);
}
