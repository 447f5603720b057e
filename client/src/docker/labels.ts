/** What a container of ours is known by. Its value is the kind of the workspace. */
export const workspaceLabel = "dev.yonder.workspace";
/** Who started it: see owner.ts. */
export const ownerLabel = "dev.yonder.owner";
/** "true" where it is meant to outlive who started it. */
export const keepLabel = "dev.yonder.keep";
/** The directory of this machine in which its socket is, where it has no network. */
export const socketLabel = "dev.yonder.socket-directory";
/** Which start made it, so that one whose answer was lost is found. */
export const startLabel = "dev.yonder.start";
/** On an image: "true" where its server can listen on a socket beside its port. */
export const socketBesideLabel = "dev.yonder.socket-beside";
