import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { handOn, handOnReplies, resumed } from "./hand-on.ts";
import { userField } from "./user-field.ts";
import type { UserLease, Users } from "./users.ts";

type Messages = AsyncIterable<Message>;
type Context = Pick<HandlerContext, "signal">;
type OneReply = (request: Message, context: Context) => Promise<Message>;
type ManyReplies = (request: Message, context: Context) => Messages;
type ManyRequests = (requests: Messages, context: Context) => Promise<Message>;

/**
 * A service that does itself what is asked of the server's own user, and hands on what is asked of another to that
 * user's process: request and replies one by one, in both directions no faster than they are taken.
 */
export function serveUsers<S extends DescService>(service: S, own: ServiceImpl<S>, users: Users): ServiceImpl<S> {
  const methods = service.methods.map((method) => {
    const here: unknown = (own as Record<string, unknown>)[method.localName];
    return [method.localName, handlerOf(service, method, here, users)];
  });
  return Object.fromEntries(methods) as ServiceImpl<S>;
}

function handlerOf(service: DescService, { localName, methodKind }: DescMethod, own: unknown, users: Users): unknown {
  const there = ({ transport }: UserLease): unknown =>
    (createClient(service, transport) as Record<string, unknown>)[localName];

  switch (methodKind) {
    case "unary": {
      const here = own as OneReply;
      const handler: OneReply = async (request, context) => {
        const user = userField(request);
        const lease = user === "" ? undefined : await users.take(user);
        if (lease === undefined) return await here(request, context);
        return await handOn(lease, context, (signal) => (there(lease) as OneReply)(request, { signal }));
      };
      return handler;
    }
    case "server_streaming": {
      const here = own as ManyReplies;
      const takenOn: ManyReplies = async function* (request, context) {
        const lease = await users.take(userField(request));
        if (lease === undefined) return yield* here(request, context);
        yield* handOnReplies(lease, context, (signal) => (there(lease) as ManyReplies)(request, { signal }));
      };
      const handler: ManyReplies = (request, context) =>
        userField(request) === "" ? here(request, context) : takenOn(request, context);
      return handler;
    }
    case "client_streaming": {
      const here = own as ManyRequests;
      const handler: ManyRequests = async (requests, context) => {
        const iterator = requests[Symbol.asyncIterator]();
        const first = await iterator.next();
        // What is wrong with a request is told as it is, and not as the failure of a call that brings it along.
        let wrong: { error: unknown } | undefined;
        const all = resumed(iterator, first, (error) => (wrong = { error }));
        const user = first.done === true ? "" : userField(first.value);
        const lease = user === "" ? undefined : await users.take(user);
        if (lease === undefined) return await here(all, context);
        try {
          return await handOn(lease, context, (signal) => (there(lease) as ManyRequests)(all, { signal }));
        } catch (error) {
          throw wrong === undefined ? error : wrong.error;
        }
      };
      return handler;
    }
    case "bidi_streaming":
      throw new TypeError(
        `${service.typeName}.${localName} streams both ways at once: there is no handing on for that`,
      );
  }
}
