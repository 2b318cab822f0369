/**
 * Moves a guest from one QEMU to another on this machine.
 *
 * @packageDocumentation
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { VirtualMachineError } from './errors.js'
import type { Monitor } from './monitor.js'

/** How a guest is moved. */
export interface MigrationOptions {
  /** The migration is cancelled after this time and the promise rejected with `ERR_VM_TIMEOUT`. Default 60 seconds. */
  readonly timeoutMs?: number | undefined
  /** Cancels the migration; the promise is rejected with the signal's reason. The guest runs on where it is. */
  readonly signal?: AbortSignal | undefined
  /** Most bytes of memory copied in a second. Default: QEMU's. */
  readonly bytesPerSecond?: number | undefined
}

const DEFAULT_TIMEOUT_MS = 60_000
const LOOK_MS = 20

interface Migration {
  readonly status?: string
  readonly 'error-desc'?: string
}

/** Resolves when the guest runs at its destination. Throws `ERR_VM_GUEST` with QEMU's words when it does not. */
export async function migrate(
  source: Monitor,
  destination: Monitor,
  { signal, bytesPerSecond, timeoutMs = DEFAULT_TIMEOUT_MS }: MigrationOptions,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  const folder = await mkdtemp(join(tmpdir(), 'migration-'))
  try {
    const uri = `unix:${join(folder, 'socket')}`
    await destination.execute('migrate-incoming', { uri })
    if (bytesPerSecond !== undefined)
      await source.execute('migrate-set-parameters', { 'max-bandwidth': bytesPerSecond })
    await source.execute('migrate', { uri })
    while (!(await isOver(source))) {
      if (signal?.aborted || performance.now() > deadline) {
        await source.execute('migrate_cancel')
        signal?.throwIfAborted()
        throw new VirtualMachineError('ERR_VM_TIMEOUT', 'the migration did not end in time')
      }
      await delay(LOOK_MS)
    }
    // The source is done when all is sent; the destination may still be loading it.
    while (!(await isRunning(destination))) await delay(LOOK_MS)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function isOver(source: Monitor): Promise<boolean> {
  const migration = (await source.execute('query-migrate')) as Migration
  if (migration.status === 'failed') {
    const why = migration['error-desc'] ?? 'QEMU does not say why'
    throw new VirtualMachineError('ERR_VM_GUEST', `the migration failed: ${why}`)
  }
  return migration.status === 'completed'
}

async function isRunning(destination: Monitor): Promise<boolean> {
  return ((await destination.execute('query-status')) as { running: boolean }).running
}
