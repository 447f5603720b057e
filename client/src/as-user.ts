/** What every call takes that touches files or repositories. */
export interface AsUser {
  /**
   * The user to do it as, "name", "uid" or "uid:gid", where the server may switch: with that user's rights and no others,
   * and what is made belongs to that user. Default: the workspace's `defaults.user`, or the server's own.
   */
  user?: string | undefined;
}
