import { type Change, changeLines, difference } from '../config/index.js'
import type { ReloadView } from '../control.js'
import type { SwitchSpec } from '../spec.js'
import type { Applier } from './applier.js'
import type { SwitchLog } from './log.js'
import { settled } from './settled.js'

/**
 * Follows the configuration. What it said last is held against what it says now, not against what there is: so what was
 * changed by hand stays. What could not be done counts as not said, and is tried again.
 */
export class Reload {
  readonly #applier: Applier
  readonly #log: SwitchLog
  #spec: SwitchSpec
  #failures: readonly string[] = []

  private constructor(spec: SwitchSpec, applier: Applier, log: SwitchLog) {
    this.#spec = spec
    this.#applier = applier
    this.#log = log
  }

  /** Makes a switch that has nothing yet what the configuration says. @throws what keeps it from being a switch */
  static async begin(spec: SwitchSpec, applier: Applier, log: SwitchLog): Promise<Reload> {
    const reload = new Reload(spec, applier, log)
    const failures = await applier.begin(spec)
    reload.#failures = failures.map(({ change, error }) => reload.#lineOfFailure(change, error))
    const failed = failures.map(({ change }) => change)
    reload.#spec = settled({ ...spec, ports: [] }, spec, failed)
    return reload
  }

  /** What the configuration says, as far as it is true. */
  get spec(): SwitchSpec {
    return this.#spec
  }

  /** What could not be done the last time, one line each. */
  get failures(): readonly string[] {
    return this.#failures
  }

  async apply(to: SwitchSpec): Promise<Omit<ReloadView, 'warnings'>> {
    const { changes, pending } = difference(this.#spec, to)
    this.#applier.allow(changes)
    const lines: string[] = []
    const done: string[] = []
    const add = (line: string) => {
      lines.push(line)
      done.push(line)
    }
    const failed: Change[] = []
    const failures: string[] = []
    for (const change of changes) {
      try {
        await this.#make(change, to)
        changeLines([change]).forEach(add)
      } catch (error) {
        failed.push(change)
        failures.push(this.#lineOfFailure(change, error))
        lines.push(...failures.slice(-1))
      }
    }
    for (const { name } of to.bridges) {
      try {
        const file = await this.#applier.refreshProgram(name)
        // A program whose file has changed.
        if (file !== undefined) add(`bridge ${name}: program ${file} loaded again`)
      } catch (error) {
        lines.push(this.#failed(`bridge ${name}: program`, error))
      }
    }
    this.#failures = failures
    const { datapath, admin } = this.#spec
    // What needs a restart is said again by every reload until there was one.
    this.#spec = { ...settled(this.#spec, to, failed), datapath, admin }
    // Failures were told as they happened.
    for (const change of done) {
      this.#log.info(`reload: ${change}`, { event: 'reload', change })
    }
    for (const change of pending) {
      this.#log.warn(`reload: not done: ${change}`, { event: 'reload_pending', change })
    }
    if (lines.length + pending.length === 0) {
      this.#log.info('reload: nothing has changed', { event: 'reload' })
    }
    return { changes: lines, pending }
  }

  /** What was taken away by hand need not be removed, and comes back when the file says something new of it. */
  async #make(change: Change, to: SwitchSpec): Promise<void> {
    switch (change.type) {
      case 'portRemoved':
      case 'attachment':
      case 'adminState':
      case 'rxAffinity':
      case 'egressShaper': {
        if (this.#applier.hasPort(change.port)) break
        const port = to.ports.find((one) => one.port.name === change.port)
        if (change.type !== 'portRemoved' && port !== undefined)
          await this.#applier.make({ type: 'portAdded', port, remade: false })
        return
      }
    }
    await this.#applier.make(change)
  }

  #lineOfFailure(change: Change, error: unknown): string {
    const [line = change.type] = changeLines([change])
    return this.#failed(line.replace(/: (added|removed|made anew)$/, ''), error)
  }

  #failed(what: string, error: unknown): string {
    const line = `${what}: failed: ${error instanceof Error ? error.message : String(error)}`
    this.#log.error(line, { event: 'change_failed', what })
    return line
  }
}
