/** What can go wrong with a migration, by code. */
export type MigrationErrorCode =
  /** libvirt, or a command, is not there or does not answer. */
  | 'ERR_MIGRATION_UNREACHABLE'
  /** It cannot be begun; the message names everything in the way. */
  | 'ERR_MIGRATION_BLOCKED'
  /** A step failed; what it belongs to was put back. */
  | 'ERR_MIGRATION_STEP'
  /** The journal cannot be read, or is of something else. */
  | 'ERR_MIGRATION_JOURNAL'

/** A migration that cannot be planned, carried out or undone. The message says what to do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'

  constructor(
    readonly code: MigrationErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
