/** What the command ends with. */
export const ExitCode = {
  ok: 0,
  /** The switch, or the configuration, refused. */
  refused: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** No switch listens at the admin socket, or it may not be talked to. */
  noSwitch: 3,
} as const

/** The command line makes no sense in a way only the subcommand can tell. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** It cannot be done, and the message says why. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
