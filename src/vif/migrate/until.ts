import { setTimeout as sleep } from 'node:timers/promises'
import { MigrationError } from './error.js'

const LOOK_AGAIN_MS = 50

/** Resolves when something holds. @throws {@link MigrationError} with `otherwise()` when it does not in time */
export async function until(
  holds: () => Promise<boolean>,
  timeoutMs: number,
  otherwise: () => string,
): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > end) throw new MigrationError('ERR_MIGRATION_STEP', otherwise())
    await sleep(LOOK_AGAIN_MS)
  }
}
