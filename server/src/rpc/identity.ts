/** Who answers. */
export interface Identity {
  /** The same for as long as the state directory lives. */
  readonly workspaceId: string;
  /** A new one at every start. */
  readonly instanceId: string;
}
